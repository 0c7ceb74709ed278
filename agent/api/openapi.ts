import { z, type ZodType } from 'zod';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { errorSchema } from './answer-schemas.ts';
import { jsonAnswer } from './answer.ts';
import type { Route, RouteAnswer } from './route.ts';

export interface OpenApiOptions {
  readonly version: string;
  readonly url?: string;
}

const ERRORS: readonly (readonly [status: string, description: string])[] = [
  ['400', 'The request cannot be read or has another shape'],
  ['401', 'The token is missing or wrong'],
  ['403', 'Host or Origin is not this kit’s'],
  ['404', 'There is no such thing'],
  ['409', 'The state of the kit does not allow it'],
  ['413', 'The body is longer than 256 KiB'],
  ['415', 'The body is not JSON'],
  ['422', 'The request contradicts itself, the kit or an earlier request with this key'],
  ['429', 'Too many requests; Retry-After says how long to wait'],
  ['503', 'The ledger or a device cannot do it now'],
];

/** The OpenAPI 3.1 document of the routes, made from the schemas that check their requests. */
export function openApiDocument(routes: readonly Route[], options: OpenApiOptions): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const methods = (paths[route.path] ??= {});
    methods[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Barrow local API',
      version: options.version,
      description:
        'Events, prices, payments and the till’s feed of one kit. Money is whole minor units. Every POST honours Idempotency-Key, across restarts.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    ...(options.url === undefined ? {} : { servers: [{ url: options.url }] }),
    paths,
    components: {
      schemas: { Error: jsonSchema(errorSchema) },
      securitySchemes: {
        kitToken: { type: 'http', scheme: 'bearer', description: 'The kit’s token; asked for beyond loopback' },
      },
    },
    security: [{}, { kitToken: [] }],
  };
}

/** `GET /openapi.json`, which describes itself too. */
export function openApiRoute(routes: () => readonly Route[], version: string): Route {
  return {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    open: true,
    answers: [{ status: 200, description: 'OpenAPI 3.1', contentType: 'application/json' }],
    handle: () => jsonAnswer(200, openApiDocument(routes(), { version })),
  };
}

function operation(route: Route): JsonObject {
  const parameters: JsonObject[] = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', maxLength: 128 },
  }));
  for (const [name, { description, schema }] of Object.entries(route.query ?? {}))
    parameters.push({ name, in: 'query', required: false, description, schema: jsonSchema(schema) });
  if (route.method === 'POST')
    parameters.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'The same key with the same body gives the same answer, for seven days at least',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  const responses: Record<string, JsonObject> = {};
  for (const answer of route.answers) responses[String(answer.status)] = response(answer);
  for (const [status, description] of ERRORS) {
    if (responses[status] !== undefined || !(route.method === 'POST' || ['401', '403', '404', '429'].includes(status)))
      continue;
    responses[status] = {
      description,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    };
  }
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.open === true ? { security: [] } : {}),
    parameters,
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: Object.keys(route.body.example as object).length > 0,
            content: {
              'application/json': {
                schema: jsonSchema(route.body.schema, 'input'),
                example: route.body.example as JsonObject,
              },
            },
          },
        }),
    responses,
  };
}

function response(answer: RouteAnswer): JsonObject {
  const type = answer.contentType ?? 'application/json';
  return {
    description: answer.description,
    content: {
      [type]:
        answer.schema === undefined
          ? {}
          : {
              schema: jsonSchema(answer.schema),
              ...(answer.example === undefined ? {} : { example: answer.example as JsonObject }),
            },
    },
  };
}

function operationId(route: Route): string {
  const words = route.path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'v1');
  const name = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
  return `${route.method.toLowerCase()}${name === '' ? 'StatusPage' : name}`;
}

function jsonSchema(schema: ZodType, io: 'input' | 'output' = 'output'): JsonObject {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io }) as Record<string, JsonObject[string]>;
  return rest;
}
