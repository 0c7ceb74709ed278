import type { CommandTable } from '../program.ts';

/** The commands of `barrow`, loaded when asked for: `run` must not pay for what the others import. */
export const barrowCommands: CommandTable = {
  check: async () => (await import('./check.ts')).command,
  decode: async () => (await import('./decode.ts')).command,
  rules: async () => (await import('./rules.ts')).command,
  run: async () => (await import('./run.ts')).command,
};
