import type { KeptFiles } from '../../agent/core/host.ts';
import type { Ledger, LedgerTx } from '../../agent/core/ledger.ts';
import { openDatabase } from '../../agent/ledger/database.ts';
import { ledgerFailure } from '../../agent/ledger/errors.ts';
import { openLedger, type OpenLedgerOptions } from '../../agent/ledger/open-ledger.ts';
import type { SqliteLedger } from '../../agent/ledger/sqlite-ledger.ts';
import type { ScratchDisk } from './damage.ts';
import type { Life } from './life.ts';

/** Where a transaction is cut: before its commit is on disk, or after it, before anyone could be told. */
export type CutPoint = 'before-commit' | 'after-commit';

/** The disk of the kit: what is committed stays, whatever becomes of the process. The real SQL runs on it. */
export interface SimDisk extends Disposable {
  /** While set, every write fails with this code, and so does opening. */
  failing: 'ledger-full' | 'ledger-io' | 'ledger-readonly' | null;
  /** Opens the ledger for one process. */
  open(life: Life, options: Omit<OpenLedgerOptions, 'store'>): Ledger;
  /** Whether a ledger that was opened here has not been closed by its process. */
  isOpen(ledger: Ledger): boolean;
  /** The process died now: what is committed is what the next one finds. */
  freeze(): void;
  /** The small files beside the ledger, as one process sees them. */
  kept(life: Life): KeptFiles;
  /** The log of the frozen disk goes into the database, as at a checkpoint just before the cut. */
  fold(): void;
  /** Cuts the n-th transaction from now on. */
  cutAfter(transactions: number, point: CutPoint): void;
}

export interface SimDiskOptions {
  /** Called at the cut, with the process still standing in its transaction. */
  readonly died: (point: CutPoint) => void;
  /** Loses the newest commits at a crash, as `synchronous=NORMAL` or a card that lies about flushing does. */
  readonly lying?: boolean;
  /** Real files under the ledger, for a disk that gets damaged; else it lies in memory. */
  readonly scratch?: ScratchDisk | undefined;
  /** Throws away what a replaced ledger had rescued. */
  readonly forgetful?: boolean;
}

/** Commits between two states that a lying disk remembers. */
const LYING_COMMITS = 4;

export function simDisk(options: SimDiskOptions): SimDisk {
  let image: Uint8Array | null = null;
  let current: SqliteLedger | null = null;
  let remembered: Uint8Array | null = null;
  let commits = 0;
  const { scratch } = options;
  const opened: SqliteLedger[] = [];
  const closed = new WeakSet<Ledger>();
  const small = new Map<string, Uint8Array>();
  let cut: { left: number; readonly point: CutPoint } | null = null;
  const disk: SimDisk = {
    failing: null,
    open(life, openOptions) {
      if (disk.failing !== null) throw ledgerFailure(disk.failing, { detail: 'simulated' });
      const ledger = openLedger({ ...openOptions, store: scratch?.files() ?? { image } });
      if (scratch !== undefined) opened.push(ledger);
      if (options.forgetful === true)
        ledger.ackInherited(ledger.peekInherited({ maxRows: 10_000, maxBytes: Infinity }));
      current = ledger;
      const close = (): void => {
        ledger.flush();
        if (!life.alive) return;
        // The process may open it once more.
        if (scratch === undefined) image = ledger.image();
        else ledger[Symbol.dispose]();
        closed.add(wrapped);
      };
      const wrapped = onDisk(ledger, close, <T>(work: (tx: LedgerTx) => T): T => {
        // A process that is dead already goes on with a ledger that nobody will ever open.
        if (!life.alive) return ledger.transaction(work);
        if (options.lying === true && (commits += 1) % LYING_COMMITS === 0) remembered = ledger.image();
        if (disk.failing !== null) throw ledgerFailure(disk.failing, { detail: 'simulated' });
        if (cut === null || (cut.left -= 1) > 0) return ledger.transaction(work);
        const { point } = cut;
        cut = null;
        if (point === 'before-commit') options.died(point);
        const result = ledger.transaction(work);
        if (point === 'after-commit') options.died(point);
        return result;
      });
      return wrapped;
    },
    isOpen: (ledger) => !closed.has(ledger),
    freeze() {
      if (scratch !== undefined) scratch.cut();
      else if (current !== null) image = options.lying === true && remembered !== null ? remembered : current.image();
      current = null;
    },
    kept: (life) => ({
      read: (name) => small.get(name) ?? null,
      write: (name, bytes) => {
        if (disk.failing !== null) throw ledgerFailure('ledger-io', { detail: name });
        if (life.alive) small.set(name, bytes.slice());
      },
    }),
    fold() {
      if (scratch !== undefined) openDatabase(scratch.files().databasePath).close();
    },
    [Symbol.dispose]() {
      for (const ledger of opened) ledger[Symbol.dispose]();
      scratch?.[Symbol.dispose]();
    },
    cutAfter(transactions, point) {
      cut = { left: transactions, point };
    },
  };
  return disk;
}

/** The ledger with another way into its transactions; a clean stop freezes what is there. */
function onDisk(ledger: SqliteLedger, close: () => void, transaction: Ledger['transaction']): Ledger {
  return {
    epoch: ledger.epoch,
    transaction,
    peek: (stream, after, limit) => ledger.peek(stream, after, limit),
    range: (stream, from, to, maxRows) => ledger.range(stream, from, to, maxRows),
    ack: (stream, sequences) => ledger.ack(stream, sequences),
    ackThrough: (stream, through) => ledger.ackThrough(stream, through),
    quarantine: (stream, sequence, reason) => ledger.quarantine(stream, sequence, reason),
    peekInherited: (limit) => ledger.peekInherited(limit),
    ackInherited: (ids) => ledger.ackInherited(ids),
    restamp: (offsetMs, trust) => ledger.restamp(offsetMs, trust),
    manifest: (stream) => ledger.manifest(stream),
    depth: () => ledger.depth(),
    saved: (owner, key) => ledger.saved(owner, key),
    maintain: (nowMono) => ledger.maintain(nowMono),
    [Symbol.dispose]: close,
  };
}
