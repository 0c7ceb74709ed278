import type { Json, JsonObject } from '../../drivers/api/reading.ts';
import { lengthOnly, putRedacted, type Redactor } from './redact.ts';

/** Fields of log lines whose texts are words of the agent's own, or were put together by it. */
const SHOWN_FIELDS: ReadonlySet<string> = new Set(
  [
    'time level event driver part code detail reason state name step cause why from to by signal policy',
    'protocol stream topic url path origin merchant verdict outcome intentId terminalId error route',
    'restarted done lastWords keyId',
  ].flatMap((words) => words.split(' ')),
);

const DEPTH_MAX = 4;
const ITEMS_MAX = 32;

/** One log line fit to leave the kit: numbers and flags as they are, texts of known fields redacted, others by length. */
export function redactLine(redactor: Redactor, line: JsonObject): JsonObject {
  const walk = (key: string, value: Json, depth: number): Json => {
    if (depth > DEPTH_MAX) return '[left out]';
    if (typeof value === 'string') return SHOWN_FIELDS.has(key) ? redactor.text(value) : lengthOnly(value);
    if (value === null || typeof value !== 'object') return redactor.scalar(value);
    if (Array.isArray(value))
      return (value as readonly Json[]).slice(0, ITEMS_MAX).map((item) => walk(key, item, depth + 1));
    return object(value as JsonObject, depth + 1);
  };
  const object = (value: JsonObject, depth: number): JsonObject => {
    const into: Record<string, Json> = {};
    for (const [key, inner] of Object.entries(value).slice(0, ITEMS_MAX))
      if (inner !== undefined) putRedacted(redactor, into, key, walk(key, inner, depth));
    return into;
  };
  return object(line, 0);
}
