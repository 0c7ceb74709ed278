import type { AgentStatus, AgentView } from '../core/status.ts';
import type { Api, ApiParts } from './api-parts.ts';
import { createGuard } from './guard.ts';
import { requestHandler } from './request-handler.ts';
import { RequestStats } from './request-stats.ts';
import { routeTable } from './route.ts';
import { pageRoutes } from './routes/page-routes.ts';
import { statusRoutes } from './routes/status-routes.ts';

/** What the pages of a kit that cannot start stand on. */
export interface UnreadyParts extends Pick<ApiParts, 'http' | 'listen' | 'token' | 'clock' | 'log' | 'pages'> {
  readonly status: () => AgentStatus;
  readonly logs: AgentView['logs'];
}

/**
 * The pages and what they read, for a kit that has no configuration to work with: it says why, and takes nothing.
 * Throws `token-required` and what the host's `http` throws.
 */
export async function startUnready(parts: UnreadyParts, signal: AbortSignal): Promise<Api> {
  const { clock, log, status, logs } = parts;
  const guard = createGuard({
    listen: parts.listen,
    token: parts.token ?? null,
    kitId: status().kit.id,
    clock,
  });
  const stats = new RequestStats();
  const table = routeTable([...pageRoutes(parts.pages), ...statusRoutes({ view: { status, logs } }, stats)]);
  const server = await parts.http(parts.listen, requestHandler({ table, guard, stats, clock, log }, signal), signal);
  log.info('api-listening', { url: server.url });
  return server;
}
