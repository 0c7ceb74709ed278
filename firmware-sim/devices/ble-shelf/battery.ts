import type { Clock } from '../../../drivers/api/clock.ts';

/** A coin cell that runs down with time and with every transmission, and is flat at nought. */
export interface Battery {
  readonly percent: number;
  readonly flat: boolean;
  spend(transmissions: number): void;
  replace(): void;
}

export interface BatteryOptions {
  readonly clock: Clock;
  readonly percent?: number;
  /** Transmissions that a full cell gives. */
  readonly transmissions?: number;
  /** What a full cell loses by lying there. */
  readonly shelfLifeMs?: number;
}

const FULL_TRANSMISSIONS = 20_000_000;
const SHELF_LIFE_MS = 5 * 365 * 86_400_000;

export function battery(options: BatteryOptions): Battery {
  const { clock, transmissions = FULL_TRANSMISSIONS, shelfLifeMs = SHELF_LIFE_MS } = options;
  let percent = options.percent ?? 100;
  let countedMono = clock.monoMs();
  const age = (): void => {
    percent = Math.max(0, percent - ((clock.monoMs() - countedMono) / shelfLifeMs) * 100);
    countedMono = clock.monoMs();
  };
  return {
    get percent() {
      age();
      return percent;
    },
    get flat() {
      age();
      return percent <= 0;
    },
    spend: (count) => {
      age();
      percent = Math.max(0, percent - (count / transmissions) * 100);
    },
    replace: () => {
      percent = 100;
      countedMono = clock.monoMs();
    },
  };
}
