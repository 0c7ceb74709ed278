import type { ApiRequest, ApiResponse } from '../../agent/core/host.ts';
import { apiRequest } from './api-request.ts';
import type { Oracle, SaleTruth, ScanTruth } from './oracle.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { SimPort } from './sim-port.ts';
import type { SimRadio } from './sim-radio.ts';
import type { Trace } from './trace.ts';

/** A scan is on disk this long after it was heard, at the latest: the prompt group commit with room to spare. */
const SAFE_AFTER_MS = 1_000;

/** The till tries again after this, with the same key. */
const TILL_RETRY_MS = 2_000;

const GRAMS_PER_UNIT = 180;
const EMPTY_GRAMS = 40;
const SHELF_UNITS = 20;

export const SHELVES: readonly { readonly id: string; readonly address: string }[] = [
  { id: 's1', address: 'A4:C1:38:00:00:01' },
  { id: 's2', address: 'A4:C1:38:00:00:02' },
];

export interface ShopFloorParts {
  readonly scheduler: Scheduler;
  readonly chance: SeededChance;
  readonly oracle: Oracle;
  readonly port: SimPort;
  readonly radio: SimRadio;
  readonly trace: Trace;
  /** The running process's API, `null` while none listens. */
  readonly api: () => ((request: ApiRequest) => Promise<ApiResponse>) | null;
  /** A number that changes when the process dies: what was under way then is not safe. */
  readonly safetyEpoch: () => number;
  /** A number that changes when the disk begins to fail; `null` while it fails or the process has no ledger open. */
  readonly wellSpell: () => number | null;
}

/** People and goods: items are lifted, scanned and paid for, whatever the kit is going through. */
export interface ShopFloor {
  /** Opens the doors until `untilMs`; advertisements go on after. */
  open(untilMs: number): void;
  /** Sales that wait for their answer. */
  waitingSales(): number;
}

export function shopFloor(parts: ShopFloorParts): ShopFloor {
  const { scheduler, chance, oracle, trace } = parts;
  let scans = 0;
  let waiting = 0;
  for (const { id } of SHELVES) oracle.shelves.set(id, SHELF_UNITS);

  const scan = (): void => {
    const text = `item-${String((scans += 1)).padStart(6, '0')}`;
    // Code 128, ended by CR: the AIM identifier is the reader's, the text is this item's alone.
    const heard = parts.port.send(new TextEncoder().encode(`]C0${text}\r`));
    const truth: ScanTruth = { text, atMs: scheduler.nowMs, heard, safe: false };
    oracle.scans.push(truth);
    trace.note('scan', `${text} ${String(heard)}`);
    if (!heard) return;
    const epoch = parts.safetyEpoch();
    // Safe is what one process has had a well disk for, all of that time: a disk that has just come back says nothing yet.
    const settle = (before: number | null): void => {
      if (parts.safetyEpoch() !== epoch) return;
      const spell = parts.wellSpell();
      if (spell !== null && spell === before) truth.safe = true;
      else scheduler.after(SAFE_AFTER_MS, () => settle(spell));
    };
    const spell = parts.wellSpell();
    scheduler.after(SAFE_AFTER_MS, () => settle(spell));
  };

  const sell = (): void => {
    const truth: SaleTruth = { key: `sale-${String(oracle.sales.length + 1).padStart(8, '0')}`, eventId: null };
    oracle.sales.push(truth);
    waiting += 1;
    const body = { eventId: truth.key, lines: [{ sku: 'TEE-BLK-M', qty: chance.int(1, 3), unitMinor: 2500 }] };
    const attempt = (): void => {
      if (truth.eventId !== null) return;
      const api = parts.api();
      scheduler.after(TILL_RETRY_MS, attempt);
      if (api === null) return;
      void api(apiRequest('POST', '/v1/sales', body, truth.key)).then((answer) => {
        trace.note('till', `${truth.key} ${answer.status}`);
        if (answer.status !== 201 || truth.eventId !== null) return;
        if (typeof answer.body !== 'string') throw new TypeError('the till’s answer is JSON text');
        truth.eventId = (JSON.parse(answer.body) as { eventId: string }).eventId;
        waiting -= 1;
      });
    };
    attempt();
  };

  const lift = (): void => {
    const { id } = chance.pick(SHELVES);
    const units = oracle.shelves.get(id) ?? 0;
    const change = units === 0 ? 1 : units >= SHELF_UNITS ? -1 : chance.pick([-1, -1, 1]);
    oracle.shelves.set(id, units + change);
    trace.note('lift', `${id} ${units + change}`);
  };

  const advertise = (): void => {
    for (const { id, address } of SHELVES) {
      const grams = EMPTY_GRAMS + GRAMS_PER_UNIT * (oracle.shelves.get(id) ?? 0);
      parts.radio.say({
        address,
        addressType: 'public',
        rssiDbm: -60,
        connectable: false,
        serviceData: [{ uuid: 'fcd2', data: bthomeMass(grams) }],
        manufacturerData: undefined,
      });
    }
    scheduler.after(1_000, advertise);
  };

  return {
    open(untilMs) {
      const shopper = (): void => {
        if (scheduler.nowMs >= untilMs) return;
        if (chance.hit(0.6)) lift();
        for (let items = chance.int(0, 4); items > 0; items -= 1) scheduler.after(chance.int(0, 4_000), scan);
        if (chance.hit(0.5)) scheduler.after(chance.int(0, 6_000), sell);
        scheduler.after(chance.int(1_000, 20_000), shopper);
      };
      scheduler.after(chance.int(500, 5_000), shopper);
      scheduler.after(300, advertise);
    },
    waitingSales: () => waiting,
  };
}

/** BTHome v2, unencrypted: object 0x06, mass in kg, factor 0.01, little-endian (bthome.io/format). */
function bthomeMass(grams: number): Uint8Array {
  const hundredths = Math.round(grams / 10);
  return Uint8Array.of(0x40, 0x06, hundredths & 0xff, hundredths >> 8);
}
