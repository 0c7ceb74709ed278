import type { Clock } from '../../drivers/api/clock.ts';
import type { Database } from './database.ts';

/** How often the ledger's own time is written down when nothing else is. */
export const TIME_SAVED_EVERY_MS: number = 10 * 60_000;

/**
 * Milliseconds that this ledger has been open, over all restarts. Wall time may jump by years and monotonic time begins
 * anew at each boot, so that neither can say how long a row has been kept; this can, and errs on the side of keeping.
 */
export interface LedgerTime {
  nowMs(): number;
  /** Writes it down, inside a transaction of the caller. */
  persist(): void;
  /** Milliseconds since it was last written down. */
  unsavedMs(): number;
}

export function ledgerTime(db: Database, clock: Clock): LedgerTime {
  const saved = db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'open_ms'`).pluck().get();
  const put = db.prepare<[string]>(`INSERT OR REPLACE INTO meta (key, value) VALUES ('open_ms', ?)`);
  const baseMs = saved === undefined ? 0 : Number(saved);
  const openedMono = clock.monoMs();
  let savedMs = baseMs;
  const nowMs = (): number => Math.floor(baseMs + Math.max(0, clock.monoMs() - openedMono));
  return {
    nowMs,
    persist() {
      savedMs = nowMs();
      put.run(String(savedMs));
    },
    unsavedMs: () => nowMs() - savedMs,
  };
}
