import { PAGE_BYTES } from './database.ts';

/**
 * SQLite's write-ahead log, as its file format document gives it: a header of 32 bytes, then frames of 24 bytes and a
 * page. Integers are big-endian; checksums run over all frames from the beginning, in the byte order that the magic's
 * last bit names.
 * @see https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES: number = FRAME_HEADER_BYTES + PAGE_BYTES;
const MAGIC_LITTLE = 0x377f0682;
const MAGIC_BIG = 0x377f0683;
const VERSION = 3007000;
/** First byte of a page that holds keys and pointers of a table, and no rows (fileformat2.html §1.6). */
const TABLE_INTERIOR = 0x05;

interface Frame {
  readonly at: number;
  readonly page: number;
  /** Pages of the database after this commit; 0 where no transaction ends. */
  readonly commitPages: number;
  /** Its checksum follows from the one that the frame before it carries. */
  readonly linked: boolean;
}

type Sum = readonly [number, number];

/**
 * A log that was damaged, written anew so that SQLite reads past the damage; `null` when the log is whole or only torn.
 *
 * A power cut tears at most the last transaction, because each is synced before the next begins. Where two or more
 * transactions that belong together stand behind the first frame that fails, the card has changed what was synced.
 * SQLite takes both for the end of the log: it would forget commits that were told, and give their sequences again.
 * A page that fails is left as it was before, for its bytes might still read as a row, of another amount: what came with
 * it is missing and can be named. Pages that only lead to rows are taken as they are, or all behind them would be lost;
 * but never the first, by which everything is found.
 */
export function resealedLog(log: Uint8Array): Uint8Array | null {
  if (log.length < HEADER_BYTES + FRAME_BYTES) return null;
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const count = Math.floor((log.length - HEADER_BYTES) / FRAME_BYTES);
  const headed = headerSum(view);
  // What a lost header said of its generation, the first frame says too.
  const salts: Sum = headed === null ? saltsAt(view, HEADER_BYTES + 8) : saltsAt(view, 16);
  const little = headed === null || view.getUint32(0) === MAGIC_LITTLE;
  const frames = readFrames(view, { count, salts, little, first: headed });
  const firstBad = headed === null ? 0 : frames.findIndex(({ linked }) => !linked);
  if (firstBad < 0) return null;
  const behind = frames.slice(firstBad);
  const lastCommit = behind.findLastIndex(({ linked, commitPages }) => linked && commitPages > 0);
  // The failing frame itself may end a transaction: its header is believed where its successor follows from it.
  const commits = behind.filter(
    ({ linked, commitPages }, index) => commitPages > 0 && (linked || behind[index + 1]?.linked === true),
  );
  if (commits.length < 2 || lastCommit < 0) return null;
  return seal(log, frames.slice(0, firstBad + lastCommit + 1), salts);
}

/** The header's checksum, `null` when it does not hold. */
function headerSum(view: DataView): Sum | null {
  const magic = view.getUint32(0);
  if ((magic !== MAGIC_LITTLE && magic !== MAGIC_BIG) || view.getUint32(8) !== PAGE_BYTES) return null;
  const sum = added([0, 0], view, { from: 0, to: 24, little: magic === MAGIC_LITTLE });
  return sum[0] === view.getUint32(24) && sum[1] === view.getUint32(28) ? sum : null;
}

function saltsAt(view: DataView, at: number): Sum {
  return [view.getUint32(at), view.getUint32(at + 4)];
}

/** Frames of the log's present generation up to the first one of an older. A frame that fails is kept in its place. */
function readFrames(
  view: DataView,
  {
    count,
    salts,
    little,
    first,
  }: { readonly count: number; readonly salts: Sum; readonly little: boolean; readonly first: Sum | null },
): readonly Frame[] {
  const frames: Frame[] = [];
  let before: Sum | null = first;
  for (let index = 0; index < count; index += 1) {
    const at = HEADER_BYTES + index * FRAME_BYTES;
    const stored = saltsAt(view, at + 16);
    const ours = saltsAt(view, at + 8);
    let linked = false;
    if (before !== null && ours[0] === salts[0] && ours[1] === salts[1]) {
      const sum = frameSum(before, view, { at, little });
      linked = sum[0] === stored[0] && sum[1] === stored[1];
    }
    frames.push({ at, page: view.getUint32(at), commitPages: view.getUint32(at + 4), linked });
    before = stored;
  }
  return frames;
}

function frameSum(before: Sum, view: DataView, { at, little }: { readonly at: number; readonly little: boolean }): Sum {
  const sum = added(before, view, { from: at, to: at + 8, little });
  return added(sum, view, { from: at + FRAME_HEADER_BYTES, to: at + FRAME_BYTES, little });
}

/** Frames one after another with checksums that hold. */
function seal(log: Uint8Array, frames: readonly Frame[], salts: Sum): Uint8Array {
  const pages = Math.max(...frames.filter(({ linked }) => linked).map(({ commitPages }) => commitPages));
  const leads = ({ at, page }: Frame): boolean =>
    page > 1 && page <= pages && log[at + FRAME_HEADER_BYTES] === TABLE_INTERIOR;
  const kept = frames.filter((frame) => frame.linked || leads(frame));
  const sealed = new Uint8Array(HEADER_BYTES + kept.length * FRAME_BYTES);
  const view = new DataView(sealed.buffer);
  view.setUint32(0, MAGIC_LITTLE);
  view.setUint32(4, VERSION);
  view.setUint32(8, PAGE_BYTES);
  view.setUint32(16, salts[0]);
  view.setUint32(20, salts[1]);
  let sum = added([0, 0], view, { from: 0, to: 24, little: true });
  view.setUint32(24, sum[0]);
  view.setUint32(28, sum[1]);
  for (const [index, { at, linked, commitPages }] of kept.entries()) {
    const to = HEADER_BYTES + index * FRAME_BYTES;
    sealed.set(log.subarray(at, at + FRAME_BYTES), to);
    // The end of a transaction is taken from sound frames only.
    view.setUint32(to + 4, linked ? commitPages : 0);
    view.setUint32(to + 8, salts[0]);
    view.setUint32(to + 12, salts[1]);
    sum = frameSum(sum, view, { at: to, little: true });
    view.setUint32(to + 16, sum[0]);
    view.setUint32(to + 20, sum[1]);
  }
  return sealed;
}

/** SQLite's checksum over pairs of 32-bit words, modulo 2^32. */
function added(
  [start0, start1]: Sum,
  view: DataView,
  { from, to, little }: { readonly from: number; readonly to: number; readonly little: boolean },
): Sum {
  let s0 = start0;
  let s1 = start1;
  for (let at = from; at < to; at += 8) {
    s0 = (s0 + view.getUint32(at, little) + s1) >>> 0;
    s1 = (s1 + view.getUint32(at + 4, little) + s0) >>> 0;
  }
  return [s0, s1];
}
