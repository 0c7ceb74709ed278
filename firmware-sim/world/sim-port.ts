import type { ByteLink } from '../../drivers/api/transports.ts';
import { linkFailure } from '../../drivers/lib/link-errors.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';
import { untilWoken } from '../../drivers/lib/until-woken.ts';

/** A serial device that can be unplugged. */
export interface SimPort {
  plugged: boolean;
  open(life: Life): Promise<ByteLink>;
  /** Bytes from the device; true when a process has the port open and gets them. */
  send(bytes: Uint8Array): boolean;
}

export function simPort(scheduler: Scheduler): SimPort {
  let plugged = true;
  let link: { life: Life; queue: Uint8Array[]; state: 'open' | 'lost' | 'closed'; wake: () => void } | null = null;
  return {
    get plugged() {
      return plugged;
    },
    set plugged(value) {
      plugged = value;
      if (value || link === null) return;
      link.state = 'lost';
      link.wake();
      link = null;
    },
    open(life) {
      return life.outside(
        new Promise<ByteLink>((resolve, reject) => {
          scheduler.after(5, () => {
            if (!plugged) {
              reject(linkFailure('port-missing', { detail: 'simulated' }));
              return;
            }
            const own = {
              life,
              queue: [] as Uint8Array[],
              state: 'open' as 'open' | 'lost' | 'closed',
              wake: () => {},
            };
            link = own;
            resolve({
              async *chunks(signal) {
                for (;;) {
                  for (let next = own.queue.shift(); next !== undefined; next = own.queue.shift()) yield next;
                  if (own.state === 'lost') throw linkFailure('port-lost', { detail: 'simulated' });
                  if (own.state === 'closed' || signal.aborted) return;
                  await life.outside(untilWoken((wake) => (own.wake = wake), signal));
                }
              },
              write: async () => undefined,
              droppedBytes: 0,
              close: async () => {
                if (own.state === 'open') own.state = 'closed';
                if (link === own) link = null;
                own.wake();
              },
              [Symbol.asyncDispose]: async () => {
                if (own.state === 'open') own.state = 'closed';
                if (link === own) link = null;
                own.wake();
              },
            });
          });
        }),
      );
    },
    send(bytes) {
      if (link === null || !link.life.alive || link.state !== 'open') return false;
      link.queue.push(bytes);
      link.wake();
      return true;
    },
  };
}
