/** What the ledger needs of the file system beside SQLite itself. The daemon passes `agent/host/state-dir.ts`. */
export interface LedgerFiles {
  /** Makes the state folder (mode 0700) when it is missing. Throws `ledger-readonly` or `ledger-io`. */
  ensure(): void;
  /** The database. */
  readonly databasePath: string;
  /** Where a new database is prepared before it takes the damaged one's place. */
  readonly nextPath: string;
  /** Which of them exist with content. */
  found(): { readonly database: boolean; readonly next: boolean; readonly databaseBytes: number };
  /** Removes what an interrupted preparation left. */
  discardNext(): void;
  /** The prepared database becomes the database, fsynced. Only when there is none. */
  adoptNext(): void;
  /**
   * Moves the damaged database and its log into a folder of its own inside the state folder, fsynced. Returns the
   * folder's path. The oldest of more than 8 such folders are removed.
   */
  setAside(label: string): string;
  /** The write-ahead log's bytes, `null` when there is none. */
  log(): Uint8Array | null;
  /**
   * Copies the damaged database and its log: with other first bytes for a file whose header is gone, with another log
   * for one whose log is damaged. Returns the copy's path; `discardNext` removes it.
   */
  copyWith(parts: { readonly head?: Uint8Array; readonly log?: Uint8Array }): string;
  /** Notes that the open database was found damaged, so that the next start sets it aside. */
  markDamaged(): void;
  /** Whether it was noted. `setAside` takes the note away. */
  markedDamaged(): boolean;
  /** Bytes that this process may still write to the state folder's file system; `null` when it cannot be told. */
  freeBytes(): number | null;
}
