import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const cliErrors = {
  usage: { sentence: 'This command line cannot be understood', hint: 'Run it again with --help', exit: 2 },
  'not-hex': { sentence: 'This is not hexadecimal', hint: 'Give an even number of the digits 0-9 and a-f', exit: 2 },
  'agent-unreachable': {
    sentence: 'No agent answers',
    hint: 'Start it with: barrow run -c kit.yaml, or name its address with --url',
  },
  'agent-refused': {
    sentence: 'The agent refuses to answer',
    hint: 'Give its token: -c kit.yaml, or BARROW_TOKEN in the environment',
  },
  'page-loopback': {
    sentence: 'Only this machine can reach the status page',
    hint: 'Set api.listen to 0.0.0.0:8080 and api.token in kit.yaml',
    exit: 2,
  },
  'page-no-network': {
    sentence: 'This machine has no address in a network yet',
    hint: 'Join it to the shop’s network, or set mdns: true in kit.yaml',
  },
  'input-not-arriving': {
    sentence: 'Nothing comes through this pipe',
    hint: 'See that what feeds it runs and ends, or give a file',
    exit: 2,
  },
  'file-unwritable': {
    sentence: 'The file cannot be written',
    hint: 'Name another place with --out',
    exit: 2,
  },
} as const;

export const cliFailure: Fail<typeof cliErrors> = failures(cliErrors);
