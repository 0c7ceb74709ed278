import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { Json } from '../../../drivers/api/reading.ts';
import { CLOCK_ANCHOR_KEY, CLOCK_OWNER, clockAnchorOf } from '../../core/clock-anchor.ts';
import {
  asWritten,
  AUDIT_OWNER,
  checkpointText,
  clockKey,
  clockText,
  goneText,
  isOf,
  KEPT_KEY,
  leafBytes,
  noteKey,
  type AuditNote,
  type AuditRecord,
} from './leaf.ts';
import { EMPTY_FRONTIER, fromHex, grow, leafHash, rootOf, toHex, type Frontier } from './merkle.ts';

/** What is verified: the records, and the words about them that lie elsewhere. */
export interface AuditSource {
  readonly epoch: string;
  /** The ledger's own counter of the stream. */
  readonly last: number;
  readonly records: Iterable<AuditRecord>;
  saved(owner: string, key: string): Json | undefined;
  /** Whether anything lies under a sequence, be it readable or not. */
  holds(sequence: number): boolean;
  /** The head as last written to a file of its own; null when there is no such file. */
  readonly anchor: AuditAnchor | null;
  /** The kit's key as the verifier knows it, SPKI; null takes the one that the folder names, which proves less. */
  readonly key: KeyObject | null;
}

/** The head outside of the database: it tells when a whole older database was put in place. */
export interface AuditAnchor {
  readonly origin: string;
  readonly epoch: string;
  readonly size: number;
  readonly last: number;
  readonly root: string;
  readonly signature: string;
  readonly publicKey: string;
}

export type AuditReason =
  'changed' | 'missing' | 'unrecorded' | 'signature' | 'moved' | 'head' | 'other-ledger' | 'no-key' | 'unreadable';

export type AuditVerdict =
  | { readonly ok: true; readonly records: number; readonly last: number }
  | {
      readonly ok: false;
      readonly firstBad: { readonly stream: 'price'; readonly sequence: number; readonly id: string };
      readonly reason: AuditReason;
    };

interface Head {
  readonly origin: string;
  readonly goneSignature: string;
  readonly first: number;
  readonly size: number;
  readonly last: number;
  readonly root: string;
  readonly publicKey: string;
  readonly mayBeGone: number;
}

/**
 * Walks the log once: every record that must be there is there, unchanged and in its place, and each root on the way
 * carries the kit's signature. The first that fails is named. Pure but for what the source reads.
 */
export function verifyAudit(source: AuditSource): AuditVerdict {
  const records = peekable(source.records);
  try {
    return walk(source, records);
  } finally {
    records.close();
  }
}

function walk(source: AuditSource, records: Peekable): AuditVerdict {
  const said = headOf(source.saved(AUDIT_OWNER, 'head'));
  // A ledger that took the place of a damaged one still holds the former one's words.
  const head = said !== null && isOf(said.origin, source.epoch) ? said : null;
  const { anchor } = source;
  const bad = (sequence: number, reason: AuditReason): AuditVerdict => ({
    ok: false,
    firstBad: { stream: 'price', sequence, id: `${source.epoch}/price/${sequence}` },
    reason,
  });
  if (anchor !== null && anchor.epoch !== source.epoch && anchor.last > 0) return bad(1, 'other-ledger');
  const last = Math.max(source.last, head?.last ?? 0, anchor?.last ?? 0);
  const kept = source.saved(AUDIT_OWNER, KEPT_KEY) === source.epoch;
  if (head === null) {
    const stray = records.next();
    if (stray !== null && stray.type !== 'barrow.loss.v1') return bad(stray.sequence, 'unrecorded');
    return (last === 0 && !kept) || stray !== null ? { ok: true, records: 0, last } : bad(1, 'missing');
  }
  const key = source.key ?? keyFrom(anchor?.publicKey ?? head.publicKey);
  if (key === null) return bad(head.first, 'no-key');
  const origin = head.origin;
  if (!goneHolds(head, key)) return bad(head.first, 'missing');
  let frontier = EMPTY_FRONTIER;
  let seen = 0;
  let unvouched: AuditRecord | null = null;
  let lastSeen = head.first - 1;
  const age = ageInOneBoot();
  const boots = bootOffsets(source, origin, key);
  for (let sequence = head.first; sequence <= last; sequence += 1) {
    const record = records.take(sequence);
    const note = noteOf(source.saved(AUDIT_OWNER, noteKey(sequence)));
    if (record === null) {
      // Retention takes the oldest records only: behind one that is there none is missing.
      if (sequence > head.mayBeGone || seen > 0 || note === null)
        return bad(sequence, source.holds(sequence) ? 'changed' : 'missing');
      frontier = grow(frontier, fromHex(note.leaf));
      if (anchorDiffers(anchor, frontier, sequence)) return bad(sequence, 'head');
      continue;
    }
    // What the ledger itself declared after the log's last word is taken in at the next start.
    if (note === null) {
      if (sequence > head.last && record.type === 'barrow.loss.v1') continue;
      return bad(sequence, 'unrecorded');
    }
    // The kit vouches for an anchor before it writes the next record; only a stop right behind one leaves it without.
    const boot = boots(record.bootId);
    if (unvouched !== null && (note.clockTrust === 'synced' || record.bootId !== unvouched.bootId))
      return bad(unvouched.sequence, 'changed');
    const written = asWritten(record, note, boot.offsetMs);
    if (written !== record && !boot.signed) unvouched ??= record;
    const leaf = written === null ? null : leafHash(leafBytes(source.epoch, written));
    if (leaf === null || toHex(leaf) !== note.leaf) return bad(sequence, 'changed');
    frontier = grow(frontier, leaf);
    seen += 1;
    lastSeen = sequence;
    const text = checkpointText(origin, frontier.size, rootOf(frontier));
    if (!verify(null, Buffer.from(text), key, Buffer.from(note.signature, 'base64'))) return bad(sequence, 'signature');
    if (anchorDiffers(anchor, frontier, sequence)) return bad(sequence, 'head');
    age.add(record);
  }
  const stray = records.next();
  if (stray !== null) return bad(stray.sequence, stray.sequence < head.first ? 'moved' : 'unrecorded');
  if (head.size !== frontier.size || head.root !== toHex(rootOf(frontier))) return bad(lastSeen, 'head');
  // Without its head beside it a tail that was cut off together with every word about it would not be missed.
  const must = kept || age.ms() > UNKEPT_MS;
  const anchored = anchor === null ? !must : anchor.size <= frontier.size && anchorHolds(anchor, origin, key);
  return anchored ? { ok: true, records: seen, last } : bad(last + 1, 'head');
}

/** A log whose records span more than this within one boot had its head written outside of the database long since. */
const UNKEPT_MS = 60_000;

function ageInOneBoot(): { add(record: AuditRecord): void; ms(): number } {
  let first: AuditRecord | null = null;
  let longest = 0;
  return {
    add(record) {
      if (first?.bootId !== record.bootId) first = record;
      longest = Math.max(longest, record.atMono - first.atMono);
    },
    ms: () => longest,
  };
}

/** Whether the head that was kept outside speaks of this size and of another log. */
function anchorDiffers(anchor: AuditAnchor | null, frontier: Frontier, sequence: number): boolean {
  if (anchor === null || anchor.size !== frontier.size) return false;
  return anchor.last !== sequence || anchor.root !== toHex(rootOf(frontier));
}

/** Whether the head that was kept outside is the kit's word on this log. */
function anchorHolds({ origin, size, root, signature, publicKey }: AuditAnchor, own: string, key: KeyObject): boolean {
  if (origin !== own || size < 1 || publicKey !== spkiOf(key)) return false;
  return verify(null, Buffer.from(checkpointText(own, size, fromHex(root))), key, Buffer.from(signature, 'base64'));
}

interface BootOffset {
  /** What the ledger added to the boot's monotonic times; null where it dated none anew. */
  readonly offsetMs: number | null;
  readonly signed: boolean;
}

/** By how much the records of each boot were dated anew, in the kit's word or, where it gave none yet, the ledger's. */
function bootOffsets(source: AuditSource, origin: string, key: KeyObject): (bootId: string) => BootOffset {
  const known = new Map<string, BootOffset>();
  const latest = clockAnchorOf(source.saved(CLOCK_OWNER, CLOCK_ANCHOR_KEY));
  const find = (bootId: string): BootOffset => {
    const note = source.saved(AUDIT_OWNER, clockKey(bootId));
    if (note === undefined) return { offsetMs: latest?.bootId === bootId ? latest.offsetMs : null, signed: false };
    const [offsetMs, signature] = Array.isArray(note) ? (note as readonly Json[]) : [];
    if (typeof offsetMs !== 'number' || typeof signature !== 'string') return { offsetMs: null, signed: false };
    const text = Buffer.from(clockText(origin, { bootId, offsetMs }));
    const signed = verify(null, text, key, Buffer.from(signature, 'base64'));
    return { offsetMs: signed ? offsetMs : null, signed };
  };
  return (bootId) => {
    const found = known.get(bootId) ?? find(bootId);
    known.set(bootId, found);
    return found;
  };
}

/** The kit has signed up to where retention may have taken records; without that word none may be gone. */
function goneHolds({ origin, first, mayBeGone, goneSignature }: Head, key: KeyObject): boolean {
  if (mayBeGone < first) return true;
  return verify(null, Buffer.from(goneText(origin, mayBeGone)), key, Buffer.from(goneSignature, 'base64'));
}

interface Peekable {
  /** The record of exactly this sequence, if it comes next. */
  take(sequence: number): AuditRecord | null;
  /** Whatever comes next. */
  next(): AuditRecord | null;
  close(): void;
}

function peekable(records: Iterable<AuditRecord>): Peekable {
  const iterator = records[Symbol.iterator]();
  let waiting: AuditRecord | null = null;
  const next = (): AuditRecord | null => {
    if (waiting !== null) return waiting;
    const step = iterator.next();
    waiting = step.done === true ? null : step.value;
    return waiting;
  };
  return {
    next,
    close: () => void iterator.return?.(),
    take(sequence) {
      const record = next();
      if (record === null || record.sequence !== sequence) return null;
      waiting = null;
      return record;
    },
  };
}

function headOf(value: Json | undefined): Head | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { first, size, last, root, publicKey, mayBeGone, origin, goneSignature } = value as Readonly<
    Record<string, Json>
  >;
  const numbers = [first, size, last, mayBeGone].every((number) => typeof number === 'number');
  const texts = [root, publicKey, origin, goneSignature].every((text) => typeof text === 'string');
  if (!numbers || !texts) return null;
  // Each field was looked at above.
  return value as unknown as Head;
}

function noteOf(value: Json | undefined): AuditNote | null {
  if (!Array.isArray(value)) return null;
  const [leaf, signature, wallMs, clockTrust] = value as readonly Json[];
  if (typeof leaf !== 'string' || typeof signature !== 'string' || typeof wallMs !== 'number') return null;
  if (clockTrust !== 'unset' && clockTrust !== 'estimated' && clockTrust !== 'synced') return null;
  return { leaf, signature, wallMs, clockTrust };
}

/** An Ed25519 key from its SPKI DER in base64; null when it is none. */
export function keyFrom(spki: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

function spkiOf(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}
