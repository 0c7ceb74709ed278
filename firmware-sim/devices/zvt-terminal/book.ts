/** One transaction in the terminal's own book. `held`: authorised, the till has not acknowledged it yet. */
export interface BookEntry {
  readonly receiptNo: number;
  readonly trace: number;
  readonly kind: 'sale' | 'refund';
  readonly amountMinor: number;
  readonly time: string;
  readonly date: string;
  state: 'held' | 'booked' | 'reversed';
  /** Who took it back. */
  reversedBy: 'terminal' | 'till' | null;
}

export interface Moment {
  /** HHMMSS and MMDD of the terminal's own clock. */
  readonly time: string;
  readonly date: string;
}

/** What the terminal really charged: the ground truth of every payment test. */
export interface Book {
  readonly entries: readonly BookEntry[];
  hold(kind: BookEntry['kind'], amountMinor: number, at: Moment): BookEntry;
  /** The transaction that a repeated receipt shows: the last one that stands. */
  last(): BookEntry | undefined;
  find(receiptNo: number): BookEntry | undefined;
  /** Money that stands, minor units: sales less refunds. */
  totalMinor(): number;
}

const RECEIPTS = 9_999;
const TRACES = 999_999;

/** An empty book whose receipts begin after `lastReceiptNo`. */
export function createBook(lastReceiptNo = 0): Book {
  const entries: BookEntry[] = [];
  let receipts = lastReceiptNo;
  let traces = lastReceiptNo;
  return {
    entries,
    hold(kind, amountMinor, at) {
      receipts = (receipts % RECEIPTS) + 1;
      traces = (traces % TRACES) + 1;
      const entry: BookEntry = {
        receiptNo: receipts,
        trace: traces,
        kind,
        amountMinor,
        ...at,
        state: 'held',
        reversedBy: null,
      };
      entries.push(entry);
      return entry;
    },
    last: () => entries.findLast((entry) => entry.state !== 'reversed'),
    find: (receiptNo) => entries.findLast((entry) => entry.receiptNo === receiptNo),
    totalMinor: () =>
      entries
        .filter((entry) => entry.state === 'booked')
        .reduce((sum, entry) => sum + (entry.kind === 'sale' ? entry.amountMinor : -entry.amountMinor), 0),
  };
}
