import { failures, type Fail } from '../../drivers/api/agent-error.ts';

/** What the uplink answers to commands, and says of a connection that ended. */
export const uplinkErrors = {
  'command-invalid': {
    sentence: 'This command cannot be understood',
    hint: 'Send one JSON object with the fields that the command documents',
  },
  'command-too-large': { sentence: 'This command is too large', hint: 'Send at most 64 KiB' },
  'command-busy': { sentence: 'Too many commands wait on this kit', hint: 'Send it again after the answers came' },
  'command-failed': { sentence: 'The command failed on the kit', hint: 'Look into the kit’s log' },
  'epoch-unknown': {
    sentence: 'This kit’s ledger has another epoch',
    hint: 'Read the epoch from the manifest; events of an earlier ledger cannot be sent again',
  },
  'range-unknown': {
    sentence: 'The kit never gave out these sequences',
    hint: 'Read first and last from the manifest',
  },
  'uplink-no-subscriber': {
    sentence: 'Nobody at the broker listens to this kit’s sales',
    hint: 'Subscribe a consumer to the kit’s event and batch topics; the sales wait in the ledger',
  },
  'uplink-refused': {
    sentence: 'The broker refuses this kit’s messages',
    hint: 'Check that certificate or login are this kit’s own; the broker’s access rules must let it write below barrow/v1/<kit.id>/',
  },
  'uplink-taken-over': {
    sentence: 'Another client connected with this kit’s identity',
    hint: 'Two kits share one kit.id: give each its own',
  },
  'uplink-stalled': {
    sentence: 'The broker stopped acknowledging',
    hint: 'Nothing to do: the kit connects again and sends what was not acknowledged',
  },
  'uplink-lost': { sentence: 'The connection to the broker broke', hint: 'Nothing to do: the kit connects again' },
  'ledger-trouble': {
    sentence: 'The ledger cannot be read for delivery',
    hint: 'Run barrow doctor, and barrow ledger verify on the stopped agent',
  },
} as const;

export const uplinkFailure: Fail<typeof uplinkErrors> = failures(uplinkErrors);
