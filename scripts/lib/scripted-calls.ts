import type { ScriptedKit } from './scripted-kit.ts';
import type { ApiResponse } from '../../agent/core/host.ts';

export const SALE: { readonly lines: readonly object[] } = { lines: [{ sku: 'TEE-BLK-M', qty: 1 }] };

type Headers = Readonly<Record<string, string>>;

export function post(kit: ScriptedKit, path: string, body: unknown, headers: Headers = {}): Promise<ApiResponse> {
  return kit.call({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
}

/** The JSON of an answer. */
export function json(answer: ApiResponse): Readonly<Record<string, unknown>> {
  return JSON.parse(answer.body as string) as Readonly<Record<string, unknown>>;
}
