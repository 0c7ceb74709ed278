import { Command } from 'commander';
import type { CommandModule } from '../program.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('check').option('-c, --config <file>', 'kit.yaml', 'kit.yaml').action(
      bind(async (io) => {
        await io.out('ok');
        return 0;
      }),
    ),
};
