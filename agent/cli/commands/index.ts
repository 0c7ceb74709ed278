import type { CommandTable } from '../program.ts';

/** The commands of `barrow`, loaded when asked for: `run` must not pay for what the others import. */
export const barrowCommands: CommandTable = {
  camera: async () => (await import('./camera.ts')).command,
  check: async () => (await import('./check.ts')).command,
  decode: async () => (await import('./decode.ts')).command,
  ledger: async () => (await import('./ledger.ts')).command,
  rules: async () => (await import('./rules.ts')).command,
  run: async () => (await import('./run.ts')).command,
  tail: async () => (await import('./tail.ts')).command,
  verify: async () => (await import('./verify.ts')).command,
};
