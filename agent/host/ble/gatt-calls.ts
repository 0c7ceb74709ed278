import type { AgentError } from '../../../drivers/api/agent-error.ts';
import type { GattLink } from '../../../drivers/api/transports.ts';
import { radioFailure } from './errors.ts';
import type { FromRadio, GattCall, ToRadio } from './radio-wire.ts';

/** Notifications that wait for their reader; the oldest are dropped beyond it. */
export const WAITING_NOTIFICATIONS = 64;
/** The radio process times calls out itself; this much later it counts as dead to the call. */
const MARGIN_MS = 2_000;

export interface ConnectRequest {
  readonly address: string;
  readonly timeoutMs: number;
  readonly gattTimeoutMs: number;
  readonly send: (message: ToRadio) => void;
  readonly signal: AbortSignal;
}

/** GATT calls across the process border: every one ends, whatever becomes of the other side. */
export interface GattCalls {
  connect(request: ConnectRequest): Promise<GattLink>;
  answer(message: Extract<FromRadio, { kind: 'result' | 'failure' | 'notification' | 'link-lost' }>): void;
  /** The radio process is gone, and all links with it. */
  loseAll(): void;
}

interface Pending {
  readonly resolve: (value: Uint8Array | number | undefined) => void;
  readonly reject: (error: AgentError) => void;
}

interface OpenLink {
  readonly inboxes: Map<string, { readonly values: Uint8Array[]; wake: (() => void) | undefined }>;
  lost: boolean;
}

type Carry = (call: GattCall, limitMs: number, signal: AbortSignal) => Promise<Uint8Array | number | undefined>;

export function gattCalls(): GattCalls {
  const pending = new Map<number, Pending>();
  const links = new Map<number, OpenLink>();
  let next = 1;

  const carrier =
    (send: (message: ToRadio) => void): Carry =>
    (call, limitMs, signal) =>
      new Promise((resolve, reject) => {
        const id = next;
        next += 1;
        const settle = (): void => {
          pending.delete(id);
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
        };
        const onAbort = (): void => {
          settle();
          reject(signal.reason as Error);
        };
        const timer = setTimeout(() => {
          settle();
          reject(radioFailure('gatt-timeout', { detail: call.kind }));
        }, limitMs + MARGIN_MS);
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        pending.set(id, {
          resolve: (value) => {
            settle();
            resolve(value);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        send({ kind: 'call', id, call });
      });

  const lose = (number: number): void => {
    const link = links.get(number);
    if (link === undefined) return;
    links.delete(number);
    link.lost = true;
    for (const inbox of link.inboxes.values()) inbox.wake?.();
  };

  return {
    connect: async ({ address, timeoutMs, gattTimeoutMs, send, signal }) => {
      const carry = carrier(send);
      const value = await carry({ kind: 'connect', address, timeoutMs }, timeoutMs, signal);
      const number = typeof value === 'number' ? value : 0;
      const link: OpenLink = { inboxes: new Map(), lost: false };
      links.set(number, link);
      return gattLink({ number, link, carry, limitMs: gattTimeoutMs, release: () => lose(number) });
    },
    answer: (message) => {
      switch (message.kind) {
        case 'result':
          pending.get(message.id)?.resolve(message.value);
          break;
        case 'failure':
          pending.get(message.id)?.reject(radioFailure(message.code, { detail: message.detail }));
          break;
        case 'notification': {
          const inbox = links.get(message.link)?.inboxes.get(message.characteristic);
          if (inbox === undefined) break;
          inbox.values.push(message.bytes);
          if (inbox.values.length > WAITING_NOTIFICATIONS) inbox.values.shift();
          inbox.wake?.();
          break;
        }
        case 'link-lost':
          lose(message.link);
          break;
      }
    },
    loseAll: () => {
      for (const number of links.keys()) lose(number);
      for (const call of pending.values())
        call.reject(radioFailure('gatt-lost', { detail: 'the radio process ended' }));
    },
  };
}

interface LinkParts {
  readonly number: number;
  readonly link: OpenLink;
  readonly carry: Carry;
  readonly limitMs: number;
  readonly release: () => void;
}

function gattLink({ number, link, carry, limitMs, release }: LinkParts): GattLink {
  return {
    read: async (service, characteristic, signal) => {
      const value = await carry({ kind: 'read', link: number, service, characteristic }, limitMs, signal);
      return value instanceof Uint8Array ? value : new Uint8Array();
    },
    write: async (service, characteristic, bytes, signal) => {
      await carry({ kind: 'write', link: number, service, characteristic, bytes }, limitMs, signal);
    },
    async *notifications(service, characteristic, signal) {
      const key = `${service}/${characteristic}`;
      const inbox = link.inboxes.get(key) ?? { values: [], wake: undefined };
      link.inboxes.set(key, inbox);
      await carry({ kind: 'subscribe', link: number, service, characteristic }, limitMs, signal);
      const onAbort = (): void => inbox.wake?.();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const value = inbox.values.shift();
          if (value !== undefined) yield value;
          else if (link.lost) return;
          else
            await new Promise<void>((resolve) => {
              inbox.wake = resolve;
            });
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (link.lost) return;
      release();
      // The radio process bounds it; a link that cannot be closed in time is closed by the next connection's failure.
      await carry({ kind: 'disconnect', link: number }, limitMs, new AbortController().signal).catch(() => undefined);
    },
  };
}
