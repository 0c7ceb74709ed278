import { randomBytes } from 'node:crypto';
import { apiHandler, startApi } from '../../agent/api/start-api.ts';
import type { Api, ApiParts } from '../../agent/api/api-parts.ts';
import { createGuard } from '../../agent/api/guard.ts';
import { STATUS_EXAMPLE } from '../../agent/api/routes/status-example.ts';
import { type CloudEvent, type StoredEvent, toCloudEvent } from '../../agent/core/event.ts';
import type { ApiRequest, ApiResponse, KitClock } from '../../agent/core/host.ts';
import type { LedgerTx } from '../../agent/core/ledger.ts';
import type { AgentStatus, AgentView } from '../../agent/core/status.ts';
import { readPages } from '../../agent/host/http/read-pages.ts';
import { serveHttp } from '../../agent/host/http/serve.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import type { SqliteLedger } from '../../agent/ledger/sqlite-ledger.ts';
import { LiveFeed } from '../../agent/live-feed.ts';
import { createTill, type Till } from '../../agent/till/till.ts';
import { supervisorErrors } from '../../agent/supervisor/errors.ts';
import { failures } from '../../drivers/api/agent-error.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import { WakingClock } from './waking-clock.ts';
import { SCRIPTED_PRICES, scriptedPricing } from './scripted-pricing.ts';
import { ScriptedDesk } from './scripted-desk.ts';

const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
function nothing(): void {
  // Tests look at what is answered, not at what is logged.
}

const supervisorFailure = failures(supervisorErrors);

export interface ScriptedKit {
  readonly clock: WakingClock;
  readonly feed: LiveFeed;
  readonly desk: ScriptedDesk;
  readonly parts: ApiParts;
  readonly ledger: SqliteLedger;
  readonly till: Till;
  /** What `GET /v1/status` answers; replaced to play another state. */
  status: AgentStatus;
  logs: JsonObject[];
  readonly restarted: string[];
  readonly identified: (string | null)[];
  /** An event as if a driver had seen something. */
  event(stream: Stream, type: string, data: JsonObject): CloudEvent;
  /** One request straight to the handler. */
  call(request: Partial<ApiRequest> & { readonly path: string }): Promise<ApiResponse>;
  /** The ledger as a restart finds it; the handler is a new one. */
  restart(): void;
}

/** A kit without devices: a real till on a real ledger in memory, everything else scripted. */
export function scriptedKit(
  options: {
    readonly listen?: string;
    readonly token?: string | null;
    readonly parts?: Partial<ApiParts>;
    readonly clock?: KitClock;
  } = {},
): ScriptedKit {
  const hand = new WakingClock();
  const clock = options.clock ?? hand;
  const feed = new LiveFeed();
  const desk = new ScriptedDesk();
  const kitFacts = { id: 'popup-014', currency: 'GBP', timezone: 'Europe/London' };
  const open = (image: Uint8Array | null): SqliteLedger =>
    openLedger({
      store: { image },
      maxBytes: 64 * 1024 * 1024,
      retainAckedMs: 3_600_000,
      clock,
      chance: { float: () => 0.5, bytes: (length) => new Uint8Array(randomBytes(length)) },
      log: quietLog,
    });
  let ledger = open(null);
  const commit = <T>(work: (tx: LedgerTx) => T): T => {
    const stored: StoredEvent[] = [];
    const result = ledger.transaction((tx) =>
      work({
        ...txOf(tx),
        append: (event) => {
          const one = tx.append(event);
          stored.push(one);
          return one;
        },
      }),
    );
    feed.push(stored.map((event) => toCloudEvent(event, kitFacts)));
    return result;
  };
  desk.changed = ({ intentId, deviceId, outcome }) =>
    commit((tx) =>
      tx.tables.payments.put({
        intentId,
        driverId: deviceId,
        step: outcome === 'pending' ? 'sent' : 'done',
        outcome,
        body: {},
      }),
    );
  const pricing = scriptedPricing([...SCRIPTED_PRICES]);
  const till = createTill({ commit, clock, kit: kitFacts, pricing });
  const restarted: string[] = [];
  const identified: (string | null)[] = [];
  const view: AgentView = {
    status: () => kit.status,
    live: (signal) => feed.live(signal),
    recent: (limit) => feed.recent(limit),
    logs: (limit) => kit.logs.slice(-limit),
    restartDriver: (driverId) => {
      if (!kit.status.drivers.some((driver) => driver.id === driverId))
        throw supervisorFailure('driver-unknown', { detail: driverId });
      restarted.push(driverId);
      return Promise.resolve();
    },
    identify: (driverId) => {
      identified.push(driverId);
      return Promise.resolve();
    },
    reload: () => Promise.resolve({ restarted: [] }),
  };
  const listen = options.listen ?? '127.0.0.1:0';
  const token = options.token === undefined || options.token === null ? null : Buffer.from(options.token);
  const parts: ApiParts = {
    http: serveHttp,
    listen,
    token,
    view,
    pricing,
    desk,
    till,
    commit,
    ledger: {
      get epoch() {
        return ledger.epoch;
      },
      range: (...args) => ledger.range(...args),
      transaction: (work) => ledger.transaction(work),
      manifest: (stream) => ledger.manifest(stream),
    },
    kit: kitFacts,
    clock,
    log: quietLog,
    version: '0.1.0',
    ...options.parts,
  };
  const makeHandler = (): ((request: ApiRequest) => Promise<ApiResponse>) =>
    apiHandler(
      parts,
      createGuard({ listen: listen.replace(/:0$/, ':8080'), token, kitId: kitFacts.id, clock }),
      new AbortController().signal,
    );
  let handler: ReturnType<typeof makeHandler> | null = null;
  const kit: ScriptedKit = {
    clock: hand,
    feed,
    desk,
    parts,
    get ledger() {
      return ledger;
    },
    till,
    status: STATUS_EXAMPLE,
    logs: [],
    restarted,
    identified,
    event: (stream, type, data) => {
      const stored = commit((tx) => tx.append({ type, stream, subject: 'test', atMono: clock.monoMs(), data }));
      return toCloudEvent(stored, kitFacts);
    },
    call: (request) => {
      handler ??= makeHandler();
      return handler({
        method: 'GET',
        query: new URLSearchParams(),
        body: new Uint8Array(),
        loopback: true,
        peer: '127.0.0.1',
        ...request,
        headers: { host: '127.0.0.1:8080', ...request.headers },
      });
    },
    restart: () => {
      ledger = open(ledger.image());
      handler = makeHandler();
    },
  };
  return kit;
}

function txOf(tx: LedgerTx): Omit<LedgerTx, 'append'> {
  return {
    declareLoss: (...args) => tx.declareLoss(...args),
    save: (...args) => tx.save(...args),
    saved: (...args) => tx.saved(...args),
    tables: tx.tables,
  };
}

/** The kit behind a real server with the real pages. */
export async function servedKit(kit: ScriptedKit, signal: AbortSignal): Promise<Api> {
  return startApi({ ...kit.parts, pages: await readPages() }, signal);
}
