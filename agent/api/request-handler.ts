import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Clock } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { ApiRequest, ApiResponse } from '../core/host.ts';
import { BASE_HEADERS, errorAnswer } from './answer.ts';
import { apiFailure } from './errors.ts';
import type { Guard } from './guard.ts';
import { readJson, readKey } from './read-request.ts';
import type { RequestStats } from './request-stats.ts';
import type { Call, Match, RouteTable } from './route.ts';

export interface RequestHandlerParts {
  readonly table: RouteTable;
  readonly guard: Guard;
  readonly stats: RequestStats;
  readonly clock: Clock;
  readonly log: Log;
  /** What is done with a request that the guard let through to a route; by default the route's own answer. */
  readonly answer?: (found: Match, call: Call) => ApiResponse | Promise<ApiResponse>;
}

/** From request to answer: guard, route, errors as the API tells them. Never rejects. */
export function requestHandler(
  parts: RequestHandlerParts,
  signal: AbortSignal,
): (request: ApiRequest) => Promise<ApiResponse> {
  const { table, stats, clock } = parts;
  return async (request) => {
    const startedAt = clock.monoMs();
    const found = table.match(request.method, request.path);
    const route = 'route' in found ? found.route.path : 'unknown';
    let answer: ApiResponse;
    try {
      answer = await respond(parts, request, found, signal);
    } catch (error) {
      answer = failed(parts.log, error, route);
    }
    const method = 'route' in found ? found.route.method : 'other';
    stats.record(method, route, answer.status, clock.monoMs() - startedAt);
    return answer;
  };
}

async function respond(
  { guard, answer }: RequestHandlerParts,
  request: ApiRequest,
  found: ReturnType<RouteTable['match']>,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const open = 'route' in found && found.route.open === true;
  const refusal = guard.check(request, !open);
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
    signal: request.signal ?? signal,
  };
  return answer === undefined ? route.handle(call) : answer(found, call);
}

function noRoute(request: ApiRequest, allow: readonly string[]): ApiResponse {
  if (allow.length === 0) return errorAnswer(apiFailure('route-unknown'));
  if (request.method === 'OPTIONS')
    return { status: 204, headers: { ...BASE_HEADERS, allow: allow.join(', ') }, body: '' };
  return errorAnswer(apiFailure('method-refused'), { allow: allow.join(', ') });
}

function failed(log: Log, error: unknown, route: string): ApiResponse {
  if (error instanceof AgentError) return errorAnswer(error);
  // The message may quote the request, so only the kind of the error is written down.
  log.error('api-bug', { route, error: error instanceof Error ? error.name : typeof error });
  return errorAnswer(apiFailure('bug'));
}
