import type { MonoMs } from '../../drivers/api/clock.ts';
import type { UplinkStatus } from '../core/status.ts';

const SLOT_MS = 5_000;
const SLOTS = 12;

/** Counts what the status tells of the uplink. */
export class UplinkMeter {
  delivered = 0;
  duplicatesPossible = 0;
  quarantined = 0;
  droppedCommands = 0;
  state: UplinkStatus['state'] = 'connecting';
  protocol: UplinkStatus['protocol'] = null;
  code: string | null = null;
  detail: string | null = null;
  readonly #url: string;
  readonly #slots: { slot: number; rows: number }[] = [];
  readonly #since: number;

  constructor(url: string, now: MonoMs) {
    this.#url = url;
    this.#since = now;
  }

  addDelivered(rows: number, now: MonoMs): void {
    this.delivered += rows;
    const slot = Math.floor(now / SLOT_MS);
    const newest = this.#slots.at(-1);
    if (newest?.slot === slot) newest.rows += rows;
    else this.#slots.push({ slot, rows });
    while (this.#slots.length > SLOTS) this.#slots.shift();
  }

  status(now: MonoMs): UplinkStatus {
    return {
      state: this.state,
      url: this.#url,
      protocol: this.protocol,
      code: this.code,
      detail: this.detail,
      delivered: this.delivered,
      duplicatesPossible: this.duplicatesPossible,
      quarantined: this.quarantined,
      droppedCommands: this.droppedCommands,
      drainPerS: this.#drainPerS(now),
    };
  }

  #drainPerS(now: MonoMs): number | null {
    const overMs = Math.min(SLOTS * SLOT_MS, now - this.#since);
    if (overMs < SLOT_MS) return null;
    const oldest = Math.floor((now - overMs) / SLOT_MS);
    const rows = this.#slots.reduce((sum, slot) => (slot.slot > oldest ? sum + slot.rows : sum), 0);
    return Math.round((rows * 10_000) / overMs) / 10;
  }
}
