/** What the ledger needs of the file system beside SQLite itself. The daemon passes `agent/host/state-dir.ts`. */
export interface LedgerFiles {
  /** Makes the state folder (mode 0700) when it is missing. Throws `ledger-readonly` or `ledger-io`. */
  ensure(): void;
  /** Path of the database inside the state folder. */
  readonly databasePath: string;
  /**
   * Moves the database and its log into a new folder inside the state folder, all or nothing, fsynced.
   * Returns that folder's path. Bounded: the oldest of more than 8 such folders are removed.
   */
  setAside(label: string): string;
  /** Bytes that this process may still write to the state folder's file system; `null` when it cannot be told. */
  freeBytes(): number | null;
}
