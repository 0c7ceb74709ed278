import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Chance } from '../../../drivers/api/clock.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { JsonObject, Stream } from '../../../drivers/api/reading.ts';
import { HandClock } from '../../clock/testing/hand-clock.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { LedgerTx } from '../../core/ledger.ts';
import type { Pricing } from '../../core/pricing.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import type { SqliteLedger } from '../../ledger/sqlite-ledger.ts';
import type { AuditHead } from '../audit/audit-log.ts';
import { kitKeyFrom } from '../audit/kit-key.ts';
import type { Bundle } from '../bundle/bundle.ts';
import { canonicalBytes } from '../bundle/canonical.ts';
import { keyIdOf, signPayload, type TrustedKey } from '../bundle/sign.ts';
import { createPricing } from '../runtime.ts';

/** A merchant with a key. */
export interface Merchant {
  readonly privateKey: KeyObject;
  readonly trusted: TrustedKey;
  sign(bundle: Bundle): Uint8Array;
}

export function makeMerchant(): Merchant {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey,
    trusted: { key: publicKey, keyId: keyIdOf(publicKey) },
    sign: (bundle) => new TextEncoder().encode(JSON.stringify(signPayload(canonicalBytes(bundle), privateKey))),
  };
}

/** A kit's prices on a ledger in memory, as the agent runs them. */
export interface TestKit {
  readonly clock: HandClock;
  readonly ledger: SqliteLedger;
  pricing: Pricing;
  readonly heads: AuditHead[];
  /** Whether the head can be kept outside of the ledger. */
  writable: boolean;
  /** One transaction with what the agent does around it. */
  commit<T>(work: (tx: LedgerTx) => T): T;
  put(stream: Stream, type: string, data: JsonObject): void;
  tick(ms?: number): void;
  /** Ends the process and starts it again on the same ledger. */
  restart(kitId?: string): void;
  events(type?: string): readonly StoredEvent[];
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export interface TestKitOptions {
  readonly trust: readonly TrustedKey[];
  readonly now?: string;
  readonly group?: string;
  readonly retainAckedMs?: number;
  readonly counters?: readonly string[];
}

export function makeKit(options: TestKitOptions): TestKit {
  const clock = new HandClock(options.now ?? '2026-11-27T10:00:00Z', 1_000_000);
  let drawn = 0;
  const chance: Chance = {
    float: () => 0.5,
    bytes: (length) => Uint8Array.from({ length }, () => (drawn = (drawn * 31 + 7) % 256)),
  };
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: options.retainAckedMs ?? 72 * 3_600_000,
    clock,
    chance,
    log: silent,
  });
  const heads: AuditHead[] = [];
  const start = (kitId = 'popup-014'): Pricing =>
    createPricing({
      kit: {
        id: kitId,
        group: options.group ?? 'northern',
        currency: 'GBP',
        timezone: 'Europe/London',
        opens: '2026-11-27T09:00:00Z',
        closes: '2026-11-27T18:00:00Z',
      },
      trust: options.trust,
      clock,
      chance,
      log: silent,
      ledger,
      auditKey: kitKeyFrom(new Uint8Array(32).fill(7)),
      retainAckedMs: options.retainAckedMs ?? 72 * 3_600_000,
      version: '0.1.0',
      counters: options.counters ?? ['door'],
      keepHead: (head) => kit.writable && heads.push(head) > 0,
    });
  const kit: TestKit = {
    clock,
    ledger,
    heads,
    writable: true,
    pricing: start(),
    commit: (work) =>
      ledger.transaction((tx) => {
        const stored: StoredEvent[] = [];
        const watched: LedgerTx = {
          ...tx,
          append: (event) => {
            const one = tx.append(event);
            stored.push(one);
            return one;
          },
        };
        const result = work(watched);
        kit.pricing.observe(watched, [...stored]);
        return result;
      }),
    put: (stream, type, data) =>
      void kit.commit((tx) => tx.append({ stream, type, subject: 'test', data, atMono: clock.monoMs() })),
    tick: (ms = 5_000) => {
      clock.pass(ms);
      kit.commit((tx) => kit.pricing.tick(tx));
    },
    restart: (kitId) => {
      kit.pricing = start(kitId);
    },
    events: (type) =>
      ledger
        .range('price', 1, Number.MAX_SAFE_INTEGER, 100_000)
        .filter((event) => type === undefined || event.type === type),
  };
  return kit;
}
