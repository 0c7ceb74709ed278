import { Command } from 'commander';
import { exportMonth } from '../../pricing/audit/export-month.ts';
import { cliFailure } from '../errors.ts';
import type { Binder } from '../program.ts';
import { writeResult } from './files.ts';
import { openStateFolder } from './state-folder.ts';

/** `barrow audit export`: one month for an auditor. */
export function auditExportCommand(bind: Binder): Command {
  return new Command('export')
    .description('facts used, prices by cell, overrides with reasons and caps that bound, for an auditor')
    .requiredOption('--state <dir>', 'state folder of the agent')
    .requiredOption('--month <yyyy-mm>', 'which month, in UTC')
    .option('--out <file>', 'write here instead of stdout')
    .option('--json', 'errors in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  barrow audit export --state /var/lib/barrow --month 2026-11 --out november.json',
    )
    .action(
      bind(async (io, options: { readonly state: string; readonly month: string; readonly out?: string }) => {
        if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(options.month))
          throw cliFailure('usage', { detail: `--month takes YYYY-MM, not ${options.month}` });
        using folder = await openStateFolder(options.state);
        const text = JSON.stringify(exportMonth(folder.ledger.rows(), options.month), null, 2);
        if (options.out === undefined) await io.out(text);
        else await writeResult(options.out, `${text}\n`);
        return 0;
      }),
    );
}
