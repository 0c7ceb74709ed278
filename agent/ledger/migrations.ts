import { STREAMS } from '../../drivers/api/reading.ts';
import type { Database } from './database.ts';
import { ledgerFailure } from './errors.ts';

/**
 * One table a stream: each grows at its right edge, so that a page is filled once and the oldest rows free whole pages.
 * A row carries all that it means, apart from the boot's name: a damaged file gives up what can still be read.
 */
const EVENT_TABLES = STREAMS.map(
  (stream) => `
CREATE TABLE event_${stream} (
  seq INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  mono REAL NOT NULL,
  boot INTEGER NOT NULL,
  wall INTEGER NOT NULL,
  trust INTEGER NOT NULL
) STRICT;`,
).join('');

/** Numbered from 1, forward only. A released migration never changes; a new need is a new entry. */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE boots (boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE streams (
  stream TEXT PRIMARY KEY,
  last INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  held_bytes INTEGER NOT NULL,
  pending_bytes INTEGER NOT NULL,
  settled TEXT NOT NULL
) STRICT, WITHOUT ROWID;
${EVENT_TABLES}
CREATE TABLE losses (
  stream TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  reason TEXT NOT NULL,
  declared_by INTEGER NOT NULL,
  PRIMARY KEY (stream, declared_by)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
  stream TEXT NOT NULL,
  at INTEGER NOT NULL,
  last INTEGER NOT NULL,
  acked INTEGER NOT NULL,
  PRIMARY KEY (stream, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE saved (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  status INTEGER NOT NULL,
  answer TEXT NOT NULL,
  at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);
CREATE TABLE payments (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  intent_id TEXT NOT NULL UNIQUE,
  driver_id TEXT NOT NULL,
  step TEXT NOT NULL,
  outcome TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX payments_unsettled ON payments (driver_id, ordinal) WHERE step <> 'done' OR outcome = 'unknown';
CREATE TABLE inherited (
  ordinal INTEGER PRIMARY KEY,
  epoch TEXT NOT NULL,
  stream TEXT NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  data TEXT NOT NULL,
  mono REAL NOT NULL,
  boot_id TEXT NOT NULL,
  wall INTEGER NOT NULL,
  trust INTEGER NOT NULL,
  UNIQUE (epoch, stream, seq)
) STRICT;
`,
];

/** Brings a database to this release's schema, each step in a transaction of its own. Throws `ledger-newer`. */
export function migrate(db: Database): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length)
    throw ledgerFailure('ledger-newer', { detail: `schema ${version}, this release knows ${MIGRATIONS.length}` });
  for (let index = version; index < MIGRATIONS.length; index += 1)
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[index] ?? ''}; PRAGMA user_version = ${index + 1}; COMMIT`);
}
