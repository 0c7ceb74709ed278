import type { ZodType } from 'zod';
import type { ApiRequest, ApiResponse } from '../core/host.ts';

/** One request on its way through a route. */
export interface Call {
  readonly request: ApiRequest;
  /** Decoded parts of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  /** The JSON body, `{}` when none was sent; `undefined` for GET. */
  readonly body: unknown;
  readonly idempotencyKey: string | null;
  /** Fires when the peer has gone or the API closes. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  readonly status: number;
  readonly description: string;
  /** Absent: no JSON. */
  readonly schema?: ZodType;
  readonly contentType?: string;
  readonly example?: unknown;
}

/** One address with one method: what it does and what its document says, so that neither is without the other. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/v1/payments/{intentId}`. */
  readonly path: string;
  readonly summary: string;
  /** True when it shows and changes nothing of the kit: no token is asked for. */
  readonly open?: boolean;
  /**
   * Who keeps the answer for an `Idempotency-Key`: the API after the call, or the route itself in the transaction of
   * what it does.
   */
  readonly idempotency?: 'api' | 'own';
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: ZodType }>>;
  readonly body?: { readonly schema: ZodType; readonly example: unknown };
  readonly answers: readonly RouteAnswer[];
  handle(call: Call): ApiResponse | Promise<ApiResponse>;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteTable {
  readonly routes: readonly Route[];
  /** The route, or the methods that this path takes (none: there is no such path). HEAD is GET without a body. */
  match(method: string, path: string): Match | { readonly allow: readonly string[] };
}

export function routeTable(routes: readonly Route[]): RouteTable {
  const split = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return {
    routes,
    match: (method, path) => {
      const wanted = method === 'HEAD' ? 'GET' : method;
      const given = path.split('/');
      const allow = new Set<string>();
      for (const { route, parts } of split) {
        const params = paramsOf(parts, given);
        if (params === null) continue;
        if (route.method === wanted) return { route, params };
        allow.add(route.method);
        if (route.method === 'GET') allow.add('HEAD');
      }
      return { allow: [...allow].sort() };
    },
  };
}

function paramsOf(parts: readonly string[], given: readonly string[]): Readonly<Record<string, string>> | null {
  if (parts.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = given[index] ?? '';
    if (!part.startsWith('{')) {
      if (part !== text) return null;
      continue;
    }
    const decoded = percentDecoded(text);
    if (decoded === null || decoded === '' || decoded.length > 128) return null;
    params[part.slice(1, -1)] = decoded;
  }
  return params;
}

/** Malformed percent signs name nothing. */
function percentDecoded(text: string): string | null {
  if (!/^(?:[^%]|%[0-9a-f]{2})*$/i.test(text)) return null;
  const bytes = Buffer.from(
    text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  const decoded = bytes.toString('utf8');
  return decoded.includes('\uFFFD') ? null : decoded;
}
