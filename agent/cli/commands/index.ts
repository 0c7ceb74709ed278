import type { CommandTable } from '../program.ts';

/** The commands of `barrow`, loaded when asked for: `run` must not pay for what the others import. */
export const barrowCommands: CommandTable = {
  audit: async () => (await import('./audit.ts')).command,
  ble: async () => (await import('./ble.ts')).command,
  camera: async () => (await import('./camera.ts')).command,
  check: async () => (await import('./check.ts')).command,
  completion: async () => (await import('./completion.ts')).command,
  decode: async () => (await import('./decode.ts')).command,
  doctor: async () => (await import('./doctor.ts')).command,
  'first-boot': async () => (await import('./first-boot.ts')).command,
  ledger: async () => (await import('./ledger.ts')).command,
  rules: async () => (await import('./rules.ts')).command,
  run: async () => (await import('./run.ts')).command,
  schema: async () => (await import('./schema.ts')).command,
  status: async () => (await import('./status.ts')).command,
  'support-bundle': async () => (await import('./support-bundle.ts')).command,
  tail: async () => (await import('./tail.ts')).command,
  verify: async () => (await import('./verify.ts')).command,
};
