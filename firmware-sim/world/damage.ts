import type { LedgerFiles } from '../../agent/ledger/files.ts';

/** What a card does to a ledger while nothing has it open. */
export type DamageKind = 'block-zero' | 'block-noise' | 'first-block' | 'log-block' | 'log-bit' | 'log-head' | 'cut';

export const DAMAGE_KINDS: readonly DamageKind[] = [
  'block-zero',
  'block-noise',
  'first-block',
  'log-block',
  'log-bit',
  'log-head',
  'cut',
];

/** Whether it is the log that is damaged; else the database, with its log folded in. */
export function inLog(kind: DamageKind): boolean {
  return kind.startsWith('log-');
}

/** The file system's block: the unit in which cards lose things. */
export const BLOCK_BYTES = 4_096;

/** A real folder with the real files of a ledger; each cut leaves a copy of what was on disk at that moment. */
export interface ScratchDisk extends Disposable {
  /** The files as the next process finds them. */
  files(): LedgerFiles;
  /** The process died: from now on `files` are those that it left, whatever it still writes. */
  cut(): void;
  /** The bytes of the database and of its log, changed in place by `work`. */
  edit(work: (bytes: { database: Uint8Array; log: Uint8Array }) => void): void;
}

/** SQLite's log: a header, then frames of 24 bytes and a page (fileformat2.html §4). */
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Does one damage, at a place between 0 and 1; says what, or `null` where there was nothing to damage. The log is
 * damaged only where two whole transactions follow: in the last one a damage cannot be told from a torn write.
 */
export function damage(
  bytes: { database: Uint8Array; log: Uint8Array },
  { kind, place, noise }: { readonly kind: DamageKind; readonly place: number; readonly noise: Uint8Array },
): string | null {
  const { database, log } = bytes;
  const blocks = Math.floor(database.length / BLOCK_BYTES);
  // A new ledger is mostly spare pages, at the file's end: the places lie closer towards its beginning.
  const at = kind === 'first-block' ? 0 : Math.floor(place ** 4 * blocks) * BLOCK_BYTES;
  switch (kind) {
    case 'block-zero':
    case 'first-block':
      if (blocks === 0) return null;
      database.fill(0, at, at + BLOCK_BYTES);
      return `${kind} ${at}`;
    case 'block-noise':
      if (blocks === 0) return null;
      database.set(noise.subarray(0, BLOCK_BYTES), at);
      return `${kind} ${at}`;
    case 'cut':
      if (blocks < 2) return null;
      bytes.database = database.slice(0, Math.max(BLOCK_BYTES, at));
      return `${kind} ${at}`;
    case 'log-block':
    case 'log-bit':
    case 'log-head':
      return logDamage(log, { kind, place });
  }
}

function logDamage(
  log: Uint8Array,
  { kind, place }: { readonly kind: DamageKind; readonly place: number },
): string | null {
  if (log.length < LOG_HEADER_BYTES + FRAME_HEADER_BYTES) return null;
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const frameBytes = FRAME_HEADER_BYTES + view.getUint32(8);
  const commits: number[] = [];
  for (let at = LOG_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    // A frame of an older generation has other salts: the log ends before it.
    if (view.getUint32(at + 8) !== view.getUint32(16) || view.getUint32(at + 12) !== view.getUint32(20)) break;
    if (view.getUint32(at + 4) > 0) commits.push(at);
  }
  const end = commits.at(-3);
  if (end === undefined) return null;
  if (kind === 'log-head') {
    log.fill(0, 0, LOG_HEADER_BYTES);
    return kind;
  }
  const at = LOG_HEADER_BYTES + Math.floor(place * (end - LOG_HEADER_BYTES));
  if (kind === 'log-bit') log[at] = (log[at] ?? 0) ^ 0x10;
  else log.fill(0, at, Math.min(at + BLOCK_BYTES, end));
  return `${kind} ${at}`;
}
