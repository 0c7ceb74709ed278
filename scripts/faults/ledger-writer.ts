import Database from 'better-sqlite3';
import { join } from 'node:path';
import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Log } from '../../drivers/api/driver.ts';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';

/**
 * Appends to a ledger as fast as the disk takes it and tells each commit on stdout: `writer STATE ledger|normal`.
 * `normal` is the control: the same rows in plain SQLite with synchronous=NORMAL, which a power cut must catch out.
 */
const [state = '', mode = 'ledger'] = process.argv.slice(2);
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const data = { readerId: 'scanner', symbology: 'ean13', gtin14: '05012345678900', elements: [] };

function ledgerAppender(): () => number {
  const clock = systemClock();
  const ledger = openLedger({
    store: stateDir(state),
    maxBytes: 256 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock,
    chance: systemChance(),
    log: silent,
  });
  return () =>
    ledger.transaction(
      (tx) =>
        tx.append({ type: 'barrow.sale.v1', stream: 'sale', subject: 'till', data, atMono: clock.monoMs() }).sequence,
    );
}

function normalAppender(): () => number {
  const db = new Database(join(state, 'normal.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.exec('CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, data TEXT)');
  const insert = db.prepare('INSERT INTO event (data) VALUES (?)');
  return () => Number(insert.run(JSON.stringify(data)).lastInsertRowid);
}

const append = mode === 'normal' ? normalAppender() : ledgerAppender();
const beat = (): void => {
  try {
    process.stdout.write(`${append()}\n`);
  } catch (error) {
    // A full disk or a dead file system: the kit lives on and tries again.
    process.stdout.write(`refused ${error instanceof AgentError ? error.code : 'sqlite'}\n`);
    setTimeout(beat, 20);
    return;
  }
  setImmediate(beat);
};
beat();
