import { z, type ZodType } from 'zod';
import type { PathKey } from './fault.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
}

/** The keys that may stand at a place, for "did you mean": read from the schema's own JSON Schema. */
export function knownKeysAt(schema: ZodType, path: readonly PathKey[]): readonly string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return keysOf(
    path.reduce<readonly JsonSchema[]>((nodes, key) => nodes.flatMap((node) => step(node, key)), branches(root)),
  );
}

function branches(node: JsonSchema): readonly JsonSchema[] {
  return [node, ...(node.anyOf ?? []).flatMap(branches), ...(node.oneOf ?? []).flatMap(branches)];
}

function step(node: JsonSchema, key: PathKey): readonly JsonSchema[] {
  const next = typeof key === 'number' ? node.items : node.properties?.[key];
  return next === undefined ? [] : branches(next);
}

function keysOf(nodes: readonly JsonSchema[]): readonly string[] {
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}
