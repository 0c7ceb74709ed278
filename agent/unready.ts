import { AgentError } from '../drivers/api/agent-error.ts';
import { startUnready } from './api/start-unready.ts';
import type { ConfigFault } from './config/fault.ts';
import { splitListen } from './config/listen.ts';
import type { SoundSections } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import type { AgentStatus } from './core/status.ts';
import { LogRing } from './log-ring.ts';
import type { Reason } from './readiness.ts';
import { UPLINK_OFF } from './start-uplink.ts';

/** Faults of one file that are told; the rest is counted. More would only hide the first. */
const FAULTS_TOLD = 6;
const DEFAULT_LISTEN = '127.0.0.1:8080';
/** A service manager that counts heartbeats hears one in each of these. */
const PET_MS = 5_000;

/** Why a kit cannot start, and what of its configuration can be relied on nevertheless. */
export interface Unready {
  readonly reasons: readonly Reason[];
  readonly sound: SoundSections;
}

/** The faults of a configuration as things to do, each with its place. */
export function faultReasons(path: string, faults: readonly ConfigFault[]): readonly Reason[] {
  const told = faults.slice(0, FAULTS_TOLD).map(({ code, line, column, message, hint }) => ({
    code,
    sentence: `${path}, line ${line}, column ${column}: ${message}`,
    hint,
  }));
  const left = faults.length - told.length;
  if (left === 0) return told;
  return [
    ...told,
    { code: 'config-invalid', sentence: `and ${left} more`, hint: `Run \`barrow check -c ${path}\` to see them all` },
  ];
}

/** An error that keeps the agent from starting, as one thing to do. */
export function errorReason({ code, message, hint }: AgentError): Reason {
  return { code, sentence: message, hint };
}

/**
 * Says on the status page, to `barrow status` and to the service manager why the kit cannot start, until the signal
 * fires. Where the address is taken or refused there is no page: the log and the service manager still say it.
 */
export async function holdUnready(host: Host, unready: Unready, signal: AbortSignal): Promise<void> {
  const { clock, service } = host;
  const log = new LogRing(host.log, clock);
  for (const { code, sentence } of unready.reasons) log.warn('not-ready', { code, detail: sentence });
  const startedMs = clock.wallMs();
  const startedMono = clock.monoMs();
  const status = (): AgentStatus => unreadyStatus(host, unready, { startedMs, startedMono });
  const closing = new AbortController();
  const page = await openPage(host, unready.sound, { status, log }, closing.signal);
  service.ready();
  service.status(`Not ready: ${unready.reasons[0]?.sentence ?? ''}`);
  while (!signal.aborted) {
    service.pet();
    await clock.sleep(PET_MS, signal).catch(() => undefined);
  }
  closing.abort(signal.reason);
  await page?.[Symbol.asyncDispose]();
}

/** Beyond loopback only where a sound `api` part with a readable token says so. */
async function openPage(
  host: Host,
  { api = {} }: SoundSections,
  { status, log }: { readonly status: () => AgentStatus; readonly log: LogRing },
  signal: AbortSignal,
): Promise<AsyncDisposable | null> {
  const pages = await host.pages?.();
  const parts = {
    http: host.http.bind(host),
    status,
    logs: (limit: number) => log.lines(limit),
    clock: host.clock,
    log,
  };
  const wanted = api.listen ?? DEFAULT_LISTEN;
  let token: Uint8Array | null = null;
  try {
    // Kept for the second address too: who set one asks for it everywhere.
    if (api.token !== undefined) token = await host.secret(api.token);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    log.warn('page-without-token', { code: error.code, detail: error.message });
  }
  for (const listen of [wanted, `127.0.0.1:${splitListen(wanted).port}`])
    try {
      return await startUnready({ ...parts, listen, token, ...(pages === undefined ? {} : { pages }) }, signal);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      log.warn('page-missing', { listen, code: error.code, detail: error.message });
    }
  return null;
}

function unreadyStatus(
  host: Host,
  { reasons, sound: { kit = {}, ledger = {} } }: Unready,
  started: { readonly startedMs: number; readonly startedMono: number },
): AgentStatus {
  const { clock } = host;
  return {
    kit: {
      id: kit.id ?? 'This kit',
      node: kit.node ?? null,
      group: kit.group ?? null,
      // ISO 4217: no currency.
      currency: kit.currency ?? 'XXX',
      timezone: kit.timezone ?? 'UTC',
    },
    version: host.version,
    startedAt: new Date(started.startedMs).toISOString(),
    now: new Date(clock.wallMs()).toISOString(),
    uptimeS: Math.floor((clock.monoMs() - started.startedMono) / 1_000),
    ready: false,
    reasons,
    clock: { trust: clock.trust(), bootId: clock.bootId },
    ledger: {
      epoch: '',
      streams: [],
      bytes: 0,
      maxBytes: ledger.maxBytes ?? 0,
      accepting: false,
      oldestPendingS: null,
    },
    uplink: UPLINK_OFF,
    drivers: [],
    rules: null,
    machine: host.machine(),
  };
}
