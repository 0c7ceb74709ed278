import { z } from 'zod';
import { STREAMS, type JsonObject, type Stream } from '../../../drivers/api/reading.ts';
import { eventId } from '../../core/event.ts';
import type { AgentStatus } from '../../core/status.ts';
import { addToKpi, newKpiSums, type KpiSums } from '../../till/kpi.ts';
import { kpiReport } from '../../till/kpi-report.ts';
import { healthSchema, kpiSchema, logsSchema, statusSchema } from '../answer-schemas.ts';
import { BASE_HEADERS, jsonAnswer } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { METRICS_CONTENT_TYPE, renderMetrics } from '../metrics.ts';
import { readInt } from '../read-request.ts';
import type { RequestStats } from '../request-stats.ts';
import type { Route } from '../route.ts';
import { STATUS_EXAMPLE } from './status-example.ts';

const MAX_LOG_LINES = 1_000;
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal'];
/** Rows read from the ledger at a time for the figures; a day has some thousands. */
const KPI_PAGE_ROWS = 1_000;
/** Pages read for one request; the rest is read by the next, so that no request holds the agent for long. */
const KPI_PAGES_PER_REQUEST = 5;

interface StatusParts extends Pick<ApiParts, 'ledger'> {
  readonly view: Pick<ApiParts['view'], 'status' | 'logs'>;
}

/** What the kit is doing. */
export function statusRoutes(parts: StatusParts, stats: RequestStats): readonly Route[] {
  return [health(parts), metrics(parts, stats), status(parts), logs(parts), kpi(parts)];
}

function health({ view }: StatusParts): Route {
  return {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the agent works; 503 only when the ledger takes no events',
    open: true,
    answers: [
      { status: 200, description: 'It does', schema: healthSchema, example: { status: 'ok', reasons: [] } },
      {
        status: 503,
        description: 'The ledger takes no events',
        schema: healthSchema,
        example: { status: 'degraded', reasons: ['ledger-full'] },
      },
    ],
    handle: () => {
      const { ready, reasons, ledger } = view.status();
      const codes = [...new Set(reasons.map((reason) => reason.code))];
      const ok = ready && codes.length === 0 && ledger.accepting;
      return jsonAnswer(ledger.accepting ? 200 : 503, { status: ok ? 'ok' : 'degraded', reasons: codes });
    },
  };
}

function metrics({ view }: StatusParts, stats: RequestStats): Route {
  return {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in Prometheus’ text format',
    answers: [{ status: 200, description: 'The metrics', contentType: 'text/plain' }],
    handle: () => ({
      status: 200,
      headers: { ...BASE_HEADERS, 'content-type': METRICS_CONTENT_TYPE },
      body: renderMetrics(view.status(), stats.all()),
    }),
  };
}

function status({ view }: StatusParts): Route {
  return {
    method: 'GET',
    path: '/v1/status',
    summary: 'Everything that the status page shows',
    answers: [{ status: 200, description: 'The status', schema: statusSchema, example: STATUS_EXAMPLE }],
    handle: () => jsonAnswer(200, view.status() satisfies AgentStatus),
  };
}

function logs({ view }: StatusParts): Route {
  return {
    method: 'GET',
    path: '/v1/logs',
    summary: 'The newest log lines, redacted, oldest first',
    query: {
      limit: {
        description: `At most so many lines, up to ${MAX_LOG_LINES}`,
        schema: z.int().min(1).max(MAX_LOG_LINES),
      },
      level: { description: 'This level and above: debug, info, warn, error', schema: z.string() },
      driver: { description: 'Only this driver', schema: z.string() },
      format: { description: 'ndjson: a file of JSON lines to download', schema: z.string() },
    },
    answers: [
      {
        status: 200,
        description: 'The lines',
        schema: logsSchema,
        example: {
          lines: [{ level: 'info', time: '2026-11-27T10:15:30.123Z', event: 'driver-ready', driver: 'door' }],
        },
      },
    ],
    handle: ({ request }) => {
      const { query } = request;
      const limit = readInt(query, 'limit', { fallback: 200, min: 1, max: MAX_LOG_LINES });
      const least = LEVELS.indexOf(query.get('level') ?? 'debug');
      const driver = query.get('driver');
      const lines = view
        .logs(MAX_LOG_LINES)
        .filter((line) => levelOf(line) >= least && (driver === null || driverOf(line) === driver))
        .slice(-limit);
      if (query.get('format') !== 'ndjson') return jsonAnswer(200, { lines });
      return {
        status: 200,
        headers: {
          ...BASE_HEADERS,
          'content-type': 'application/x-ndjson',
          'content-disposition': 'attachment; filename="barrow-logs.ndjson"',
        },
        body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      };
    },
  };
}

/** Levels come as words or as pino's numbers: 20 debug … 60 fatal. */
function levelOf(line: JsonObject): number {
  const level = line['level'];
  if (typeof level === 'number') return Math.round(level / 10) - 2;
  return typeof level === 'string' ? LEVELS.indexOf(level) : 1;
}

function driverOf(line: JsonObject): JsonObject[string] | undefined {
  return line['driver'] ?? line['driverId'];
}

function kpi({ ledger }: StatusParts): Route {
  const read: Partial<Record<Stream, number>> = {};
  let sums: KpiSums = newKpiSums();
  let epoch: string | null = null;
  let complete = true;
  const catchUp = (): boolean => {
    if (ledger === undefined) return false;
    if (epoch !== ledger.epoch) {
      epoch = ledger.epoch;
      sums = newKpiSums();
      complete = true;
      for (const stream of STREAMS) delete read[stream];
    }
    let pages = 0;
    for (const stream of ['sale', 'footfall'] as const) {
      const { first, last } = ledger.manifest(stream);
      let next = (read[stream] ?? 0) + 1;
      if (first > next && last > 0) {
        complete = false;
        next = first;
      }
      while (next <= last && pages < KPI_PAGES_PER_REQUEST) {
        const rows = ledger.range(stream, next, last, KPI_PAGE_ROWS);
        pages += 1;
        for (const row of rows) addToKpi(sums, { id: eventId(row), type: row.type, data: row.data });
        next = (rows.at(-1)?.sequence ?? last) + 1;
        read[stream] = next - 1;
      }
      if (next <= last) return false;
    }
    return complete;
  };
  return {
    method: 'GET',
    path: '/v1/kpi',
    summary: 'Sell-through, markdown depth, margin recovery, footfall and returns, from the events still held',
    answers: [{ status: 200, description: 'The figures', schema: kpiSchema, example: kpiReport(newKpiSums(), true) }],
    handle: () => {
      const whole = catchUp();
      return jsonAnswer(200, kpiReport(sums, whole));
    },
  };
}
