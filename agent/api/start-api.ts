import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Json } from '../../drivers/api/reading.ts';
import type { ApiRequest, ApiResponse } from '../core/host.ts';
import { bodyHash } from '../till/canonical.ts';
import { findCardNumber, holdsCardNumber } from '../till/card-guard.ts';
import { catalogueOf } from '../till/catalogue.ts';
import { tillFailure } from '../till/errors.ts';
import { BASE_HEADERS, errorAnswer, jsonAnswer } from './answer.ts';
import type { Api, ApiParts } from './api-parts.ts';
import { apiFailure } from './errors.ts';
import { createGuard, type Guard } from './guard.ts';
import { openApiRoute } from './openapi.ts';
import { readJson, readKey } from './read-request.ts';
import { RequestStats } from './request-stats.ts';
import { routeTable, type Call, type Match, type Route, type RouteTable } from './route.ts';
import { controlRoutes } from './routes/control-routes.ts';
import { liveRoutes } from './routes/live-routes.ts';
import { pageRoutes } from './routes/page-routes.ts';
import { paymentRoutes } from './routes/payment-routes.ts';
import { priceRoutes } from './routes/price-routes.ts';
import { setupRoutes } from './routes/setup-routes.ts';
import { statusRoutes } from './routes/status-routes.ts';
import { tillRoutes } from './routes/till-routes.ts';
import { paymentFailure } from '../till/payment-errors.ts';

/** Every route of the local API, the document of the API among them. */
export function apiRoutes(parts: ApiParts, stats: RequestStats): readonly Route[] {
  const routes: Route[] = [
    ...pageRoutes(parts.pages),
    ...statusRoutes(parts, stats),
    ...liveRoutes(parts),
    ...priceRoutes(parts),
    ...paymentRoutes(parts),
    ...tillRoutes(parts.till),
    ...controlRoutes(parts),
    ...setupRoutes(parts),
  ];
  routes.push(openApiRoute(() => routes, parts.version));
  return routes;
}

/**
 * Opens the local API and serves it until `signal` fires or it is disposed.
 * Throws `token-required` and what the host's `http` throws.
 */
export async function startApi(parts: ApiParts, signal: AbortSignal): Promise<Api> {
  const guard = createGuard({
    listen: parts.listen,
    token: parts.token ?? null,
    kitId: parts.kit.id,
    clock: parts.clock,
  });
  const handle = apiHandler(parts, guard, signal);
  const server = await parts.http(parts.listen, handle, signal);
  parts.log.info('api-listening', { url: server.url });
  return server;
}

/** The API as a function from request to answer; never rejects. */
export function apiHandler(
  parts: ApiParts,
  guard: Guard,
  signal: AbortSignal,
): (request: ApiRequest) => Promise<ApiResponse> {
  const stats = new RequestStats();
  const table = routeTable(apiRoutes(parts, stats));
  const running = new Map<string, Promise<ApiResponse>>();
  return async (request) => {
    const startedAt = parts.clock.monoMs();
    const found = table.match(request.method, request.path);
    const route = 'route' in found ? found.route.path : 'unknown';
    let answer: ApiResponse;
    try {
      answer = await respond({ parts, guard, table, running, signal }, request, found);
    } catch (error) {
      answer = failed(parts, error, route);
    }
    const method = 'route' in found ? found.route.method : 'other';
    stats.record(method, route, answer.status, parts.clock.monoMs() - startedAt);
    return answer;
  };
}

interface Inner {
  readonly parts: ApiParts;
  readonly guard: Guard;
  readonly table: RouteTable;
  readonly running: Map<string, Promise<ApiResponse>>;
  readonly signal: AbortSignal;
}

async function respond(
  inner: Inner,
  request: ApiRequest,
  found: ReturnType<RouteTable['match']>,
): Promise<ApiResponse> {
  const open = 'route' in found && found.route.open === true;
  const refusal = inner.guard.check(request, !open);
  if (refusal !== null) {
    const waitS = refusal.retryAfterS;
    return errorAnswer(refusal.error, waitS === undefined ? {} : { 'retry-after': String(Math.ceil(waitS)) });
  }
  if (!('route' in found)) return noRoute(request, found.allow);
  const { route } = found;
  const call: Call = {
    request,
    params: found.params,
    body: route.method === 'POST' ? readJson(request) : undefined,
    idempotencyKey: route.method === 'POST' ? readKey(request) : null,
    // The server ends its requests when it closes: no signal is derived from one that lives as long as the agent.
    signal: request.signal ?? inner.signal,
  };
  refuseCards(inner.parts, call);
  if (call.idempotencyKey === null || route.idempotency !== 'api') return route.handle(call);
  return once(inner, found, call, call.idempotencyKey);
}

function noRoute(request: ApiRequest, allow: readonly string[]): ApiResponse {
  if (allow.length === 0) return errorAnswer(apiFailure('route-unknown'));
  if (request.method === 'OPTIONS')
    return { status: 204, headers: { ...BASE_HEADERS, allow: allow.join(', ') }, body: '' };
  return errorAnswer(apiFailure('method-refused'), { allow: allow.join(', ') });
}

/** No card number comes in by any door: not in a body, not in a key that would be kept for a week. */
function refuseCards(parts: ApiParts, call: Call): void {
  if (call.idempotencyKey !== null && holdsCardNumber(call.idempotencyKey))
    throw tillFailure('card-data', { detail: 'Idempotency-Key' });
  const catalogue = catalogueOf(parts.pricing);
  const path = findCardNumber(call.body, (gtin14) => catalogue.byGtin14(gtin14) !== undefined);
  if (path !== null) throw tillFailure('card-data', { detail: path });
}

/** The first answer to a key is kept; calls with it that come meanwhile wait for that answer. */
async function once(inner: Inner, { route }: Match, call: Call, key: string): Promise<ApiResponse> {
  const { parts, running } = inner;
  const kept = `${route.method} ${call.request.path} ${key}`;
  const hash = bodyHash(call.body);
  for (let before = running.get(kept); before !== undefined; before = running.get(kept))
    await before.catch(() => undefined);
  const known = parts.commit((tx) => tx.tables.idempotency.find(kept));
  if (known !== undefined) {
    if (known.bodyHash !== hash) throw paymentFailure('idempotency-mismatch');
    return jsonAnswer(known.status, known.answer, { 'idempotency-replayed': 'true' });
  }
  const answering = Promise.resolve(route.handle(call));
  running.set(kept, answering);
  try {
    const answer = await answering;
    if (answer.status < 300 && typeof answer.body === 'string') {
      const entry = { bodyHash: hash, status: answer.status, answer: JSON.parse(answer.body) as Json };
      parts.commit((tx) => tx.tables.idempotency.put(kept, { ...entry, atMono: parts.clock.monoMs() }));
    }
    return answer;
  } finally {
    running.delete(kept);
  }
}

function failed(parts: ApiParts, error: unknown, route: string): ApiResponse {
  if (error instanceof AgentError) return errorAnswer(error);
  // The message may quote the request, so only the kind of the error is written down.
  parts.log.error('api-bug', { route, error: error instanceof Error ? error.name : typeof error });
  return errorAnswer(apiFailure('bug'));
}
