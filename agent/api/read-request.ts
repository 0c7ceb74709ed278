import type { ZodType } from 'zod';
import type { ApiRequest } from '../core/host.ts';
import { tillFailure } from '../till/errors.ts';
import { apiFailure } from './errors.ts';
import { utf8Text } from '../core/utf8-text.ts';

/** Deeper than any of our bodies by far; a pile of brackets would else exhaust the stack of whoever walks it. */
const MAX_DEPTH = 32;

/** The JSON object of a POST. Throws `body-not-json`, `request-malformed`. */
export function readJson(request: ApiRequest): unknown {
  if (request.body.length === 0) return {};
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) throw apiFailure('body-not-json');
  const text = utf8Text(request.body);
  if (text === null || depth(text) > MAX_DEPTH) throw apiFailure('request-malformed');
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw apiFailure('request-malformed');
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw apiFailure('request-malformed', { cause: error });
    throw error;
  }
}

/** How deep brackets nest, those in strings left out. */
function depth(text: string): number {
  let deepest = 0;
  let now = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (quoted) {
      if (char === 0x5c) at += 1;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x5b || char === 0x7b) deepest = Math.max(deepest, ++now);
    else if (char === 0x5d || char === 0x7d) now -= 1;
  }
  return deepest;
}

/** The `Idempotency-Key`, bare or as the quoted string of the IETF draft. Throws `idempotency-key-invalid`. */
export function readKey(request: ApiRequest): string | null {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return null;
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given;
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)) throw apiFailure('idempotency-key-invalid');
  return key;
}

/** A body of the asked shape. Throws `body-invalid` with the first faults. */
export function readBodyAs<T>(schema: ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw tillFailure('body-invalid', { detail: faults.join('; '), cause: parsed.error });
}

/** A whole number among the query's parameters. Throws `parameter-invalid`. */
export function readInt(
  query: URLSearchParams,
  name: string,
  options: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === null) return options.fallback;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < options.min)
    throw apiFailure('parameter-invalid', { detail: `${name} is a whole number from ${options.min}` });
  return Math.min(value, options.max);
}
