import { Command } from 'commander';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { verifyAudit, type AuditReason, type AuditVerdict } from '../../pricing/audit/verify.ts';
import type { Binder } from '../program.ts';
import { readTrust } from './files.ts';
import { openStateFolder } from './state-folder.ts';

const WORDS: Readonly<Record<AuditReason, string>> = {
  changed: 'this record is not what was written',
  missing: 'this record was written and is gone',
  unrecorded: 'nothing vouches for this record',
  moved: 'this record stands where none belongs',
  signature: 'the log up to this record does not carry the kit’s signature',
  head: 'the log’s head does not fit its records',
  'other-ledger': 'this ledger is not the one whose head was kept',
  'no-key': 'the log names no key to verify it with',
  unreadable: 'the ledger file cannot be read',
};

/** `barrow audit verify`: proves a stopped agent's decision log from its folder alone. */
export function auditVerifyCommand(bind: Binder): Command {
  return new Command('verify')
    .description('prove that no price record was changed, removed, moved or cut off')
    .requiredOption('--state <dir>', 'state folder of the agent')
    .option('--key <pub>', 'the kit’s public key (PEM) as noted elsewhere; without it the log’s own is taken')
    .option('--json', 'answer in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  barrow audit verify --state /var/lib/barrow\n  barrow audit verify --state ./kit-014 --key kit-014.pub --json',
    )
    .action(
      bind(async (io, options: { readonly state: string; readonly key?: string }) => {
        const [trusted] = options.key === undefined ? [] : await readTrust([options.key]);
        const verdict = await verdictOf(options.state, trusted?.key ?? null);
        if (io.json) await io.out(JSON.stringify(verdict));
        else if (verdict.ok) await io.out(`ok: ${verdict.records} records, the last has sequence ${verdict.last}`);
        else {
          io.err(`error[audit-${verdict.reason}]: Record ${verdict.firstBad.id}: ${WORDS[verdict.reason]}`);
          io.err('hint: Compare with what the broker received; do not let this kit price before it is understood');
        }
        return verdict.ok ? 0 : 1;
      }),
    );
}

async function verdictOf(state: string, key: Parameters<typeof verifyAudit>[0]['key']): Promise<AuditVerdict> {
  try {
    using folder = await openStateFolder(state);
    const { ledger, anchor } = folder;
    return verifyAudit({
      ...ledger,
      records: ledger.rows(),
      anchor,
      key: key ?? folder.key,
    });
  } catch (error) {
    // A file that is no database any more holds no first record either.
    if (!(error instanceof AgentError) || error.code !== 'ledger-corrupt') throw error;
    return { ok: false, firstBad: { stream: 'price', sequence: 1, id: 'unknown/price/1' }, reason: 'unreadable' };
  }
}
