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
  /** Event id of the decision that set it, null while the list price was never touched. */
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

  /** Where the item stands for a decision on a date: changes are counted per local day. */
  state(read: Read, sku: string, today: string): ItemState | null {
    const record = this.find(read, sku);
    if (record === null) return null;
    return record.date === today ? record.state : { ...record.state, changesToday: 0 };
  }
}

/** Whether a decision says anything that the item's record does not say already. */
export function isNews(record: ItemRecord | null, decision: Decision, state: ItemState): boolean {
  if (record === null)
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
