import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { Chance, Clock } from '../../../drivers/api/clock.ts';
import type { DriverIo, DriverSession, Log } from '../../../drivers/api/driver.ts';
import type { PaymentTerminal } from '../../../drivers/api/payment.ts';
import type { JsonObject, Reading } from '../../../drivers/api/reading.ts';
import type { ByteLink } from '../../../drivers/api/transports.ts';
import { driver } from '../../../drivers/zvt-terminal/index.ts';
import type { StoredEvent } from '../../../agent/core/event.ts';
import type { Ledger, LedgerTx } from '../../../agent/core/ledger.ts';
import type { PaymentDesk } from '../../../agent/core/till.ts';
import { createPaymentDesk } from '../../../agent/till/payment-desk.ts';
import { createPaymentJournal } from '../../../agent/till/payment-journal.ts';
import type { Commit } from '../../../agent/till/payment-row.ts';

/** One process of the agent, as far as payments go: the driver, its journal and the desk. */
export interface Till {
  readonly desk: PaymentDesk;
  readonly terminal: PaymentTerminal;
  readonly readings: readonly Reading[];
  /** Every log line as JSON. */
  readonly logged: readonly string[];
  /** Ends the process from one instruction to the next: from now on it can write nothing. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export interface TillParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly chance: Chance;
  /** The driver's part of kit.yaml. */
  readonly config: JsonObject;
  readonly serial?: DriverIo['serial'];
  readonly tcp?: DriverIo['tcp'];
  readonly currency?: string;
  /** True while the disk takes nothing. */
  readonly diskFull?: () => boolean;
  /** Every event as it is stored. */
  readonly stored?: (event: StoredEvent) => void;
  /** Awaited nowhere: bytes that the till sends, for measuring. */
  readonly sent?: (bytes: Uint8Array) => void;
}

const full = { sentence: 'The disk is full', hint: 'Make room' };
const crashed = { sentence: 'This process has ended', hint: 'Start it again' };

/** Starts the payment side of an agent over a ledger that outlives it. */
export async function startTill(parts: TillParts): Promise<Till> {
  const { ledger, clock, chance } = parts;
  const readings: Reading[] = [];
  const logged: string[] = [];
  const stop = new AbortController();
  let alive = true;
  const living = (): void => {
    if (!alive) throw new AgentError('ledger-crashed', crashed);
  };
  const commit: Commit = (work) => {
    living();
    if (parts.diskFull?.() === true) throw new AgentError('ledger-full', full);
    const stored: StoredEvent[] = [];
    const result = ledger.transaction((tx) => work(watch(tx, stored)));
    for (const event of stored) parts.stored?.(event);
    return result;
  };
  const log = (level: string) => (event: string, fields?: JsonObject) =>
    void logged.push(JSON.stringify({ level, event, ...fields }));
  const logger: Log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const absent = (): Promise<never> => Promise.reject(new AgentError('port-missing', crashed));
  const io: DriverIo = {
    driverId: 'terminal',
    kit: { id: 'popup-sim', currency: parts.currency ?? 'EUR' },
    clock,
    chance,
    log: logger,
    serial: async (options, signal) => listened(await (parts.serial ?? absent)(options, signal), parts, () => alive),
    tcp: async (options, signal) => listened(await (parts.tcp ?? absent)(options, signal), parts, () => alive),
    radio: absent,
    camera: absent,
    secret: () => Promise.resolve(new TextEncoder().encode('123456')),
    saved: () => undefined,
    payments: createPaymentJournal({ driverId: 'terminal', ledger, commit, clock }),
  };
  const session: DriverSession = await driver.open(driver.config.parse(parts.config), io, stop.signal);
  const { terminal } = session;
  if (terminal === undefined) throw new TypeError('the driver offers no terminal');
  const reading = (async () => {
    for await (const next of session.readings(stop.signal)) readings.push(next);
  })();
  const desk = createPaymentDesk({
    terminals: () => (alive ? new Map([['terminal', terminal]]) : new Map<string, PaymentTerminal>()),
    ledger,
    commit,
    clock,
    chance,
    kit: { currency: parts.currency ?? 'EUR' },
    log: logger,
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await session[Symbol.asyncDispose]();
    await reading;
  };
  return {
    desk,
    terminal,
    readings,
    logged,
    crash: () => {
      alive = false;
      return end();
    },
    stop: end,
  };
}

function watch(tx: LedgerTx, stored: StoredEvent[]): LedgerTx {
  return {
    ...tx,
    append(event) {
      const kept = tx.append(event);
      stored.push(kept);
      return kept;
    },
    save: (owner, key, value) => tx.save(owner, key, value),
    saved: (owner, key) => tx.saved(owner, key),
    declareLoss: (stream, loss) => tx.declareLoss(stream, loss),
    tables: tx.tables,
  };
}

/** A link whose writes are heard, and that a dead process cannot write to. */
function listened(link: ByteLink, parts: TillParts, alive: () => boolean): ByteLink {
  return {
    get droppedBytes() {
      return link.droppedBytes;
    },
    chunks: (signal) => link.chunks(signal),
    write: async (bytes, signal) => {
      if (!alive()) throw new AgentError('port-lost', crashed);
      parts.sent?.(bytes);
      await link.write(bytes, signal);
    },
    close: () => link.close(),
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}
