import type { StoredEvent } from '../../../agent/core/event.ts';
import type { PaymentView } from '../../../agent/core/till.ts';
import { openLedger } from '../../../agent/ledger/open-ledger.ts';
import type { Chance } from '../../../drivers/api/clock.ts';
import type { Ledger } from '../../../agent/core/ledger.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { MemoryPort } from './memory-port.ts';
import { VirtualTerminal, type Step, type VirtualTerminalOptions } from './terminal.ts';
import { startTill, type Till } from './till-rig.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Writes of the till that are kept to be looked at. */
const KEPT_WRITES = 1_000;

const silent = (): void => undefined;

export interface PaymentShopOptions {
  /** As in {@link VirtualClock}. */
  readonly quiet: () => Promise<void>;
  readonly chance: Chance;
  readonly config?: JsonObject;
  readonly terminal?: Omit<VirtualTerminalOptions, 'clock' | 'onStep' | 'onHeard'>;
}

/** A till, a terminal and a line between them in simulated time, over the real ledger's SQL in memory. */
export class PaymentShop {
  readonly clock: VirtualClock;
  readonly port: MemoryPort = new MemoryPort();
  readonly events: StoredEvent[] = [];
  /** What the till sent over all its connections. */
  readonly sent: Uint8Array[] = [];
  readonly ledger: Ledger;
  readonly terminal: VirtualTerminal;
  /** What tests do at a step of a payment. */
  onStep: (step: Step) => Promise<void> = () => Promise.resolve();
  /** What tests do at the moment in which an event is on disk. */
  onStored: (event: StoredEvent) => void = silent;
  /** What tests do when the terminal has a block of the till and has not acknowledged it. */
  onHeard: (apdu: Uint8Array) => void = silent;
  /** What tests do just before the till writes to the line. */
  onSent: (bytes: Uint8Array) => void = silent;
  /** True while the till's disk takes nothing. */
  diskFull = false;
  readonly #options: PaymentShopOptions;
  #plugged = new AbortController();
  #till: Till | null = null;

  constructor(options: PaymentShopOptions) {
    this.#options = options;
    this.clock = new VirtualClock(options.quiet);
    this.terminal = new VirtualTerminal({
      ...options.terminal,
      clock: this.clock,
      onStep: (step) => this.onStep(step),
      onHeard: (apdu) => this.onHeard(apdu),
    });
    this.ledger = openLedger({
      store: { image: null },
      maxBytes: 256 * 1024 * 1024,
      retainAckedMs: 3_600_000,
      clock: Object.assign(this.clock, { bootId: 'boot', trust: () => 'synced' as const }),
      chance: options.chance,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    });
  }

  get till(): Till {
    if (this.#till === null) throw new TypeError('the till is not started');
    return this.#till;
  }

  plug(): void {
    this.#plugged = new AbortController();
    this.serving = this.terminal.serve(this.port.plug(), 'serial', this.#plugged.signal);
  }

  /** Ends when the plug is pulled; rejects for a bug of the simulation. */
  serving: Promise<void> = Promise.resolve();

  pull(): void {
    this.port.pull();
  }

  async startTill(): Promise<void> {
    this.#till = await startTill({
      ledger: this.ledger,
      clock: this.clock,
      chance: this.#options.chance,
      config: { port: '/dev/terminal', password: { file: 'zvt.pw' }, ...this.#options.config },
      serial: () => this.port.open(),
      diskFull: () => this.diskFull,
      stored: (event) => {
        this.events.push(event);
        this.onStored(event);
      },
      sent: (bytes) => {
        this.sent.push(bytes);
        if (this.sent.length > KEPT_WRITES) this.sent.shift();
        this.onSent(bytes);
      },
    });
  }

  async restartTill(): Promise<void> {
    await this.till.crash();
    await this.startTill();
  }

  /** True once the terminal takes payments. */
  ready(limitMs = 300_000): Promise<boolean> {
    return this.clock.until(() => this.till.terminal.status === 'ready', limitMs);
  }

  /** The view once its outcome is known, or as it stands after `limitMs`. */
  async settled(intentId: string, limitMs = 600_000): Promise<PaymentView | undefined> {
    const view = (): PaymentView | undefined => this.till.desk.find(intentId);
    await this.clock.until(() => view()?.outcome !== 'pending', limitMs);
    return view();
  }

  async close(): Promise<void> {
    this.#plugged.abort();
    this.pull();
    await this.#till?.stop();
    this.ledger[Symbol.dispose]();
  }
}
