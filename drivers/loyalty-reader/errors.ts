import { failures, type Fail } from '../api/agent-error.ts';
import { linkErrors } from '../lib/link-errors.ts';

const ownErrors = {
  'pseudonym-key-missing': {
    sentence: 'Without a key no loyalty id may leave the reader, so each is dropped',
    hint: 'Make a key (openssl rand -hex 32), put it into a file of mode 0600 and name it as pseudonymKey in kit.yaml',
  },
  'pseudonym-key-short': {
    sentence: 'The pseudonym key is so short that it can be guessed',
    hint: 'Use at least 16 bytes: openssl rand -hex 32',
  },
  'payment-card': {
    sentence: 'A payment card was presented at the loyalty reader; nothing of it was kept',
    hint: 'Show the customer which reader takes which card',
  },
  'reader-silent': {
    sentence: 'The contactless reader does not answer',
    hint: 'Check that the board is set to HSU and 115200 baud, then its power',
  },
} as const;

export const loyaltyErrors: typeof linkErrors & typeof ownErrors = { ...linkErrors, ...ownErrors };

export const loyaltyFailure: Fail<typeof loyaltyErrors> = failures(loyaltyErrors);
