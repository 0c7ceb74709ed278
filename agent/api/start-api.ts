import type { Json } from '../../drivers/api/reading.ts';
import type { ApiRequest, ApiResponse } from '../core/host.ts';
import { bodyHash } from '../till/canonical.ts';
import { findCardNumber, holdsCardNumber } from '../till/card-guard.ts';
import { catalogueOf } from '../till/catalogue.ts';
import { tillFailure } from '../till/errors.ts';
import { jsonAnswer } from './answer.ts';
import type { Api, ApiParts } from './api-parts.ts';
import { createGuard, type Guard } from './guard.ts';
import { openApiRoute } from './openapi.ts';
import { requestHandler } from './request-handler.ts';
import { RequestStats } from './request-stats.ts';
import { routeTable, type Call, type Match, type Route } from './route.ts';
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
  const answer = (found: Match, call: Call): ApiResponse | Promise<ApiResponse> => {
    refuseCards(parts, call);
    if (call.idempotencyKey === null || found.route.idempotency !== 'api') return found.route.handle(call);
    return once({ parts, running }, found, call, call.idempotencyKey);
  };
  return requestHandler({ table, guard, stats, clock: parts.clock, log: parts.log, answer }, signal);
}

interface Inner {
  readonly parts: ApiParts;
  readonly running: Map<string, Promise<ApiResponse>>;
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
