import { command as completion } from '../../../agent/cli/commands/completion.ts';
import type { CommandTable } from '../../../agent/cli/program.ts';

/** The commands of `barrow-sim`, loaded when asked for. */
export const simCommands: CommandTable = {
  completion: () => Promise.resolve(completion),
  demo: async () => (await import('./demo.ts')).command,
  run: async () => (await import('./run.ts')).command,
};
