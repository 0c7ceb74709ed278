import type { AgentError } from '../../drivers/api/agent-error.ts';
import type { ApiResponse } from '../core/host.ts';
import { statusOf } from './errors.ts';

/** Sent with every answer: nothing is sniffed, framed, kept or told to other sites. */
export const BASE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  return {
    status,
    headers: { ...BASE_HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** `{"error":{code,message,hint}}` with the status that belongs to the code. */
export function errorAnswer(error: AgentError, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  const status = statusOf(error);
  const extra = status === 401 ? { 'www-authenticate': 'Bearer realm="barrow"' } : {};
  return jsonAnswer(
    status,
    { error: { code: error.code, message: error.message, hint: error.hint } },
    { ...extra, ...headers },
  );
}
