import type { AgentStatus } from '../core/status.ts';
import type { DriverState } from '../../drivers/api/reading.ts';
import { DURATION_BOUNDS_S, type RouteStats } from './request-stats.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const STATES: readonly DriverState[] = ['starting', 'ready', 'degraded', 'silent', 'failed', 'stopped'];

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The kit in Prometheus' text format 0.0.4. Names end in their base unit, counters in `_total`.
 * @see https://prometheus.io/docs/practices/naming/
 */
export function renderMetrics(status: AgentStatus, requests: readonly RouteStats[]): string {
  const lines: string[] = [];
  const write = (type: 'gauge' | 'counter', name: string, help: string, samples: readonly Sample[]): void => {
    if (samples.length === 0) return;
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples) lines.push(`${name}${labelText(labels)} ${value}`);
  };
  const gauge = (name: string, help: string, samples: readonly Sample[]): void => write('gauge', name, help, samples);
  const counter = (name: string, help: string, samples: readonly Sample[]): void =>
    write('counter', name, help, samples);
  gauge('barrow_build_info', 'Version of the agent; always 1.', [[{ version: status.version, kit: status.kit.id }, 1]]);
  gauge('barrow_ready', 'Whether the kit is ready for customers.', one(flag(status.ready)));
  gauge(
    'barrow_reason_info',
    'Why the kit is not ready or degraded; 1 per reason.',
    uniqueSamples(status.reasons.map((reason) => ({ code: reason.code, driver: reason.driver ?? '' }))),
  );
  gauge('barrow_uptime_seconds', 'Time since the agent started.', one(status.uptimeS));
  gauge('barrow_clock_synced', 'Whether the clock is synchronised.', one(flag(status.clock.trust === 'synced')));
  ledgerMetrics(status, gauge, counter);
  uplinkMetrics(status, gauge, counter);
  driverMetrics(status, gauge, counter);
  machineMetrics(status, gauge);
  lines.push(...requestLines(requests));
  return `${lines.join('\n')}\n`;
}

type Writer = (name: string, help: string, samples: readonly Sample[]) => void;

function ledgerMetrics(status: AgentStatus, gauge: Writer, counter: Writer): void {
  const { ledger } = status;
  const perStream = (value: (stream: (typeof ledger.streams)[number]) => number): readonly Sample[] =>
    ledger.streams.map((stream) => [{ stream: stream.stream }, value(stream)]);
  gauge('barrow_ledger_accepting', 'Whether the ledger accepts events.', one(flag(ledger.accepting)));
  counter(
    'barrow_ledger_events_total',
    'Events stored in this epoch.',
    perStream((stream) => stream.last),
  );
  counter(
    'barrow_ledger_lost_events_total',
    'Events declared lost.',
    perStream((stream) => stream.lostRows),
  );
  gauge(
    'barrow_ledger_pending_events',
    'Events not yet delivered.',
    perStream((stream) => stream.pendingRows),
  );
  gauge(
    'barrow_ledger_pending_bytes',
    'Bytes not yet delivered.',
    perStream((stream) => stream.pendingBytes),
  );
  gauge('barrow_ledger_size_bytes', 'Size of the ledger on disk.', one(ledger.bytes));
  gauge('barrow_ledger_limit_bytes', 'Size that the ledger may take.', one(ledger.maxBytes));
  gauge('barrow_ledger_oldest_pending_seconds', 'Age of the oldest undelivered event.', maybe(ledger.oldestPendingS));
}

function uplinkMetrics(status: AgentStatus, gauge: Writer, counter: Writer): void {
  const { uplink } = status;
  gauge('barrow_uplink_online', 'Whether the broker is connected.', one(flag(uplink.state === 'online')));
  counter('barrow_uplink_delivered_events_total', 'Events acknowledged by the broker.', one(uplink.delivered));
  counter('barrow_uplink_quarantined_events_total', 'Events the broker never takes.', one(uplink.quarantined));
  counter('barrow_uplink_dropped_commands_total', 'Commands dropped on arrival.', one(uplink.droppedCommands));
  gauge('barrow_uplink_drain_events_per_second', 'Delivery rate over a minute.', maybe(uplink.drainPerS));
}

function driverMetrics(status: AgentStatus, gauge: Writer, counter: Writer): void {
  const { drivers } = status;
  gauge(
    'barrow_driver_state',
    'State of each driver: 1 for the one it is in.',
    drivers.flatMap(({ id, type, state }) =>
      STATES.map((name): Sample => [{ driver: id, type, state: name }, flag(name === state)]),
    ),
  );
  counter(
    'barrow_driver_events_total',
    'Events of each driver since the agent started.',
    drivers.map(({ id, type, events }) => [{ driver: id, type }, events]),
  );
  counter(
    'barrow_driver_restarts_total',
    'Restarts of each driver since the agent started.',
    drivers.map(({ id, type, restarts }) => [{ driver: id, type }, restarts]),
  );
}

function machineMetrics(status: AgentStatus, gauge: Writer): void {
  const { machine } = status;
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', one(machine.rssBytes));
  gauge('barrow_machine_uptime_seconds', 'Time since the machine booted.', one(machine.uptimeS));
  gauge('barrow_machine_temperature_celsius', 'Temperature of the processor.', maybe(machine.temperatureC));
  gauge('barrow_machine_load1', 'Load average over a minute.', maybe(machine.load1));
  gauge('barrow_disk_free_bytes', 'Free space where the ledger lies.', maybe(machine.freeBytes));
}

function requestLines(requests: readonly RouteStats[]): readonly string[] {
  if (requests.length === 0) return [];
  const total = 'barrow_http_requests_total';
  const duration = 'barrow_http_request_duration_seconds';
  const lines = [`# HELP ${total} Requests to the local API.`, `# TYPE ${total} counter`];
  for (const { route, method, byStatus } of requests)
    for (const [code, count] of byStatus)
      lines.push(`${total}${labelText({ route, method, code: String(code) })} ${count}`);
  lines.push(`# HELP ${duration} Time to answer.`, `# TYPE ${duration} histogram`);
  for (const stats of requests) {
    const labels = { route: stats.route, method: stats.method };
    for (const [index, bound] of DURATION_BOUNDS_S.entries())
      lines.push(`${duration}_bucket${labelText({ ...labels, le: String(bound) })} ${stats.buckets[index] ?? 0}`);
    lines.push(
      `${duration}_bucket${labelText({ ...labels, le: '+Inf' })} ${stats.count}`,
      `${duration}_sum${labelText(labels)} ${stats.sumS}`,
      `${duration}_count${labelText(labels)} ${stats.count}`,
    );
  }
  return lines;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function uniqueSamples(labels: readonly Labels[]): readonly Sample[] {
  const texts = new Map(labels.map((one) => [labelText(one), one]));
  return [...texts.values()].map((one): Sample => [one, 1]);
}

function one(value: number): readonly Sample[] {
  return [[{}, value]];
}

/** An unknown value has no sample: 0 would be a lie. */
function maybe(value: number | null): readonly Sample[] {
  return value === null ? [] : [[{}, value]];
}

function flag(value: boolean): number {
  return value ? 1 : 0;
}
