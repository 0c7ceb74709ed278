import type { Json } from '../../drivers/api/reading.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { Decision } from './decide/decide.ts';
import type { ItemState } from './decide/inputs.ts';

const OWNER = 'pricing';

type Read = Pick<LedgerTx, 'saved'>;

/** One item as it was last decided. */
export interface ItemRecord {
  readonly state: ItemState;
  /** Local date to which `state.changesToday` belongs. */
  readonly date: string;
  readonly ruleId: string | null;
  readonly cell: string | null;
  readonly boundBy: readonly string[];
  readonly announce: boolean;
  /**
   * Event id of the decision that set it; null while the list price was never touched. Then only what was gathered for
   * its rules is of any meaning: the item has no standing price but the list price of the day.
   */
  readonly decision: string | null;
}

/** Items as last decided: read once from the ledger, written through with the decision's own transaction. */
export class ItemBook {
  readonly #records = new Map<string, ItemRecord | null>();

  /** Forgets what is in memory: the ledger knows better. */
  reset(): void {
    this.#records.clear();
  }

  find(read: Read, sku: string): ItemRecord | null {
    const known = this.#records.get(sku);
    if (known !== undefined) return known;
    // Written by `put` alone.
    const found = (read.saved(OWNER, `item/${sku}`) as unknown as ItemRecord | undefined) ?? null;
    this.#records.set(sku, found);
    return found;
  }

  put(tx: LedgerTx, sku: string, record: ItemRecord): void {
    tx.save(OWNER, `item/${sku}`, record as unknown as Json);
    this.#records.set(sku, record);
  }

  /**
   * Keeps what was gathered for the item's rules where a decision said nothing else that is new. Returns whether it was
   * anything: most decisions of a window gather what the one before them did.
   */
  gather(tx: LedgerTx, sku: string, decision: Decision, state: ItemState): boolean {
    const record = this.find(tx, sku);
    const { evidence } = state;
    const known = record?.state.evidence;
    if (evidence === known || JSON.stringify(evidence) === JSON.stringify(known)) return false;
    const { cell, announce } = decision;
    const none = { state, date: '', ruleId: null, cell, boundBy: [], announce, decision: null };
    const { evidence: _former, ...stands } = record?.state ?? state;
    const next = evidence === undefined ? stands : { ...stands, evidence };
    this.put(tx, sku, { ...(record ?? none), state: next });
    return true;
  }

  /** Where the item stands for a decision on a date: changes are counted per local day. */
  state(
    read: Read,
    { sku, listMinor }: { readonly sku: string; readonly listMinor: number },
    today: string,
  ): ItemState | null {
    const record = this.find(read, sku);
    if (record === null) return null;
    if (record.decision === null) {
      const { evidence } = record.state;
      return evidence === undefined ? null : { ...untouched(listMinor), evidence };
    }
    return record.date === today ? record.state : { ...record.state, changesToday: 0 };
  }

  /** The price that the item's last decision left; null where the list price was never touched. */
  standingMinor(read: Read, sku: string): number | null {
    const record = this.find(read, sku);
    return record === null || record.decision === null ? null : record.state.priceMinor;
  }
}

/** Where an item stands of which nothing was ever decided. */
export function untouched(listMinor: number): ItemState {
  return { rung: 0, priceMinor: listMinor, changedAt: null, changesToday: 0 };
}

/** Whether a decision says anything that the item's record does not say already. What was gathered is no decision. */
export function isNews(record: ItemRecord | null, decision: Decision, state: ItemState): boolean {
  if (record === null || record.decision === null)
    return decision.priceMinor !== decision.listMinor || decision.ruleId !== null || decision.boundBy.length > 0;
  return (
    record.state.priceMinor !== state.priceMinor ||
    record.state.rung !== state.rung ||
    record.ruleId !== decision.ruleId ||
    record.cell !== decision.cell ||
    record.announce !== decision.announce ||
    record.boundBy.join() !== decision.boundBy.join()
  );
}
