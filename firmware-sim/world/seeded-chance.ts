import type { Chance } from '../../drivers/api/clock.ts';

/** Chance from a seed: sfc32 behind a hash of the seed's text, so that parts of the world draw from streams of their own. */
export interface SeededChance extends Chance {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** True with this probability. */
  hit(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}

export function seededChance(seed: string): SeededChance {
  let [a, b, c, d] = scramble(seed);
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let warm = 0; warm < 12; warm += 1) next();
  const float = (): number => next() / 4_294_967_296;
  return {
    float,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    int: (min, max) => min + Math.floor(float() * (max - min + 1)),
    hit: (probability) => float() < probability,
    pick<T>(from: readonly T[]): T {
      const value = from[Math.floor(float() * from.length)];
      if (value === undefined) throw new TypeError('nothing to pick from');
      return value;
    },
  };
}

/** FNV-1a, four times from different starts. */
function scramble(text: string): [number, number, number, number] {
  const hash = (start: number): number => {
    let value = start | 0;
    for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 16_777_619);
    return value | 0;
  };
  return [hash(2_166_136_261), hash(0x9e37_79b9), hash(0x85eb_ca6b), hash(0xc2b2_ae35)];
}
