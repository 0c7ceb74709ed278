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
      .addCommand(compileCommand(bind))
      .addCommand(checkCommand(bind))
      .addCommand(signCommand(bind))
      .addCommand(decideCommand(bind))
      .addCommand(replayCommand(bind)),
};
