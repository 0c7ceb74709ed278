import { AgentError } from '../drivers/api/agent-error.ts';
import { makeAim } from './aim-camera.ts';
import { createAgentView } from './agent-view.ts';
import { startApi } from './api/start-api.ts';
import type { KitConfig } from './config/read-config.ts';
import { isLoopbackHost, splitListen } from './config/listen.ts';
import { Closing } from './core/closing.ts';
import { trustedFloor } from './clock/watch-clock.ts';
import { toCloudEvent, type StoredEvent } from './core/event.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { AgentView, UplinkStatus } from './core/status.ts';
import { driverIo } from './driver-io.ts';
import { errorLookup } from './error-table.ts';
import { beat } from './heartbeat.ts';
import { createIntake } from './intake.ts';
import { LiveFeed } from './live-feed.ts';
import { LogRing } from './log-ring.ts';
import { openPricing } from './open-pricing.ts';
import { partsForRestart, reloadDrivers } from './reload.ts';
import { noteStart, noteStop } from './lifetime.ts';
import { startUplink, UPLINK_OFF } from './start-uplink.ts';
import { makeSupport } from './support/make-support.ts';
import { Supervisor } from './supervisor/supervise.ts';
import { createPaymentDesk } from './till/payment-desk.ts';
import { createPaymentJournal } from './till/payment-journal.ts';
import { createTill } from './till/till.ts';
import { makePulse } from './uplink/pulse.ts';

/** The agent at work, from its first event to its last. */
export interface Agent extends AsyncDisposable {
  readonly view: AgentView;
  /** Address of the local API. */
  readonly url: string;
  /** Resolves when the signal fires; rejects when a part that must not end has ended. */
  serve(signal: AbortSignal): Promise<void>;
}

/**
 * Opens the rooms in the order in which a reading walks through them, and closes them in reverse. The ledger is the
 * agent's from here on: it is closed with it, and when opening fails.
 */
export async function openAgent(host: Host, config: KitConfig, ledger: Ledger): Promise<Agent> {
  const closing = new Closing();
  closing.use(ledger);
  try {
    return await openRooms({ host, config, ledger }, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function openRooms(
  { host, config, ledger }: { readonly host: Host; readonly config: KitConfig; readonly ledger: Ledger },
  closing: Closing,
): Promise<Agent> {
  const { clock, chance } = host;
  let current = config;
  let pricing: Pricing | null = null;
  let uplink: UplinkStatus = { ...UPLINK_OFF, url: config.broker?.url ?? null };
  const stop = new AbortController();
  const logs = new LogRing(host.log, clock);
  const appended = makePulse();

  const floor = trustedFloor(ledger);
  if (floor !== null) clock.raiseFloor?.(floor);
  const feed = new LiveFeed();
  const stored = (events: readonly StoredEvent[]): void => {
    if (events.length === 0) return;
    supervisor.noteStored(events);
    feed.push(events.map((event) => toCloudEvent(event, current.kit)));
    appended.raise();
  };
  const intake = createIntake({
    ledger,
    clock,
    log: logs,
    observe: (tx, events) => pricing?.observe(tx, events),
    published: stored,
  });
  const intakeStop = new AbortController();
  const running: Promise<void>[] = [];
  const supervisor: Supervisor = new Supervisor({
    clock,
    chance,
    log: logs,
    io: (entry) =>
      driverIo(entry.id, {
        host,
        log: logs,
        kit: config.kit,
        ledger,
        payments: createPaymentJournal({ driverId: entry.id, ledger, commit: intake.commit, clock }),
      }),
    put: (event, owner, saves) => (event === null ? intake.save(owner, saves ?? {}) : intake.put(event, owner, saves)),
  });
  closing.defer(() => pricing?.close());
  const intakeRun = intake.run(intakeStop.signal);
  running.push(intakeRun);
  closing.defer(async () => {
    intakeStop.abort(new Error('stopped'));
    await intakeRun;
  });
  // The uplink is stopped after the last event, so that it still leaves with this connection.
  const uplinkStop = new AbortController();
  let uplinkRun: Promise<void> = Promise.resolve();
  closing.defer(async () => {
    intake.flush();
    uplinkStop.abort(new Error('stopped'));
    await uplinkRun;
  });

  await noteStart({ intake, ledger, host, config });
  closing.defer(() => noteStop({ intake, host }));

  for (const entry of config.drivers) supervisor.start(entry);
  closing.defer(() => supervisor.stopAll());

  pricing = await openPricing({ host, config, ledger, commit: intake.commit, log: logs });
  const desk = createPaymentDesk({
    terminals: () => supervisor.terminals(),
    ledger,
    commit: intake.commit,
    clock,
    chance,
    kit: config.kit,
    log: logs,
  });
  const till = createTill({ commit: intake.commit, clock, kit: config.kit, pricing });

  let reloadFault: AgentError | null = null;
  let restartFor: readonly string[] = [];
  const reload = async (): Promise<{ readonly restarted: readonly string[] }> => {
    if (host.readConfig === undefined) return { restarted: [] };
    const next = await host.readConfig().catch((error: unknown) => {
      reloadFault = error instanceof AgentError ? error : reloadFault;
      throw error;
    });
    reloadFault = null;
    restartFor = partsForRestart(config, next);
    const restarted = await reloadDrivers(supervisor, next.drivers);
    current = { ...current, drivers: next.drivers };
    logs.info('configuration-reloaded', { restarted, ...(restartFor.length > 0 ? { restartFor } : {}) });
    return { restarted };
  };
  const errorEntry = errorLookup(config.drivers.map(({ driver }) => driver));
  const view = createAgentView({
    host,
    config: () => current,
    ledger,
    intake,
    feed,
    logs,
    supervisor,
    pricing: () => pricing,
    uplink: () => uplink,
    errorEntry,
    configFault: () => reloadFault,
    restartFor: () => restartFor,
    reload,
    signal: stop.signal,
  });

  const api = await startApi(
    {
      http: host.http.bind(host),
      listen: config.api.listen,
      token: config.api.token === undefined ? null : await host.secret(config.api.token),
      view,
      pricing,
      desk,
      till,
      commit: intake.commit,
      ledger,
      kit: config.kit,
      clock,
      log: logs,
      version: host.version,
      aim: makeAim({ host, config: () => current, signal: stop.signal }),
      supportBundle: makeSupport({ host, config: () => current, view, errorEntry }),
      ...(host.pages === undefined ? {} : { pages: await host.pages() }),
    },
    stop.signal,
  );
  closing.defer(async () => api[Symbol.asyncDispose]());
  const { host: apiHost } = splitListen(config.api.listen);
  if (config.mdns && host.announce !== undefined && !isLoopbackHost(apiHost)) {
    const page = await host.announce({ kit: config.kit.id, port: Number(new URL(api.url).port) });
    closing.defer(async () => page[Symbol.asyncDispose]());
  }

  if (config.broker !== undefined) {
    uplinkRun = startUplink(
      {
        host,
        broker: config.broker,
        kit: config.kit,
        ledger,
        log: logs,
        view,
        pricing,
        commit: intake.commit,
        appended,
        homeAssistant: config.homeAssistant,
        onStatus: (status) => {
          uplink = status;
        },
      },
      uplinkStop.signal,
    );
    running.push(uplinkRun);
  }
  const heart = beat({ host, log: logs, ledger, intake, stored, pricing: () => pricing }, stop.signal);
  running.push(heart);
  closing.defer(async () => {
    stop.abort(new Error('stopped'));
    await heart;
  });
  host.reloads?.(
    () =>
      void reload().catch((error: unknown) =>
        logs.error('reload-failed', { code: error instanceof AgentError ? error.code : 'bug', detail: String(error) }),
      ),
    stop.signal,
  );

  return {
    view,
    url: api.url,
    serve: async (signal) => {
      const told = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      const ended = Promise.race(running).then(() => {
        if (!signal.aborted) throw new TypeError('a part of the agent that must not end has ended');
      });
      await Promise.race([told, ended]);
    },
    [Symbol.asyncDispose]: () => closing.close(),
  };
}
