import { failures, type Fail } from '../api/agent-error.ts';
import { linkErrors } from '../lib/link-errors.ts';

const ownErrors = {
  'zvt-password': {
    sentence: 'The password of the terminal is not six digits',
    hint: 'Put the six digits of the terminal’s cash register password into the secret’s file',
    exit: 2,
  },
  'zvt-currency': {
    sentence: 'The terminal works in another currency than the kit',
    hint: 'Set kit.currency, or have the terminal set up for it by its provider',
  },
  'zvt-silent': {
    sentence: 'The card terminal does not answer',
    hint: 'Check that it is switched on, that its cash register interface is enabled, and the baud rate',
  },
  'zvt-noise': {
    sentence: 'The line to the card terminal is disturbed',
    hint: 'Check the cable, the baud rate and that nothing else uses the line',
  },
  'zvt-refused': {
    sentence: 'The card terminal refuses the registration',
    hint: 'Check the password and have the provider look at the terminal',
  },
  'zvt-attention': {
    sentence: 'The card terminal wants a diagnosis or an initialisation',
    hint: 'Run the diagnosis; if the state stays, call the terminal’s provider',
  },
  'zvt-busy': {
    sentence: 'The card terminal is busy with something else',
    hint: 'Wait for the running payment or the end of day, then try again',
  },
  'zvt-away': {
    sentence: 'The card terminal is not connected',
    hint: 'Check its cable and power; barrow status shows when it is back',
  },
  'zvt-failed': {
    sentence: 'The card terminal broke off what it was asked to do',
    hint: 'Read the reason, look at the terminal’s display and try again',
  },
} as const;

/** Every code that this driver throws or names in its state. */
export const zvtErrors: typeof linkErrors & typeof ownErrors = { ...linkErrors, ...ownErrors };

export const zvtFailure: Fail<typeof zvtErrors> = failures(zvtErrors);
