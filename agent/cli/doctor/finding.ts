import { AgentError, type ErrorEntry } from '../../../drivers/api/agent-error.ts';
import { readinessErrors } from '../../readiness.ts';

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, e.g. `clock` or `driver shelves`. */
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** A stable code; `ok` when all is well. */
  readonly code: string;
  /** A sentence that a technician understands. */
  readonly sentence: string;
  /** What to do; `null` when nothing is. */
  readonly next: string | null;
}

export const doctorErrors = {
  'clock-unset': readinessErrors['clock-unset'] as ErrorEntry,
  'clock-unsynchronised': {
    sentence: 'The clock is not synchronised',
    hint: 'Connect the network; `timedatectl` should say "System clock synchronized: yes"',
  },
  'state-unwritable': {
    sentence: 'The state folder cannot be written',
    hint: 'Check its owner (the service account) and that the disk is not mounted read-only',
  },
  'disk-low': readinessErrors['disk-low'] as ErrorEntry,
  'disk-full': readinessErrors['disk-full'] as ErrorEntry,
  'mount-unsafe': {
    sentence: 'The disk is mounted so that a power cut can corrupt the ledger',
    hint: 'Remove data=writeback and nobarrier from its line in /etc/fstab and restart',
  },
  'mount-read-only': {
    sentence: 'The disk under the state folder is read-only',
    hint: 'Use the data partition, or repair the disk: a failing card is mounted read-only',
  },
  'mount-volatile': {
    sentence: 'The state folder lies in memory and is lost when the power goes',
    hint: 'Point `state:` at a disk, e.g. /var/lib/barrow',
  },
  'card-worn': {
    sentence: 'The memory card reports that it is worn out',
    hint: 'Replace the card before the next event',
  },
  'pi-throttled': readinessErrors['pi-throttled'] as ErrorEntry,
  'port-unstable': {
    sentence: 'This port’s name may change when devices are plugged differently',
    hint: 'Use the stable name in kit.yaml',
  },
  'driver-not-ready': {
    sentence: 'The device did not become ready',
    hint: 'Check its cable and power, then run this again',
  },
  'model-changed': {
    sentence: 'The neural model is not the one that this version ships',
    hint: 'Install the package again, or run `npm run models` in a checkout',
  },
  'broker-absent': {
    sentence: 'No broker is configured: events stay on this kit',
    hint: 'Add a broker: part to kit.yaml',
  },
  'events-lost': {
    sentence: 'Events were dropped and declared lost since the ledger was made',
    hint: 'Raise ledger.maxBytes in kit.yaml, or give the disk more room',
  },
  'certificate-unreadable': {
    sentence: 'The client certificate is no PEM certificate',
    hint: 'Put this kit’s certificate into the file that broker.cert names',
  },
  'certificate-expired': {
    sentence: 'The client certificate has expired',
    hint: 'Ask the operations team for a new one',
  },
  'certificate-early': {
    sentence: 'The client certificate is not yet valid by this clock',
    hint: 'Check the clock first',
  },
  'certificate-expiring': {
    sentence: 'The client certificate expires within 14 days',
    hint: 'Ask the operations team for a new one',
  },
  'broker-certificate-expiring': {
    sentence: 'The broker’s own certificate expires within 14 days',
    hint: 'Tell whoever runs the broker: without a new one every kit stops delivering',
  },
  'rules-missing': readinessErrors['rules-missing'] as ErrorEntry,
  'rules-expired': readinessErrors['rules-expired'] as ErrorEntry,
  'rules-expiring': {
    sentence: 'The price rules expire within a day',
    hint: 'Ask the merchant for a new bundle',
  },
} as const;

export function ok(check: string, sentence: string): Finding {
  return { check, state: 'ok', code: 'ok', sentence, next: null };
}

export function finding(
  check: string,
  state: 'warn' | 'fail',
  code: keyof typeof doctorErrors,
  detail?: string,
  next?: string,
): Finding {
  const entry: ErrorEntry = doctorErrors[code];
  return {
    check,
    state,
    code,
    sentence: detail === undefined ? entry.sentence : `${entry.sentence}: ${detail}`,
    next: next ?? entry.hint,
  };
}

/** What a failure of the world says, as a finding. A bug goes on. */
export function failed(check: string, error: unknown, state: 'warn' | 'fail' = 'fail'): Finding {
  if (!(error instanceof AgentError)) throw error;
  return { check, state, code: error.code, sentence: error.message, next: error.hint };
}
