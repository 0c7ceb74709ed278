import type { ZodType } from 'zod';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { eventId, type StoredEvent } from '../core/event.ts';
import { businessDay } from './business-day.ts';
import { bodyHash } from './canonical.ts';
import { findCardNumber } from './card-guard.ts';
import { catalogueOf } from './catalogue.ts';
import { returnDraft, saleDraft, stockDraft, voidDraft, type Draft } from './drafts.ts';
import { tillFailure } from './errors.ts';
import { originals, type Originals } from './originals.ts';
import { paymentFailure } from './payment-errors.ts';
import { present } from './sums.ts';
import type { TillAnswer, TillParts } from './till-parts.ts';
import { basketInput, stockInput, voidInput, type HeadInput } from './till-schema.ts';

export interface TillOutcome {
  readonly answer: TillAnswer;
  /** True when the answer was given before, under the same key. */
  readonly replayed: boolean;
}

/**
 * The till's feed: validated, one event each in stream `sale`, on disk before the call returns.
 *
 * `key` is the till's `Idempotency-Key`; the body's own `eventId` works as one too. The same key with the same body
 * gives the first answer again, also after a restart; with another body it throws `idempotency-mismatch`.
 * Bodies are what `JSON.parse` gave. Throws the codes of {@link tillErrors} and the ledger's.
 */
export interface Till {
  sale(body: unknown, key: string | null): TillOutcome;
  /**
   * Goods that came back. A line that names a sale of this kit is linked: never more comes back than was sold, and
   * without a price it is worth its share of the original. A sale of another kit, of an earlier ledger or one no
   * longer remembered is accepted with `linked: false`; one that would have to be here and is not is refused.
   */
  refund(body: unknown, key: string | null): TillOutcome;
  /** Undoes a whole sale or return of this kit, once. */
  void(body: unknown, key: string | null): TillOutcome;
  /** Stock opened with, received, counted or transferred out; becomes `barrow.stock.v1`. */
  stock(body: unknown, key: string | null): TillOutcome;
}

export function createTill(parts: TillParts): Till {
  const run = (route: string, body: unknown, key: string | null, draft: Draft): TillOutcome =>
    record(parts, route, body, key, draft);
  return {
    sale: (body, key) => {
      const input = parse(parts, basketInput, body, ['sale']);
      return run('sale', body, key, saleDraft(parts, input));
    },
    refund: (body, key) => {
      const input = parse(parts, basketInput, body, ['return', 'refund']);
      return run('return', body, key, returnDraft(parts, input));
    },
    void: (body, key) => {
      const input = parse(parts, voidInput, body, ['void']);
      return run('void', body, key, voidDraft(input));
    },
    stock: (body, key) => {
      const input = parse(parts, stockInput, body, ['stockOpen', 'stockReceive', 'stockCount', 'stockTransfer']);
      return run('stock', body, key, stockDraft(parts, input));
    },
  };
}

function parse<T extends HeadInput>(parts: TillParts, schema: ZodType<T>, body: unknown, types: readonly string[]): T {
  const card = findCardNumber(body, (gtin14) => catalogueOf(parts.pricing).byGtin14(gtin14) !== undefined);
  if (card !== null) throw tillFailure('card-data', { detail: card });
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    throw tillFailure('body-invalid', { detail: issues.join('; '), cause: parsed.error });
  }
  const { type, kitId } = parsed.data;
  if (type !== undefined && !types.includes(type))
    throw tillFailure('body-invalid', { detail: `type: one of ${types.join(', ')} belongs here` });
  if (kitId !== undefined && kitId !== parts.kit.id) throw tillFailure('kit-mismatch');
  return parsed.data;
}

function record(parts: TillParts, route: string, body: unknown, key: string | null, draft: Draft): TillOutcome {
  const hash = bodyHash(body);
  const keys = [
    ...(key === null ? [] : [`POST /v1/${route} ${key}`]),
    ...(draft.head.eventId === undefined ? [] : [`till event ${draft.head.eventId}`]),
  ];
  return parts.commit((tx) => {
    const known = keys.map((one) => tx.tables.idempotency.find(one)).find((entry) => entry !== undefined);
    if (known !== undefined) {
      if (known.bodyHash !== hash) throw paymentFailure('idempotency-mismatch');
      return { answer: known.answer as unknown as TillAnswer, replayed: true };
    }
    const memory = originals(tx);
    const prepared = draft.prepare(memory);
    const atMono = parts.clock.monoMs();
    const stored = tx.append({
      type: draft.type,
      stream: 'sale',
      subject: draft.head.tillId ?? 'till',
      atMono,
      data: { ...headData(parts, draft.head), ...prepared.data },
    });
    refuseLocal(prepared.elsewhere, stored, memory);
    const id = eventId(stored);
    prepared.settle(memory, id);
    const answer: TillAnswer = {
      eventId: id,
      epoch: stored.epoch,
      stream: 'sale',
      sequence: String(stored.sequence),
      type: stored.type,
      recordedAt: new Date(stored.wallMs).toISOString(),
      ...prepared.answer,
    };
    for (const one of keys)
      tx.tables.idempotency.put(one, { bodyHash: hash, status: 201, answer: { ...answer }, atMono });
    return { answer, replayed: false };
  });
}

/** An id of this very ledger that nobody remembers never was a sale; throwing takes the appended event back too. */
function refuseLocal(references: readonly string[], stored: StoredEvent, memory: Originals): void {
  for (const reference of references) {
    const match = /^(.+)\/sale\/(\d{1,15})$/.exec(reference);
    if (match === null || match[1] !== stored.epoch) continue;
    if (memory.complete() || Number(match[2]) >= stored.sequence)
      throw tillFailure('original-unknown', { detail: reference });
  }
}

function headData(parts: TillParts, head: HeadInput): JsonObject {
  const customer = head.customerRef;
  return present({
    schemaVersion: 1,
    eventId: head.eventId,
    tillSeq: head.seq,
    tillBootId: head.bootId,
    businessDay: head.businessDay ?? businessDay(parts.clock, parts.kit.timezone, head.occurredAt),
    occurredAt: head.occurredAt,
    tillRecordedAt: head.recordedAt,
    tzOffsetMin: head.tzOffsetMin,
    tillMonotonicMs: head.monotonicMs,
    clockQuality: head.clockQuality,
    sessionId: head.sessionId,
    tillId: head.tillId,
    operatorRef: head.operatorRef,
    offline: head.offline ?? false,
    customerRef:
      customer === undefined || customer === null || customer === 'none'
        ? undefined
        : { keyId: customer.keyId, pseudonym: customer.pseudonym },
    note: head.note,
  });
}
