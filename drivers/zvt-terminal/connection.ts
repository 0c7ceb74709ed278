import { AgentError } from '../api/agent-error.ts';
import type { Clock } from '../api/clock.ts';
import type { ByteLink } from '../api/transports.ts';
import { linkChanges, type Reopening } from '../lib/reopening-link.ts';
import type { Happening } from './dialogue.ts';
import { serialLink, tcpLink, type ApduLink, type Timers } from './link.ts';
import type { Mailbox } from './mailbox.ts';

export interface ConnectionParts {
  readonly reopening: Reopening;
  readonly transport: 'serial' | 'tcp';
  readonly clock: Clock;
  readonly timers: Timers;
  /** Hears `up`, each APDU and `down`, in this order, for one connection after the other. */
  readonly mailbox: Mailbox<Happening>;
  readonly disturbed: () => void;
}

/** Holds one connection after the other until the signal fires. Only bugs are thrown. */
export async function keepConnected(parts: ConnectionParts, signal: AbortSignal): Promise<void> {
  for await (const change of linkChanges(parts.reopening, signal)) {
    if (change.kind === 'down') parts.mailbox.push({ ...change, link: null }, 'must');
    else await hold(parts, change.link, signal);
  }
}

async function hold(parts: ConnectionParts, bytes: ByteLink, signal: AbortSignal): Promise<void> {
  const { mailbox, clock, timers, disturbed, transport } = parts;
  const make = transport === 'serial' ? serialLink : tcpLink;
  const link: ApduLink = make({
    bytes,
    clock,
    timers,
    disturbed,
    deliver: (apdu) => mailbox.push({ kind: 'apdu', link, bytes: apdu }),
  });
  mailbox.push({ kind: 'up', link }, 'must');
  let code: string = transport === 'serial' ? 'port-lost' : 'connection-lost';
  let detail = '';
  try {
    await link.receive(signal);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    code = error.code;
    detail = error.message;
  }
  mailbox.push({ kind: 'down', link, code, detail }, 'must');
}
