import type { SecretRef } from '../../drivers/api/secret.ts';
import type { PathKey } from './fault.ts';

/** Every secret that a configuration points at, with its place: `{ file }`, `{ env }` or `{ credential }` and nothing else. */
export function secretRefs(
  value: unknown,
  path: readonly PathKey[] = [],
): readonly { readonly path: readonly PathKey[]; readonly ref: SecretRef }[] {
  if (Array.isArray(value))
    return (value as readonly unknown[]).flatMap((item, index) => secretRefs(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value);
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only !== undefined && ['file', 'env', 'credential'].includes(only[0]) && typeof only[1] === 'string')
    return [{ path, ref: value as SecretRef }];
  return entries.flatMap(([key, item]) => secretRefs(item, [...path, key]));
}
