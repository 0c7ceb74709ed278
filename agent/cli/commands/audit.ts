import { Command } from 'commander';
import type { CommandModule } from '../program.ts';
import { auditExportCommand } from '../rules/audit-export.ts';
import { auditVerifyCommand } from '../rules/audit-verify.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('audit')
      .description('prove the price decisions untouched; export them for an auditor')
      .addHelpText(
        'after',
        '\nExamples:\n  barrow audit verify --state /var/lib/barrow\n  barrow audit export --state /var/lib/barrow --month 2026-11',
      )
      .addCommand(auditVerifyCommand(bind))
      .addCommand(auditExportCommand(bind)),
};
