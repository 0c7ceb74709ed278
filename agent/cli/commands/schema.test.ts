import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { demoPricing } from '../../../firmware-sim/cli/demo/rules.ts';
import { scriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { registry } from '../../../drivers/registry.ts';
import { documentOf } from './schema.ts';

type Node = { readonly [key: string]: unknown };

/** Another implementation of JSON Schema 2020-12; it refuses formats that the standard does not know. */
const ajv = new Ajv2020({ allErrors: true, strict: false, strictSchema: true, allowUnionTypes: true });
ajv.addVocabulary(['components']);
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)) && /T.*(Z|[+-]\d\d:\d\d)$/.test(text));
ajv.addFormat('date', /^\d{4}-\d{2}-\d{2}$/);
for (const format of ['time', 'duration', 'uri', 'uuid', 'email', 'regex']) ajv.addFormat(format, true);

function compiled(schema: unknown): ValidateFunction {
  expect(ajv.validateSchema(schema as JsonObject), JSON.stringify(ajv.errors)).toBe(true);
  return ajv.compile(schema as JsonObject);
}

/** Follows a reference inside a document; undefined when it leads nowhere. */
function resolved(document: unknown, ref: string): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>(
      (node, key) => (node as Node | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
      document,
    );
}

function references(node: unknown): readonly string[] {
  if (Array.isArray(node)) return (node as readonly unknown[]).flatMap(references);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

describe('barrow schema config', () => {
  let check: ValidateFunction;
  beforeAll(async () => {
    check = compiled(await documentOf('config'));
  });

  test('takes a kit.yaml with the example of every driver', async () => {
    const drivers = await Promise.all(
      Object.entries(registry).map(async ([type, load], at) => ({
        id: `d${at}`,
        type,
        ...((await load()).example as object),
      })),
    );
    const kit = { kit: { id: 'k', currency: 'GBP', timezone: 'Europe/London' }, state: '/var/lib/barrow', drivers };
    expect(check(kit), JSON.stringify(check.errors)).toBe(true);
  });

  test('refuses unknown keys, inline secrets and drivers that do not exist', () => {
    const kit = { kit: { id: 'k', currency: 'GBP', timezone: 'Europe/London' }, state: 's' };
    expect(check({ ...kit })).toBe(true);
    expect(check({ ...kit, driver: [] })).toBe(false);
    expect(check({ ...kit, broker: { url: 'mqtt://x', password: 'inline' } })).toBe(false);
    expect(check({ ...kit, drivers: [{ id: 'a', type: 'toaster' }] })).toBe(false);
  });
});

test('barrow schema rules takes a compiled bundle and refuses one with an unknown key', async () => {
  const scenario = parse(
    readFileSync(new URL('../../../firmware-sim/scenario/popup.yaml', import.meta.url), 'utf8'),
  ) as never;
  const { payload } = JSON.parse(demoPricing(scenario).files['rules.json'] ?? '') as { readonly payload: string };
  const bundle = JSON.parse(Buffer.from(payload, 'base64').toString()) as JsonObject;
  const check = compiled(await documentOf('rules'));
  expect(check(bundle), JSON.stringify(check.errors)).toBe(true);
  expect(check({ ...bundle, ladders: [] })).toBe(false);
});

describe('barrow schema events', () => {
  test('is a schema in which every event has a place of its own', async () => {
    const events = (await documentOf('events')) as { readonly $defs: Node; readonly oneOf: readonly Node[] };
    compiled(events);
    for (const ref of references(events)) expect(resolved(events, ref), ref).toBeDefined();
    expect(events.oneOf).toHaveLength(Object.keys(events.$defs).length);
  });

  test('names every type that the public surface does', async () => {
    const { $defs } = (await documentOf('events')) as { readonly $defs: Node };
    const names = [
      'shelf.count shelf.unknown-load sensor footfall.crossing scan loyalty payment sale return void',
      'price.decided rules.activated rules.rejected override checkpoint agent.started agent.stopped',
      'driver.state clock.anchor ledger.quarantined loss',
    ].flatMap((line) => line.split(' '));
    const families = new Set(Object.keys(registry));
    const given = names.filter((name) => name !== 'scan' || families.has('barcode-scanner'));
    for (const name of given) expect(Object.keys($defs)).toContain(`barrow.${name}.v1`);
  });
});

test('barrow schema asyncapi keeps the rules of AsyncAPI 3.0', async () => {
  const document = (await documentOf('asyncapi')) as unknown as {
    readonly asyncapi: string;
    readonly info: Node;
    readonly channels: Readonly<
      Record<
        string,
        {
          readonly address: string;
          readonly parameters: Node;
          readonly messages: Readonly<Record<string, { readonly payload: unknown }>>;
        }
      >
    >;
    readonly operations: Readonly<
      Record<string, { readonly action: string; readonly channel: { readonly $ref: string } }>
    >;
    readonly components: { readonly schemas: Node };
  };
  expect(document.asyncapi).toBe('3.0.0');
  expect(document.info).toMatchObject({ title: expect.any(String) as string, version: expect.any(String) as string });
  for (const ref of references(document)) expect(resolved(document, ref), ref).toBeDefined();
  // Names of components are limited to these (specification, Components Object).
  for (const name of Object.keys(document.components.schemas)) expect(name).toMatch(/^[a-zA-Z0-9._-]+$/);
  const addresses = Object.values(document.channels).map(({ address }) => address);
  expect(new Set(addresses).size).toBe(addresses.length);
  for (const [name, { address, parameters, messages }] of Object.entries(document.channels)) {
    const placeholders = [...address.matchAll(/\{(\w+)\}/g)].map(([, placeholder = '']) => placeholder);
    expect(Object.keys(parameters).toSorted(), name).toEqual(placeholders.toSorted());
    expect(Object.keys(messages).length, name).toBeGreaterThan(0);
    for (const { payload } of Object.values(messages))
      compiled({ ...(payload as object), components: document.components });
  }
  const served = Object.values(document.operations).map(({ channel }) => channel.$ref);
  expect(served.toSorted()).toEqual(
    Object.keys(document.channels)
      .map((name) => `#/channels/${name}`)
      .toSorted(),
  );
  for (const { action } of Object.values(document.operations)) expect(['send', 'receive']).toContain(action);
  for (const schema of Object.values(document.components.schemas)) compiled(schema);
});

test('/openapi.json keeps the rules of OpenAPI 3.1, and its examples those of its schemas', async () => {
  const document = JSON.parse((await scriptedKit().call({ path: '/openapi.json' })).body as string) as {
    readonly openapi: string;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  interface Operation {
    readonly parameters?: readonly {
      readonly name: string;
      readonly in: string;
      readonly required?: boolean;
      readonly schema: unknown;
    }[];
    readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
    readonly responses: Readonly<
      Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
    >;
  }
  interface Media {
    readonly schema?: unknown;
    readonly example?: unknown;
  }
  expect(document.openapi).toBe('3.1.0');
  for (const ref of references(document)) expect(resolved(document, ref), ref).toBeDefined();
  for (const [path, methods] of Object.entries(document.paths)) {
    expect(path).toMatch(/^\//);
    for (const [method, { parameters = [], requestBody, responses }] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, placeholder = '']) => placeholder);
      expect(inPath.map(({ name }) => name).toSorted(), where).toEqual(placeholders.toSorted());
      for (const { required } of inPath) expect(required, where).toBe(true);
      for (const { schema } of parameters) compiled(schema);
      expect(Object.keys(responses).length, where).toBeGreaterThan(0);
      const media = [requestBody, ...Object.values(responses)].flatMap((part) => Object.values(part?.content ?? {}));
      for (const status of Object.keys(responses)) expect(status, where).toMatch(/^[1-5](\d\d|XX)$/);
      for (const { schema, example } of media) {
        if (schema === undefined) continue;
        const check = compiled({ ...(schema as object), components: (document as unknown as Node)['components'] });
        if (example !== undefined) expect(check(example), `${where} ${JSON.stringify(check.errors)}`).toBe(true);
      }
    }
  }
});
