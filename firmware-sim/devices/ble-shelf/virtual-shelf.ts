import type { Chance, Clock } from '../../../drivers/api/clock.ts';
import type { Peripheral } from '../../bluetooth/peripheral.ts';
import { battery, type Battery } from './battery.ts';
import { bthomeAdvert, bthomeObjects } from './encode.ts';
import { loadCell, soundCell, type LoadCellFaults } from './load-cell.ts';

export interface VirtualShelfOptions {
  /** Upper case with colons. */
  readonly address: string;
  readonly unitGrams: number;
  readonly emptyGrams: number;
  /** Articles on it at first. */
  readonly units: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly intervalMs?: number;
  readonly rssiDbm?: number;
  readonly lossRate?: number;
  /** 16 bytes: the board encrypts. */
  readonly key?: Uint8Array;
  /** First replay counter. */
  readonly counter?: number;
  /** What the board reports: the weight, or the count that it keeps itself. */
  readonly reports?: 'mass' | 'count' | 'mass-and-count';
  readonly cell?: Partial<LoadCellFaults>;
  readonly battery?: Battery;
}

/** A shelf board with a load cell that speaks BTHome v2, and the truth about what lies on it. */
export interface VirtualShelf extends Peripheral {
  /** Articles that really lie on it. */
  readonly units: number;
  readonly counter: number;
  put(units: number): void;
  /** Takes at most what is there; returns what was taken. */
  take(units: number): number;
  /** Puts something on it that is no article, or takes it off with 0. */
  foreignLoad(grams: number): void;
  /** The board begins again, its counter too. */
  changeBattery(): void;
}

const DEFAULT_INTERVAL_MS = 1_000;
const DEFAULT_RSSI_DBM = -62;

export function virtualShelf(options: VirtualShelfOptions): VirtualShelf {
  const { clock, chance } = options;
  const cell = loadCell({ ...soundCell, ...options.cell }, clock, chance);
  const cellBattery = options.battery ?? battery({ clock });
  const reports = options.reports ?? 'mass';
  let units = options.units;
  let foreignGrams = 0;
  let counter = options.counter ?? 1;
  let packetId = 0;

  const settle = (): void => cell.load(options.emptyGrams + units * options.unitGrams + foreignGrams);
  settle();

  return {
    address: options.address,
    addressType: 'public',
    kind: 'non-connectable',
    intervalMs: options.intervalMs ?? DEFAULT_INTERVAL_MS,
    rssiDbm: options.rssiDbm ?? DEFAULT_RSSI_DBM,
    ...(options.lossRate === undefined ? {} : { lossRate: options.lossRate }),
    get units() {
      return units;
    },
    get counter() {
      return counter;
    },
    put: (count) => {
      units += count;
      settle();
    },
    take: (count) => {
      const taken = Math.min(units, count);
      units -= taken;
      settle();
      return taken;
    },
    foreignLoad: (grams) => {
      foreignGrams = grams;
      settle();
    },
    changeBattery: () => {
      cellBattery.replace();
      counter = 1;
      packetId = 0;
    },
    advertise: () => {
      if (cellBattery.flat) return undefined;
      cellBattery.spend(1);
      packetId = (packetId + 1) & 0xff;
      counter += 1;
      const objects = bthomeObjects({
        packetId,
        batteryPercent: cellBattery.percent,
        // Boards report what their chip feels, in whole degrees or so; finer steps would only be noise.
        temperatureC: Math.round(cell.temperatureC() * 2) / 2,
        ...(reports === 'count' ? {} : { massGrams: cell.grams() }),
        ...(reports === 'mass' ? {} : { count: units }),
      });
      const { key, address } = options;
      return { data: bthomeAdvert(objects, key === undefined ? undefined : { key, address, counter }) };
    },
  };
}
