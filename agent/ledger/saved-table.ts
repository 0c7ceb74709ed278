import type { Json } from '../../drivers/api/reading.ts';
import type { Database } from './database.ts';
import { ledgerFailure } from './errors.ts';
import { isValueTooLarge } from './limits.ts';

/** Small values by owner and key: driver state, price state, the clock's last word. */
export interface SavedTable {
  /** `null` deletes. Throws `ledger-value`. */
  put(owner: string, key: string, value: Json): void;
  find(owner: string, key: string): Json | undefined;
}

export function savedTable(db: Database): SavedTable {
  const put = db.prepare<[string, string, string]>(
    'INSERT INTO saved (owner, key, value) VALUES (?, ?, ?) ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value',
  );
  const remove = db.prepare<[string, string]>('DELETE FROM saved WHERE owner = ? AND key = ?');
  const find = db.prepare<[string, string], string>('SELECT value FROM saved WHERE owner = ? AND key = ?').pluck();
  return {
    put(owner, key, value) {
      if (value === null) {
        remove.run(owner, key);
        return;
      }
      const text = JSON.stringify(value);
      if (isValueTooLarge(text)) throw ledgerFailure('ledger-value', { detail: `${owner} ${key}` });
      put.run(owner, key, text);
    },
    find(owner, key) {
      const text = find.get(owner, key);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as Json;
      } catch (error) {
        // SQLite has no checksums: what is no JSON any more is damage.
        throw ledgerFailure('ledger-corrupt', { detail: `${owner} ${key} is not JSON`, cause: error });
      }
    },
  };
}
