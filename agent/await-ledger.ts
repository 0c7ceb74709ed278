import { AgentError } from '../drivers/api/agent-error.ts';
import { createAgentView } from './agent-view.ts';
import { brokerOptions } from './broker-options.ts';
import { startApi } from './api/start-api.ts';
import type { KitConfig } from './config/read-config.ts';
import { BackOff } from './core/back-off.ts';
import { Closing } from './core/closing.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import { driverIo } from './driver-io.ts';
import { errorLookup } from './error-table.ts';
import { healthOf } from './health.ts';
import { HEARTBEAT_MS } from './heartbeat.ts';
import { absentLedger } from './ledger/absent-ledger.ts';
import { LiveFeed } from './live-feed.ts';
import { LogRing } from './log-ring.ts';
import { UPLINK_OFF } from './start-uplink.ts';
import { Supervisor } from './supervisor/supervise.ts';
import { makeSupport } from './support/make-support.ts';
import { createPaymentDesk } from './till/payment-desk.ts';
import { createPaymentJournal } from './till/payment-journal.ts';
import { createTill } from './till/till.ts';
import { sayUnopened } from './uplink/say-unopened.ts';
import { waitingRoom, type WaitingRoom } from './waiting-room.ts';

/** First and longest wait between two tries to open the ledger. */
export const REOPEN: { readonly firstMs: number; readonly maxMs: number; readonly stableMs: number } = {
  firstMs: 1_000,
  maxMs: 5_000,
  stableMs: 0,
};

/** Failures of the disk that may pass. A ledger that another process or a newer release holds is an operator's matter. */
const MAY_PASS: ReadonlySet<string> = new Set(['ledger-full', 'ledger-readonly', 'ledger-io']);

/**
 * Opens the ledger. While the disk does not let it, the kit runs without one: devices are read and their events wait,
 * the local API answers and says why, sales are refused, and the ledger is tried again until it opens.
 * `failed` is what the disk refused to an agent that had its ledger already: then it is not tried at once.
 * Resolves with `null` when the signal fires first. Throws `ledger-locked`, `ledger-newer` and whatever is a bug.
 */
export async function awaitLedger(
  host: Host,
  config: KitConfig,
  failed: AgentError | null,
  signal: AbortSignal,
): Promise<Ledger | null> {
  const open = (): Ledger =>
    host.openLedger({
      stateDir: config.state,
      maxBytes: config.ledger.maxBytes,
      retainAckedMs: config.ledger.retainAcked,
    });
  let refused: AgentError;
  try {
    if (failed !== null) throw failed;
    return open();
  } catch (error) {
    if (!mayPass(error)) throw error;
    refused = error;
  }
  const room = waitingRoom(refused);
  while (!signal.aborted) {
    host.log.error('ledger-unopened', { code: refused.code, detail: refused.message });
    host.service.status(`degraded: ${refused.code}`);
    const ledger = await runWithout(() => enter(open, room, host), room, { host, config, signal });
    if (ledger === null) {
      lastTry(open, room, host);
      return null;
    }
    try {
      room.moveInto(ledger);
      host.service.status('running');
      return ledger;
    } catch (error) {
      ledger[Symbol.dispose]();
      if (!mayPass(error)) throw error;
      refused = error;
      room.refuse(error);
    }
  }
  return null;
}

/**
 * Opens the ledger and brings in what waits at once: until the rooms are closed, which may take as long as a goodbye to a
 * slow broker, the power can fail. Throws the ledger's errors; then everything still waits.
 */
function enter(open: () => Ledger, room: WaitingRoom, host: Host): Ledger {
  const ledger = open();
  try {
    const moved = room.moveInto(ledger);
    host.log.info('ledger-opened', { moved: moved.length });
    return ledger;
  } catch (error) {
    ledger[Symbol.dispose]();
    throw error;
  }
}

/** A stop while events wait: the disk may have come back since the last try. */
function lastTry(open: () => Ledger, room: WaitingRoom, host: Host): void {
  try {
    using ledger = open();
    room.moveInto(ledger);
  } catch (error) {
    if (!mayPass(error)) throw error;
    host.log.error('ledger-unopened', { code: error.code, lost: room.health().waitingRows });
  }
}

async function runWithout(
  open: () => Ledger,
  room: WaitingRoom,
  { host, config, signal }: { readonly host: Host; readonly config: KitConfig; readonly signal: AbortSignal },
): Promise<Ledger | null> {
  const closing = new Closing();
  try {
    await openRooms(host, config, room, closing);
    host.service.ready();
    return await tryUntilOpen(open, room, { host, signal });
  } finally {
    // Devices and the API's address are given back first: the whole agent takes them over.
    await closing.close();
  }
}

/** The watchdog is petted meanwhile: a restart mends no disk. */
async function tryUntilOpen(
  open: () => Ledger,
  room: WaitingRoom,
  { host, signal }: { readonly host: Host; readonly signal: AbortSignal },
): Promise<Ledger | null> {
  const { clock, chance, log, service } = host;
  const backOff = new BackOff(REOPEN, chance);
  let dueMono = clock.monoMs() + backOff.nextMs(0);
  let said = room.refusal().code;
  while (!signal.aborted) {
    service.pet();
    try {
      await clock.sleep(HEARTBEAT_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return null;
    }
    if (clock.monoMs() < dueMono) continue;
    try {
      return open();
    } catch (error) {
      if (!mayPass(error)) throw error;
      room.refuse(error);
      if (said !== error.code) log.error('ledger-unopened', { code: error.code, detail: error.message });
      said = error.code;
      dueMono = clock.monoMs() + backOff.nextMs(0);
    }
  }
  return null;
}

/**
 * Devices and the local API, on a ledger that refuses. Prices and the streams are not among them: without the ledger's
 * state both would start a false history. The broker is told what the matter is.
 */
async function openRooms(host: Host, config: KitConfig, room: WaitingRoom, closing: Closing): Promise<void> {
  const { clock, chance } = host;
  const { kit } = config;
  const stop = new AbortController();
  const log = new LogRing(host.log, clock);
  const commit = room.commit;
  const ledger = absentLedger(config.ledger.maxBytes, () => room.refusal());
  const supervisor: Supervisor = new Supervisor({
    clock,
    chance,
    log,
    io: (entry) =>
      driverIo(entry.id, {
        host,
        log,
        kit,
        ledger,
        payments: createPaymentJournal({ driverId: entry.id, ledger, commit, clock }),
      }),
    put: (event, owner, saves) => (event === null ? room.save(owner, saves ?? {}) : room.put(event, owner, saves)),
  });
  for (const entry of config.drivers) supervisor.start(entry);
  closing.defer(() => supervisor.stopAll());
  const errorEntry = errorLookup(config.drivers.map(({ driver }) => driver));
  const view = createAgentView({
    host,
    config: () => config,
    ledger,
    intake: room,
    feed: new LiveFeed(),
    logs: log,
    supervisor,
    pricing: () => null,
    uplink: () => ({ ...UPLINK_OFF, url: config.broker?.url ?? null }),
    errorEntry,
    reload: () => Promise.reject(room.refusal()),
    signal: stop.signal,
  });
  const api = await startApi(
    {
      http: host.http.bind(host),
      listen: config.api.listen,
      token: config.api.token === undefined ? null : await host.secret(config.api.token),
      view,
      pricing: null,
      desk: createPaymentDesk({ terminals: () => supervisor.terminals(), ledger, commit, clock, chance, kit, log }),
      till: createTill({ commit, clock, kit, pricing: null }),
      commit,
      ledger,
      kit,
      clock,
      log,
      version: host.version,
      supportBundle: makeSupport({ host, config: () => config, view, errorEntry }),
      ...(host.pages === undefined ? {} : { pages: await host.pages() }),
    },
    stop.signal,
  );
  closing.defer(async () => {
    stop.abort(new Error('the ledger opened'));
    await api[Symbol.asyncDispose]();
  });
  const { broker } = config;
  if (broker === undefined) return;
  const said = new AbortController();
  const saying = sayUnopened(
    {
      kit,
      dial: (will, signal) => host.broker({ ...brokerOptions(broker, kit.id), will }, signal),
      clock,
      chance,
      log,
      code: () => room.refusal().code,
      health: () => healthOf(view),
    },
    said.signal,
  );
  closing.defer(async () => {
    said.abort(new Error('the ledger opened'));
    await saying;
  });
}

/** A disk that may take it later. */
export function mayPass(error: unknown): error is AgentError {
  return error instanceof AgentError && MAY_PASS.has(error.code);
}
