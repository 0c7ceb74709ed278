import type { TerminalFaults } from '../devices/zvt-terminal/customer.ts';
import { BLOCK_BYTES, DAMAGE_KINDS, type DamageKind } from './damage.ts';
import type { CutPoint } from './sim-disk.ts';
import type { LinkFaults } from './sim-broker.ts';
import type { SeededChance } from './seeded-chance.ts';

/** One thing that goes wrong, and when. */
export type Fault =
  | { readonly kind: 'kill'; readonly atMs: number; readonly downMs: number }
  | { readonly kind: 'power-cut'; readonly atMs: number; readonly downMs: number; readonly clockKnown: boolean }
  | { readonly kind: 'cut-transaction'; readonly atMs: number; readonly after: number; readonly point: CutPoint }
  | { readonly kind: 'stop'; readonly atMs: number; readonly downMs: number }
  | { readonly kind: 'broker-down'; readonly atMs: number; readonly forMs: number }
  | { readonly kind: 'bad-link'; readonly atMs: number; readonly forMs: number; readonly faults: LinkFaults }
  | { readonly kind: 'slow-link'; readonly atMs: number; readonly forMs: number; readonly latencyMs: number }
  | {
      readonly kind: 'disk-fails';
      readonly atMs: number;
      readonly forMs: number;
      readonly code: 'ledger-full' | 'ledger-io' | 'ledger-readonly';
    }
  | {
      readonly kind: 'file-damaged';
      readonly atMs: number;
      readonly downMs: number;
      readonly how: DamageKind;
      /** Between 0 and 1: where in the file. */
      readonly place: number;
      readonly noise: Uint8Array;
    }
  | { readonly kind: 'clock-jump'; readonly atMs: number; readonly byMs: number }
  | { readonly kind: 'unplug'; readonly atMs: number; readonly forMs: number }
  | { readonly kind: 'unplug-terminal'; readonly atMs: number; readonly forMs: number }
  | {
      readonly kind: 'terminal-errs';
      readonly atMs: number;
      readonly how: keyof TerminalFaults;
      readonly times: number;
    };

const TEN_YEARS_MS = 10 * 365 * 24 * 60 * 60_000;

/** The seed's faults in the order of their time. A few of each kind, some seeds with none of a kind. */
export function faultPlan(chance: SeededChance, lastMs: number): readonly Fault[] {
  const faults: Fault[] = [];
  const some = (most: number, make: (atMs: number) => Fault): void => {
    for (let left = chance.int(0, most); left > 0; left -= 1) faults.push(make(chance.int(1_000, lastMs)));
  };
  some(3, (atMs) => ({ kind: 'kill', atMs, downMs: chance.int(100, 20_000) }));
  some(2, (atMs) => ({ kind: 'power-cut', atMs, downMs: chance.int(2_000, 120_000), clockKnown: chance.hit(0.5) }));
  some(4, (atMs) => ({
    kind: 'cut-transaction',
    atMs,
    after: chance.int(1, 30),
    point: chance.pick(['before-commit', 'after-commit']),
  }));
  some(1, (atMs) => ({ kind: 'stop', atMs, downMs: chance.int(1_000, 60_000) }));
  some(3, (atMs) => ({ kind: 'broker-down', atMs, forMs: chance.int(1_000, 600_000) }));
  some(4, (atMs) => ({ kind: 'bad-link', atMs, forMs: chance.int(5_000, 300_000), faults: linkFaults(chance) }));
  some(2, (atMs) => ({
    kind: 'slow-link',
    atMs,
    forMs: chance.int(5_000, 300_000),
    latencyMs: chance.int(100, 3_000),
  }));
  some(2, (atMs) => ({
    kind: 'disk-fails',
    atMs,
    forMs: chance.int(500, 90_000),
    code: chance.pick(['ledger-full', 'ledger-io', 'ledger-readonly']),
  }));
  some(3, (atMs) => ({
    kind: 'clock-jump',
    atMs,
    byMs: chance.pick([-TEN_YEARS_MS, TEN_YEARS_MS, -3_600_000, 7_000]),
  }));
  some(3, (atMs) => ({ kind: 'unplug', atMs, forMs: chance.int(500, 120_000) }));
  some(2, (atMs) => ({ kind: 'unplug-terminal', atMs, forMs: chance.int(500, 60_000) }));
  some(3, (atMs) => ({
    kind: 'terminal-errs',
    atMs,
    how: chance.pick(['wrongCrc', 'nak', 'busy', 'duplicateStatus', 'unmasked', 'deaf']),
    times: chance.int(1, 3),
  }));
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/**
 * Whether the seed's card loses a block of the ledger, once, while the kit is down. Drawn by itself: the other faults of
 * a seed stay what they are.
 */
export function damagePlan(chance: SeededChance, lastMs: number): readonly Fault[] {
  if (!chance.hit(0.3)) return [];
  return [
    {
      kind: 'file-damaged',
      atMs: chance.int(5_000, lastMs),
      downMs: chance.int(2_000, 60_000),
      how: chance.pick(DAMAGE_KINDS),
      place: chance.float(),
      noise: chance.bytes(BLOCK_BYTES),
    },
  ];
}

function linkFaults(chance: SeededChance): LinkFaults {
  const rate = (): number => (chance.hit(0.5) ? chance.float() * 0.2 : 0);
  return { loseAck: rate(), loseMessage: rate(), duplicate: rate(), lateAck: rate(), refuse: rate() };
}
