import { sign } from 'node:crypto';
import type { Json, JsonObject } from '../../../drivers/api/reading.ts';
import { CLOCK_ANCHOR_KEY, CLOCK_OWNER, clockAnchorOf } from '../../core/clock-anchor.ts';
import type { PendingEvent, StoredEvent } from '../../core/event.ts';
import type { KitClock } from '../../core/host.ts';
import type { Ledger, LedgerTx } from '../../core/ledger.ts';
import type { KitKey } from './kit-key.ts';
import {
  AUDIT_OWNER,
  checkpointText,
  clockKey,
  clockText,
  goneText,
  isOf,
  KEPT_KEY,
  leafBytes,
  noteKey,
  originOf,
  type AuditRecord,
} from './leaf.ts';
import { EMPTY_FRONTIER, fromHex, grow, leafHash, rootOf, toHex, type Frontier } from './merkle.ts';

/** A checkpoint comes after this many records … */
export const CHECKPOINT_RECORDS = 100;
/** … or this long after the last one, when anything was recorded since; and after each start. */
export const CHECKPOINT_EVERY_MS = 300_000;
/** Records that one call takes over when others than pricing have written to the stream. */
export const CATCH_UP_ROWS = 1_000;
/** Rows go from the ledger this long after their delivery at the earliest; a margin below it covers the next tick. */
const RETENTION_MARGIN_MS = 7_200_000;

/** The log's own state. `first` is the sequence of leaf 0. */
export interface AuditHead {
  readonly origin: string;
  readonly first: number;
  readonly size: number;
  readonly last: number;
  readonly peaks: readonly string[];
  readonly root: string;
  readonly signature: string;
  readonly keyId: string;
  readonly publicKey: string;
  readonly sinceCheckpoint: number;
  /** Records up to here may have been taken by retention. */
  readonly mayBeGone: number;
  /** The kit's signature under that word. */
  readonly goneSignature: string;
  /** Some records with their wall times, to tell how old a record is. */
  readonly ages: readonly (readonly [sequence: number, wallMs: number])[];
}

export interface AuditLogParts {
  readonly kitId: string;
  readonly key: KitKey;
  readonly clock: KitClock;
  readonly ledger: Pick<Ledger, 'epoch' | 'range' | 'depth'>;
  readonly retainAckedMs: number;
}

/**
 * The Merkle log over the `price` stream: one leaf a record, a signature over each new root, both kept outside of the
 * records and in the records' own transaction. All state is read from the transaction, so that a rolled back one leaves
 * nothing behind.
 */
export class AuditLog {
  readonly #parts: AuditLogParts;
  readonly #origin: string;
  #checkpointMono = Number.NEGATIVE_INFINITY;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
    this.#origin = originOf(parts.kitId, parts.ledger.epoch);
  }

  /** Appends a record that names the tree before it, and takes it into the tree. */
  append(tx: LedgerTx, event: Omit<PendingEvent, 'stream' | 'atMono'>): StoredEvent {
    this.#noteClock(tx);
    const head = this.#caughtUp(tx);
    const chain = { size: head?.size ?? 0, root: head?.root ?? toHex(rootOf(EMPTY_FRONTIER)) };
    const stored = tx.append({
      ...event,
      stream: 'price',
      atMono: this.#parts.clock.monoMs(),
      data: { ...event.data, chain },
    });
    // A stream that began before this log has its first leaf where this log began.
    const before = head !== null && head.last === stored.sequence - 1 ? head : this.#caughtUp(tx, stored.sequence - 1);
    this.#take(tx, before, stored);
    return stored;
  }

  /** The head as it was committed, for keeping outside of the database. */
  head(read: Pick<LedgerTx, 'saved'>): AuditHead | null {
    return this.#head(read);
  }

  /** Remembers that the head lies outside of the database as well. */
  kept(tx: LedgerTx): void {
    const { epoch } = this.#parts.ledger;
    if (tx.saved(AUDIT_OWNER, KEPT_KEY) !== epoch) tx.save(AUDIT_OWNER, KEPT_KEY, epoch);
  }

  /** Takes over what others appended to the stream, notes what retention may take, and signs a checkpoint when one is due. */
  tick(tx: LedgerTx): StoredEvent | null {
    this.#noteClock(tx);
    const former = readHead(tx);
    if (former !== null && !this.#isMine(former)) return this.#checkpoint(tx, former);
    const head = this.#caughtUp(tx);
    if (head === null) return null;
    const aged = this.#aged(head);
    if (aged.mayBeGone !== head.mayBeGone || aged.ages.length !== head.ages.length) saveHead(tx, aged);
    const now = this.#parts.clock.monoMs();
    const due = aged.sinceCheckpoint >= CHECKPOINT_RECORDS || now - this.#checkpointMono >= CHECKPOINT_EVERY_MS;
    if (aged.sinceCheckpoint === 0 || !due) return null;
    this.#checkpointMono = now;
    const stored = this.#checkpoint(tx, aged);
    const after = this.#head(tx);
    if (after !== null) saveHead(tx, { ...after, sinceCheckpoint: 0 });
    return stored;
  }

  /** The log's own head; the former ledger's, where this one took its place, becomes the first record of a new log. */
  #head(read: Pick<LedgerTx, 'saved'>): AuditHead | null {
    const head = readHead(read);
    return head !== null && this.#isMine(head) ? head : null;
  }

  #isMine({ origin }: AuditHead): boolean {
    return isOf(origin, this.#parts.ledger.epoch);
  }

  #checkpoint(tx: LedgerTx, head: AuditHead): StoredEvent {
    const { origin, first, size, last, root, signature, keyId, publicKey } = head;
    return this.append(tx, {
      type: 'barrow.checkpoint.v1',
      subject: 'audit',
      data: { origin, first, last, size, root, signature, keyId, publicKey },
    });
  }

  /** Vouches for the offset by which the ledger dated a boot's records anew, before any record comes behind them. */
  #noteClock(tx: LedgerTx): void {
    const anchor = clockAnchorOf(tx.saved(CLOCK_OWNER, CLOCK_ANCHOR_KEY));
    if (anchor === null) return;
    const origin = this.#head(tx)?.origin ?? this.#origin;
    const key = clockKey(anchor.bootId);
    const known = tx.saved(AUDIT_OWNER, key);
    if (Array.isArray(known) && known[2] === origin) return;
    const signature = sign(null, Buffer.from(clockText(origin, anchor)), this.#parts.key.privateKey);
    tx.save(AUDIT_OWNER, key, [anchor.offsetMs, signature.toString('base64'), origin]);
  }

  /** The head with every record up to `last` (default: all that are stored) in it; null while there is none. */
  #caughtUp(tx: LedgerTx, last = this.#lastStored()): AuditHead | null {
    let head = this.#head(tx);
    if ((head?.last ?? 0) >= last) return head;
    for (let from = (head?.last ?? 0) + 1; from <= last;) {
      const rows = this.#parts.ledger.range('price', from, last, CATCH_UP_ROWS);
      if (rows.length === 0) break;
      for (const row of rows) head = this.#take(tx, head, row);
      from = (rows.at(-1)?.sequence ?? last) + 1;
    }
    return head;
  }

  #lastStored(): number {
    return this.#parts.ledger.depth().streams.find((depth) => depth.stream === 'price')?.last ?? 0;
  }

  #take(tx: LedgerTx, head: AuditHead | null, event: StoredEvent): AuditHead {
    const { key, ledger } = this.#parts;
    const leaf = leafHash(leafBytes(ledger.epoch, recordOf(event)));
    const frontier = grow(head === null ? EMPTY_FRONTIER : frontierOf(head), leaf);
    const root = rootOf(frontier);
    // A kit that was renamed goes on with the log that it has.
    const origin = head?.origin ?? this.#origin;
    const signature = sign(null, Buffer.from(checkpointText(origin, frontier.size, root)), key.privateKey);
    const signed = signature.toString('base64');
    const next: AuditHead = {
      origin,
      first: head?.first ?? event.sequence,
      size: frontier.size,
      last: event.sequence,
      peaks: frontier.peaks.map(toHex),
      root: toHex(root),
      signature: signed,
      keyId: key.keyId,
      publicKey: key.publicKey,
      sinceCheckpoint: (head?.sinceCheckpoint ?? 0) + 1,
      mayBeGone: head?.mayBeGone ?? event.sequence - 1,
      goneSignature: head?.goneSignature ?? '',
      ages: withAge(head?.ages ?? [], event),
    };
    tx.save(AUDIT_OWNER, noteKey(event.sequence), [toHex(leaf), signed, event.wallMs, event.clockTrust]);
    saveHead(tx, next);
    return next;
  }

  #aged(head: AuditHead): AuditHead {
    const limit = this.#parts.clock.wallMs() - Math.max(0, this.#parts.retainAckedMs - RETENTION_MARGIN_MS);
    const old = head.ages.filter(([, wallMs]) => wallMs <= limit).at(-1);
    if (old === undefined) return head;
    const mayBeGone = Math.max(head.mayBeGone, old[0]);
    const goneSignature = sign(null, Buffer.from(goneText(head.origin, mayBeGone)), this.#parts.key.privateKey);
    return {
      ...head,
      mayBeGone,
      goneSignature: goneSignature.toString('base64'),
      ages: head.ages.filter(([sequence]) => sequence > old[0]),
    };
  }
}

/** How many (sequence, time) pairs are kept: one an hour, for a retention of ten days. */
const MAX_AGES = 240;
const AGE_EVERY_MS = 3_600_000;

function withAge(ages: AuditHead['ages'], event: StoredEvent): AuditHead['ages'] {
  const last = ages.at(-1);
  if (last === undefined) return [[event.sequence, event.wallMs]];
  const penultimate = ages.at(-2);
  const next: readonly (readonly [number, number])[] =
    penultimate !== undefined && event.wallMs - penultimate[1] < AGE_EVERY_MS && event.wallMs >= last[1]
      ? [...ages.slice(0, -1), [event.sequence, event.wallMs]]
      : [...ages, [event.sequence, event.wallMs]];
  return next.slice(-MAX_AGES);
}

export function recordOf(event: StoredEvent): AuditRecord {
  const { sequence, type, subject, data, atMono, bootId, wallMs, clockTrust } = event;
  return { sequence, type, subject, data: JSON.stringify(data), atMono, bootId, wallMs, clockTrust };
}

export function frontierOf(head: Pick<AuditHead, 'size' | 'peaks'>): Frontier {
  return { size: head.size, peaks: head.peaks.map(fromHex) };
}

function readHead(tx: Pick<LedgerTx, 'saved'>): AuditHead | null {
  // Written by saveHead alone.
  return (tx.saved(AUDIT_OWNER, 'head') as AuditHead | undefined) ?? null;
}

function saveHead(tx: LedgerTx, head: AuditHead): void {
  tx.save(AUDIT_OWNER, 'head', head as unknown as JsonObject satisfies Json);
}
