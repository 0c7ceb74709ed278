import { Argument, Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import { describeProgram } from '../describe.ts';
import type { CommandModule } from '../program.ts';

/** `barrow completion`: a script for the shell, made from the command table. */
export const command: CommandModule = {
  build: (bind) =>
    new Command('completion')
      .description('print a completion script for the shell')
      .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
      .addHelpText(
        'after',
        '\nExamples:\n  source <(barrow completion bash)\n  barrow completion zsh > ~/.zfunc/_barrow\n  barrow completion fish > ~/.config/fish/completions/barrow.fish',
      )
      .action(
        bind(async (io, shell: Shell) => {
          const script = completionScript(shell, await describeProgram(io.program));
          await io.out(io.json ? JSON.stringify({ shell, script }) : script.trimEnd());
          return 0;
        }),
      ),
};
