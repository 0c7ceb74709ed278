import type { ClockAnchor } from '../../core/clock-anchor.ts';
import type { ClockTrust } from '../../core/event.ts';

/** One record of the `price` stream as it lies on disk. */
export interface AuditRecord {
  readonly sequence: number;
  readonly type: string;
  readonly subject: string;
  /** The event's data, in the very bytes that are stored. */
  readonly data: string;
  readonly atMono: number;
  readonly bootId: string;
  readonly wallMs: number;
  readonly clockTrust: ClockTrust;
}

/** What is kept beside each record: its hash, the kit's signature over the tree that ends with it, and its first time. */
export interface AuditNote {
  /** Lower hex. */
  readonly leaf: string;
  /** Base64. */
  readonly signature: string;
  readonly wallMs: number;
  readonly clockTrust: ClockTrust;
}

/** The bytes of a leaf: every field of the record as it was first written, unambiguously. */
export function leafBytes(epoch: string, record: AuditRecord): string {
  const { sequence, type, subject, data, atMono, bootId, wallMs, clockTrust } = record;
  return JSON.stringify([epoch, 'price', sequence, type, subject, data, atMono, bootId, wallMs, clockTrust]);
}

const RANK: Readonly<Record<ClockTrust, number>> = { unset: 0, estimated: 1, synced: 2 };

/**
 * The record as it was first written; null when its time is another for any reason but one: the clock was set later in
 * its boot, and the ledger then dated it by that boot's anchor, to the millisecond.
 */
export function asWritten(record: AuditRecord, note: AuditNote, offsetMs: number | null): AuditRecord | null {
  const { wallMs, clockTrust } = note;
  if (record.wallMs === wallMs && record.clockTrust === clockTrust) return record;
  const dated = offsetMs !== null && record.wallMs === Math.trunc(record.atMono + offsetMs);
  const raised = record.clockTrust === 'synced' && RANK[clockTrust] < RANK.synced;
  return dated && raised ? { ...record, wallMs, clockTrust } : null;
}

/**
 * The text that a checkpoint signs: origin, size and root on a line each.
 * @see https://c2sp.org/tlog-checkpoint
 */
export function checkpointText(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** The text in which the kit says that retention may have taken records up to a sequence. */
export function goneText(origin: string, through: number): string {
  return `${origin}\ngone ${through}\n`;
}

/** The text in which the kit says by how much it dated the records of a boot anew. */
export function clockText(origin: string, { bootId, offsetMs }: ClockAnchor): string {
  return `${origin}\nclock ${bootId} ${offsetMs}\n`;
}

export function originOf(kitId: string, epoch: string): string {
  return `barrow/${kitId}/${epoch}/price`;
}

/** Whether an origin is one of a ledger's price log, whatever its kit was called then. */
export function isOf(origin: string, epoch: string): boolean {
  return origin.endsWith(`/${epoch}/price`);
}

/** Where the ledger keeps the audit's own words, outside of the records. */
export const AUDIT_OWNER = 'audit';

export function noteKey(sequence: number): string {
  return `record/${String(sequence).padStart(12, '0')}`;
}

/** The first anchor of each boot, signed: the ledger dates records anew by the first alone. */
export function clockKey(bootId: string): string {
  return `clock/${bootId}`;
}

/** Holds the epoch of the log whose head was written outside of the database: from then on it must be there. */
export const KEPT_KEY = 'kept';
