import type { Json, JsonObject } from '../drivers/api/reading.ts';
import { maskCards } from '../drivers/lib/pan-scrub.ts';

/** Deeper fields are not logged by anyone. */
const DEPTH_MAX = 6;

/**
 * Log fields in which card numbers keep first six and last four only. Fields repeat what came from outside (a topic, an
 * id, a path), so a number can stand where no decoder has seen it.
 */
export function withoutCards(fields: JsonObject = {}): JsonObject {
  return clean(fields, 0) as JsonObject;
}

function clean(value: Json, depth: number): Json {
  if (typeof value === 'string') return maskCards(value);
  if (typeof value === 'number') {
    // Only a whole number of a card's length can be one; most numbers are not looked at.
    if (!Number.isSafeInteger(value) || Math.abs(value) < 1e11) return value;
    const text = String(value);
    const masked = maskCards(text);
    return masked === text ? value : masked;
  }
  if (value === null || typeof value !== 'object') return value;
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => clean(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [maskCards(key), inner === undefined ? null : clean(inner, depth + 1)]),
  );
}
