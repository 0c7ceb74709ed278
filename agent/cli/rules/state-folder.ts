import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { copyLedger, ledgerPath } from '../../host/ledger-copy.ts';
import { openAuditReader, type AuditReader } from '../../ledger/audit-reader.ts';
import { ANCHOR_FILE, KEY_FILE, readAnchor, readKitKey } from '../../pricing/audit/files.ts';
import { keyFrom, type AuditAnchor } from '../../pricing/audit/verify.ts';
import { pricingFailure } from '../../pricing/errors.ts';

/** What lies in an agent's state folder, opened from a private copy. */
export interface StateFolder extends Disposable {
  readonly ledger: AuditReader;
  readonly anchor: AuditAnchor | null;
  /** The public half of the kit's key, null where the folder has none. */
  readonly key: KeyObject | null;
}

/** Opens the state folder of an agent. Throws `state-unreadable` when no ledger is in it, `ledger-corrupt`, `ledger-newer`. */
export async function openStateFolder(path: string): Promise<StateFolder> {
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
    if (error instanceof AgentError && error.code === 'ledger-absent')
      throw pricingFailure('state-unreadable', { detail: path, cause: error });
    throw error;
  }
}

async function optional(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
