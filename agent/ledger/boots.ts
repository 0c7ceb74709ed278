import type { Database } from './database.ts';

/** The boots that rows belong to. A row holds a small number; the boot's name is written with its first row. */
export interface Boots {
  readonly bootId: string;
  /** This boot's number. */
  readonly current: number;
  idOf(boot: number): string;
  /** This boot's number, written down inside the running transaction. Opening writes nothing, so that a full disk opens. */
  enter(): number;
  /** The running transaction was committed, or not. */
  keep(): void;
  undo(): void;
}

export function openBoots(db: Database, bootId: string): Boots {
  const known = new Map(db.prepare<[], [number, string]>('SELECT boot, boot_id FROM boots').raw().all());
  const insert = db.prepare<[number, string]>('INSERT INTO boots (boot, boot_id) VALUES (?, ?)');
  const found = [...known].find(([, id]) => id === bootId)?.[0];
  const current = found ?? Math.max(0, ...known.keys()) + 1;
  known.set(current, bootId);
  let state: 'new' | 'entered' | 'kept' = found === undefined ? 'new' : 'kept';
  return {
    bootId,
    current,
    idOf: (boot) => known.get(boot) ?? 'unknown',
    enter() {
      if (state === 'new') {
        insert.run(current, bootId);
        state = 'entered';
      }
      return current;
    },
    keep() {
      if (state === 'entered') state = 'kept';
    },
    undo() {
      if (state === 'entered') state = 'new';
    },
  };
}
