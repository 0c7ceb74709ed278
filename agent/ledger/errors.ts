import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const ledgerErrors = {
  'ledger-full': {
    sentence: 'The ledger has no room for another event',
    hint: 'Connect the kit so that it can deliver, free disk space, or raise ledger.maxBytes',
  },
  'ledger-readonly': {
    sentence: 'The ledger cannot be written',
    hint: 'Check the owner of the state folder and whether its file system was remounted read-only',
  },
  'ledger-io': {
    sentence: 'The disk failed under the ledger',
    hint: 'Check the card with dmesg and replace it when it reports errors',
  },
  'ledger-locked': {
    sentence: 'Another process holds this ledger',
    hint: 'Stop the other agent, or give this one a state folder of its own',
  },
  'ledger-corrupt': {
    sentence: 'The ledger file is damaged',
    hint: 'Restart the agent: it sets the file aside, saves what can be read and goes on',
  },
  'ledger-newer': {
    sentence: 'The ledger was written by a newer release',
    hint: 'Install that release again; migrations only go forward',
  },
  'ledger-absent': {
    sentence: 'There is no ledger here',
    hint: 'Name the folder that kit.yaml gives as state',
    exit: 2,
  },
  'ledger-event': {
    sentence: 'An event is larger than 4 MiB',
    hint: 'Report this: a device or a program says more at once than an event may hold',
  },
  'ledger-value': {
    sentence: 'A value to keep is larger than 64 KiB',
    hint: 'Report this: a driver keeps more than it may',
  },
} as const;

export const ledgerFailure: Fail<typeof ledgerErrors> = failures(ledgerErrors);
