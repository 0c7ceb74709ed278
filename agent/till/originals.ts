import type { Json } from '../../drivers/api/reading.ts';
import type { LedgerTx } from '../core/ledger.ts';

const OWNER = 'till';

/**
 * How many sales and returns are remembered for voids and linked returns. A busy stall rings up some hundreds a day;
 * at this bound the memory is about 4 MB and the oldest is forgotten, after which a return of it is `linked: false`.
 */
export const MAX_ORIGINALS = 20_000;

/** What a later void or return needs of a sale or return: the lines by number, with the SKU (else the GTIN-14) sold. */
export interface Original {
  readonly kind: 'sale' | 'return';
  readonly voided: boolean;
  readonly lines: readonly (readonly [
    lineNo: number,
    qty: number,
    returned: number,
    netMinor: number,
    article: string,
  ])[];
  /** What a return gave back: `[original event, lineNo, qty]`, to be taken back when the return is voided. */
  readonly gaveBack: readonly (readonly [eventId: string, lineNo: number, qty: number])[];
}

/** The remembered sales and returns, inside one transaction. */
export interface Originals {
  /** @param reference the answer's `eventId`, or the `eventId` that the till minted itself */
  find(reference: string): { readonly eventId: string; readonly original: Original } | undefined;
  update(eventId: string, original: Original): void;
  remember(eventId: string, tillEventId: string | null, original: Original): void;
  /** False as soon as one has been forgotten: then an unknown reference may be an old one. */
  complete(): boolean;
}

export function originals(tx: LedgerTx, maxOriginals: number = MAX_ORIGINALS): Originals {
  const count = (): number => (tx.saved(OWNER, 'count') as number | undefined) ?? 0;
  const load = (eventId: string): Original | undefined =>
    tx.saved(OWNER, `event/${eventId}`) as unknown as Original | undefined;
  const update = (eventId: string, original: Original): void =>
    tx.save(OWNER, `event/${eventId}`, original as unknown as Json);
  return {
    find: (reference) => {
      const eventId = (tx.saved(OWNER, `alias/${reference}`) as string | undefined) ?? reference;
      const original = load(eventId);
      return original === undefined ? undefined : { eventId, original };
    },
    update,
    remember: (eventId, tillEventId, original) => {
      const index = count();
      const slot = `slot/${index % maxOriginals}`;
      const oldest = tx.saved(OWNER, slot) as readonly [string, string | null] | undefined;
      if (oldest !== undefined) {
        tx.save(OWNER, `event/${oldest[0]}`, null);
        if (oldest[1] !== null) tx.save(OWNER, `alias/${oldest[1]}`, null);
      }
      tx.save(OWNER, slot, [eventId, tillEventId]);
      tx.save(OWNER, 'count', index + 1);
      if (tillEventId !== null) tx.save(OWNER, `alias/${tillEventId}`, eventId);
      update(eventId, original);
    },
    complete: () => count() <= maxOriginals,
  };
}
