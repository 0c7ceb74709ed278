import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { copyLedger, ledgerPath } from '../../host/ledger-copy.ts';
import { openAuditReader, type AuditReader } from '../../ledger/audit-reader.ts';
import { ledgerFailure } from '../../ledger/errors.ts';
import { ANCHOR_FILE, KEY_FILE, readAnchor, readKitKey } from '../../pricing/audit/files.ts';
import { keyFrom, type AuditAnchor } from '../../pricing/audit/verify.ts';
import { pricingFailure } from '../../pricing/errors.ts';
import { readAtMost } from './files.ts';

/** What lies in an agent's state folder, opened from a private copy. */
export interface StateFolder extends Disposable {
  readonly ledger: AuditReader;
  readonly anchor: AuditAnchor | null;
  /** The public half of the kit's key, null where the folder has none. */
  readonly key: KeyObject | null;
}

/** Opens the state folder of an agent. Throws `state-unreadable` when no ledger is in it, `ledger-corrupt`, `ledger-newer`. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  if (!(await isFile(ledgerPath(path)))) throw pricingFailure('state-unreadable', { detail: path });
  const anchor = await optional(join(path, ANCHOR_FILE));
  const kitKey = readKitKey(await optional(join(path, KEY_FILE)));
  try {
    const copy = copyLedger(ledgerPath(path));
    try {
      const ledger = openAuditReader(copy.path);
      return {
        ledger,
        anchor: readAnchor(anchor),
        key: kitKey === null ? null : keyFrom(kitKey.publicKey),
        [Symbol.dispose]() {
          ledger[Symbol.dispose]();
          copy[Symbol.dispose]();
        },
      };
    } catch (error) {
      copy[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? '';
    // A kit that kept a head had a ledger: one that is empty now was emptied.
    if (errno === 'ledger-absent' && anchor !== null)
      throw ledgerFailure('ledger-corrupt', { detail: path, cause: error });
    if (errno === 'ledger-absent' || /^E[A-Z]+$/.test(errno))
      throw pricingFailure('state-unreadable', { detail: path, cause: error });
    throw error;
  }
}

/** More than a head or a key ever has. */
const MAX_WORDS_BYTES = 4_096;
const NO_WORDS = new Uint8Array(0);

/** The bytes of a file beside the ledger; null where there is none, and none where what lies there cannot be one. */
async function optional(path: string): Promise<Uint8Array | null> {
  try {
    return (await readAtMost(path, MAX_WORDS_BYTES)) ?? NO_WORDS;
  } catch (error) {
    const errno = error instanceof AgentError ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    // Not a file at all.
    if (error instanceof AgentError && errno === undefined) return NO_WORDS;
    throw error;
  }
}

/** Whether a ledger may lie there: a pipe in its place would never end. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    throw pricingFailure('state-unreadable', { detail: path, cause: error });
  }
}
