import { failures, type Fail } from '../../../drivers/api/agent-error.ts';

export const httpErrors = {
  'listen-invalid': {
    sentence: 'The address to listen on cannot be understood',
    hint: 'Write host:port, for IPv6 [host]:port; port 0 takes any free one',
    exit: 2,
  },
  'listen-busy': {
    sentence: 'Another program listens on this address',
    hint: 'Stop it, or set api.listen to another port',
    exit: 2,
  },
  'listen-refused': {
    sentence: 'The machine does not let us listen on this address',
    hint: 'Set api.listen to an address of this machine and a port above 1023',
    exit: 2,
  },
} as const;

export const httpFailure: Fail<typeof httpErrors> = failures(httpErrors);
