/** Characters around the tracks, as MagTek's keyboard and port-powered readers send them ("Track format"). */
export const STX = 0x02;
export const ETX = 0x03;
export const LF = 0x0a;
export const CR = 0x0d;
/** Begins a message of an insertion reader, whose last character is then the card sensor: 0 out, 1 in. */
export const ESC = 0x1b;

/** Start sentinels: track 1 `%`, track 2 `;`, track 3 `+`, or `#` (AAMVA) and `!` (CDL) in its place. */
export const START_SENTINELS: ReadonlyMap<number, 1 | 2 | 3> = new Map([
  [0x25, 1],
  [0x3b, 2],
  [0x2b, 3],
  [0x23, 3],
  [0x21, 3],
]);
export const END_SENTINEL = 0x3f;
/** Field separators: `^` on track 1, `=` on tracks 2 and 3. */
export const SEPARATOR_1 = 0x5e;
export const SEPARATOR_2 = 0x3d;
/** Stands for a track that could not be read. */
export const FAILED_TRACK = 0x45;
/** Format code of a bank card on track 1 (ISO/IEC 7813). */
export const FORMAT_BANK = 0x42;

/** ISO/IEC 7811: characters between the sentinels, both included. */
export const TRACK_MAX: Readonly<Record<1 | 2 | 3, number>> = { 1: 79, 2: 40, 3: 107 };

/** All three tracks with their LRCs, ESC and sensor. */
export const MAX_SWIPE_BYTES: number = 79 + 40 + 107 + 3 + 2;
