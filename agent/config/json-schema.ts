import { z } from 'zod';
import type { DriverRegistry } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { kitFile, NAME } from './schema.ts';

/** JSON Schema of kit.yaml for editors, made from the very schemas that check it, one branch per driver type. */
export async function configJsonSchema(registry: DriverRegistry): Promise<JsonObject> {
  const root = inputSchema(kitFile);
  const branches = await Promise.all(
    Object.entries(registry).map(async ([type, load]) => {
      const options = inputSchema((await load()).config);
      return branchFor(type, options);
    }),
  );
  const properties = root['properties'] as Record<string, JsonObject>;
  return {
    ...root,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Barrow kit.yaml',
    properties: { ...properties, drivers: { type: 'array', maxItems: 64, items: { oneOf: branches } } },
  };
}

/** A driver's options with `id` and `type` beside them. Options that are a choice of objects keep their choice. */
function branchFor(type: string, options: JsonObject): JsonObject {
  const id = { type: 'string', pattern: NAME.source };
  const choices = (options['anyOf'] ?? options['oneOf']) as readonly JsonObject[] | undefined;
  if (choices !== undefined) return { title: type, oneOf: choices.map((choice) => branchFor(type, choice)) };
  const { $schema: _dialect, properties, required, ...rest } = options;
  return {
    ...rest,
    title: type,
    properties: { id, type: { const: type }, ...(properties as JsonObject | undefined) },
    required: ['id', 'type', ...((required as readonly string[] | undefined) ?? [])],
  };
}

/** Formats that JSON Schema itself defines (2020-12 validation, 7.3); a validator may refuse any other. */
const STANDARD_FORMATS: ReadonlySet<unknown> = new Set([
  ...'date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference'.split(' '),
  ...'iri iri-reference uuid uri-template json-pointer relative-json-pointer regex'.split(' '),
]);

function inputSchema(schema: z.ZodType): JsonObject {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // What zod checks by a method (a prefix, a part) it names as a format beside the pattern that says it.
      if (!STANDARD_FORMATS.has(jsonSchema.format)) delete jsonSchema.format;
    },
  }) as JsonObject;
}
