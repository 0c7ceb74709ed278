import { Command } from 'commander';
import type { CommandModule } from '../program.ts';
import { checkCommand } from '../rules/check.ts';
import { compileCommand } from '../rules/compile.ts';
import { decideCommand } from '../rules/decide.ts';
import { replayCommand } from '../rules/replay.ts';
import { signCommand } from '../rules/sign.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('rules')
      .description('author, check, sign and try price rules')
      .addHelpText(
        'after',
        '\nExamples:\n  barrow rules check rules.yaml\n  barrow rules sign rules.yaml --key merchant.key --out rules.json' +
          '\n  barrow rules decide --bundle rules.json --inputs inputs.json --json',
      )
      .addCommand(compileCommand(bind))
      .addCommand(checkCommand(bind))
      .addCommand(signCommand(bind))
      .addCommand(decideCommand(bind))
      .addCommand(replayCommand(bind)),
};
