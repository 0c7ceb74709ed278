import { failures, type Fail } from '../../../drivers/api/agent-error.ts';

export const firstBootErrors = {
  'boot-partition': {
    sentence: 'The boot partition cannot be used',
    hint: 'Check that the card’s first partition is mounted; write the card again if it is damaged',
  },
  'kit-file-missing': {
    sentence: 'A file that kit.yaml names is not on the boot partition',
    hint: 'Put it beside kit.yaml and switch the kit on again',
    exit: 2,
  },
  'kit-file-outside': {
    sentence: 'A file name in kit.yaml leads out of its folder',
    hint: 'Name files relative to kit.yaml, without ..',
    exit: 2,
  },
  'claim-short': {
    sentence: 'The claim code is too short to be safe',
    hint: 'Use the whole code, at least 16 characters',
    exit: 2,
  },
  'certificate-unreadable': {
    sentence: 'device.crt is no certificate',
    hint: 'Put the PEM file there that the authority made from the kit’s signing request',
    exit: 2,
  },
  'certificate-stranger': {
    sentence: 'device.crt belongs to another kit',
    hint: 'Sign this kit’s own request, the .csr file on the boot partition',
    exit: 2,
  },
} as const;

export const firstBootFailure: Fail<typeof firstBootErrors> = failures(firstBootErrors);
