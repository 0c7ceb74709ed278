import { failures, type Fail } from '../../../drivers/api/agent-error.ts';

export const consumerErrors = {
  'connection-lost': {
    sentence: 'The connection to the broker ended',
    hint: 'Check the broker; run the command again',
  },
} as const;

export const consumerFailure: Fail<typeof consumerErrors> = failures(consumerErrors);
