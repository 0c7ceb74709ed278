import { randomBytes } from 'node:crypto';
import { apiHandler, startApi } from '../../agent/api/start-api.ts';
import type { Api, ApiParts } from '../../agent/api/api-parts.ts';
import { createGuard } from '../../agent/api/guard.ts';
import { STATUS_EXAMPLE } from '../../agent/api/routes/status-example.ts';
import { toCloudEvent, type CloudEvent, type StoredEvent } from '../../agent/core/event.ts';
import type { ApiRequest, ApiResponse, KitClock } from '../../agent/core/host.ts';
import type { LedgerTx } from '../../agent/core/ledger.ts';
import type { CurrentPrice, Pricing, Quote } from '../../agent/core/pricing.ts';
import type { AgentStatus, AgentView } from '../../agent/core/status.ts';
import type { PaymentDesk, PaymentView } from '../../agent/core/till.ts';
import { readPages } from '../../agent/host/http/read-pages.ts';
import { serveHttp } from '../../agent/host/http/serve.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import type { SqliteLedger } from '../../agent/ledger/sqlite-ledger.ts';
import { LiveFeed } from '../../agent/live-feed.ts';
import { pricingErrors } from '../../agent/pricing/errors.ts';
import { createTill, type Till } from '../../agent/till/till.ts';
import type { Log } from '../../drivers/api/driver.ts';
import { failures } from '../../drivers/api/agent-error.ts';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import { supervisorErrors } from '../../agent/supervisor/errors.ts';

/** A clock that stands still until it is moved. Sleepers wake when it passes them. */
export class HandClock implements KitClock {
  readonly bootId = 'boot-1';
  mono = 1_000;
  wall: number = Date.parse('2026-11-27T10:15:30.123Z');
  known: 'synced' | 'estimated' | 'unset' = 'synced';
  readonly #sleepers = new Set<{ readonly at: number; wake(): void }>();

  monoMs(): MonoMs {
    return this.mono as MonoMs;
  }
  wallMs(): WallMs {
    return this.wall as WallMs;
  }
  trust(): 'synced' | 'estimated' | 'unset' {
    return this.known;
  }
  pass(ms: number): void {
    this.mono += ms;
    this.wall += ms;
    for (const sleeper of this.#sleepers)
      if (sleeper.at <= this.mono) {
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
  }
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        at: this.mono + ms,
        wake: () => {
          signal.removeEventListener('abort', over);
          resolve();
        },
      };
      if (signal.aborted) over();
      else {
        this.#sleepers.add(sleeper);
        signal.addEventListener('abort', over, { once: true });
      }
    });
  }
}

export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
function nothing(): void {
  // Tests look at what is answered, not at what is logged.
}

const priceFailure = failures(pricingErrors);
const supervisorFailure = failures(supervisorErrors);

export const SCRIPTED_PRICES: readonly CurrentPrice[] = [
  scriptedPrice('TEE-BLK-M', '05012345678900', 2499, 3000, true, ['category']),
  scriptedPrice('TEE-WHT-L', '05012345678917', 3000, 3000, false, []),
  scriptedPrice('CAP-RED', '05012345678924', 1500, 1800, false, ['marginFloor', 'maxStep']),
  scriptedPrice('TOTE-NAT', '05012345678931', 1299, 1600, true, []),
];

function scriptedPrice(
  sku: string,
  gtin: string,
  priceMinor: number,
  listMinor: number,
  announce: boolean,
  boundBy: readonly string[],
): CurrentPrice {
  return {
    sku,
    gtin,
    priceMinor,
    listMinor,
    currency: 'GBP',
    discountBp: Math.floor(((listMinor - priceMinor) * 10_000) / listMinor),
    announce,
    priorPriceMinor: announce ? listMinor : null,
    ruleId: priceMinor < listMinor ? 'slow-movers' : null,
    boundBy,
    decision: priceMinor < listMinor ? 'k3f9x2/price/17' : null,
  };
}

/** Prices that stand still, and quotes from them. */
export function scriptedPricing(prices: CurrentPrice[]): Pricing {
  const find = (line: { readonly sku?: string; readonly gtin?: string }): CurrentPrice => {
    const price = prices.find(
      (one) => one.sku === line.sku || (line.gtin !== undefined && one.gtin === line.gtin.padStart(14, '0')),
    );
    if (price === undefined) throw priceFailure('unknown-sku', { detail: line.sku ?? line.gtin ?? '' });
    return price;
  };
  return {
    prices: () => prices,
    price: (sku) => prices.find((one) => one.sku === sku),
    quote: (lines): Quote => {
      const priced = lines.map((line) => {
        const price = find(line);
        return {
          sku: price.sku,
          qty: line.qty,
          listMinor: price.listMinor,
          unitMinor: price.priceMinor,
          lineMinor: price.priceMinor * line.qty,
          discountMinor: (price.listMinor - price.priceMinor) * line.qty,
          couponMinor: line.couponMinor ?? 0,
          announce: price.announce,
          ruleId: price.ruleId,
          decision: price.decision,
          boundBy: price.boundBy,
        };
      });
      return {
        quoteId: randomBytes(8).toString('hex'),
        currency: 'GBP',
        lines: priced,
        totalMinor: priced.reduce((sum, line) => sum + line.lineMinor, 0),
        discountMinor: priced.reduce((sum, line) => sum + line.discountMinor, 0),
        boundBy: [],
      };
    },
    bundle: () => ({
      merchant: 'acme',
      version: 7,
      keyId: 'a1b2c3',
      expires: '2026-12-01T00:00:00Z',
      state: 'in-force',
      rules: 12,
    }),
    observe: nothing,
    tick: nothing,
    offer: () => null,
    override: (_tx, override) => {
      const index = prices.findIndex((price) => price.sku === override.sku);
      const price = find({ sku: override.sku });
      const pinned = 'pin' in override.action ? override.action.pin.priceMinor : price.listMinor;
      const next = { ...price, priceMinor: pinned, boundBy: ['pin'] };
      prices[index] = next;
      return next;
    },
    takeChangedPrices: () => [],
    keepHead: () => undefined,
    close: nothing,
  };
}

/** A terminal whose customer pays when told to. */
export class ScriptedDesk implements PaymentDesk {
  readonly payments: Map<string, PaymentView> = new Map();
  readonly #keys = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  readonly aborted: string[] = [];

  start(request: Parameters<PaymentDesk['start']>[0], key: string | null): PaymentView {
    const known = key === null ? undefined : this.#keys.get(key);
    if (known !== undefined) return this.#must(known);
    const intentId = `intent-${this.payments.size + 1}`;
    const view: PaymentView = {
      intentId,
      deviceId: 'terminal',
      amountMinor: request.amountMinor,
      currency: request.currency,
      outcome: 'pending',
      terminalId: null,
      receiptNo: null,
      trace: null,
      maskedPan: null,
      reason: null,
    };
    this.payments.set(intentId, view);
    this.changed(view);
    if (key !== null) this.#keys.set(key, intentId);
    return view;
  }
  /** Told of every change, as the real desk tells the ledger. */
  changed: (view: PaymentView) => void = nothing;

  conclude(intentId: string, result: Partial<PaymentView>): void {
    const view = { ...this.#must(intentId), ...result };
    this.payments.set(intentId, view);
    this.changed(view);
    for (const wake of this.#waiting) wake();
  }
  find(intentId: string): PaymentView | undefined {
    return this.payments.get(intentId);
  }
  async wait(intentId: string, _waitMs: number, signal: AbortSignal): Promise<PaymentView | undefined> {
    while (this.payments.get(intentId)?.outcome === 'pending' && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    return this.payments.get(intentId);
  }
  resolve(intentId: string, word: Parameters<PaymentDesk['resolve']>[1]): PaymentView {
    this.conclude(intentId, { outcome: word.outcome });
    return this.#must(intentId);
  }
  abort(intentId: string): Promise<void> {
    this.aborted.push(intentId);
    return Promise.resolve();
  }
  #must(intentId: string): PaymentView {
    const view = this.payments.get(intentId);
    if (view === undefined) throw new TypeError(`no payment ${intentId}`);
    return view;
  }
}

export interface ScriptedKit {
  readonly clock: HandClock;
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
  const hand = new HandClock();
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
