import type { Advertisement, BleRadio, RadioHealth, RadioSignal } from '../../drivers/api/transports.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';
import { untilWoken } from '../../drivers/lib/until-woken.ts';

/** The air around the kit, as its radio hears it. */
export interface SimRadio {
  open(life: Life): Promise<BleRadio>;
  /** An advertisement; true when a process listens. */
  say(advert: Omit<Advertisement, 'atMono'>): boolean;
}

const SIGNALS_WAITING = 8_192;

export function simRadio(scheduler: Scheduler, monoMs: () => number): SimRadio {
  let ear: { life: Life; queue: RadioSignal[]; wake: () => void; closed: boolean } | null = null;
  let adverts = 0;
  const health = (): RadioHealth => ({
    state: 'scanning',
    code: null,
    adverts,
    dropped: 0,
    restarts: 0,
    lastAdvertMono: monoMs(),
  });
  return {
    open(life) {
      const own = { life, queue: [] as RadioSignal[], wake: () => {}, closed: false };
      ear = own;
      const close = async (): Promise<void> => {
        own.closed = true;
        if (ear === own) ear = null;
        own.wake();
      };
      const radio: BleRadio = {
        async *signals(signal) {
          for (;;) {
            for (let next = own.queue.shift(); next !== undefined; next = own.queue.shift()) yield next;
            if (own.closed || signal.aborted) return;
            await life.outside(untilWoken((wake) => (own.wake = wake), signal));
          }
        },
        connect: () => Promise.reject(new Error('the simulated sensors are not connectable')),
        health,
        [Symbol.asyncDispose]: close,
      };
      return life.outside(new Promise((resolve) => void scheduler.after(50, () => resolve(radio))));
    },
    say(advert) {
      if (ear === null || !ear.life.alive || ear.queue.length >= SIGNALS_WAITING) return false;
      adverts += 1;
      ear.queue.push({ kind: 'advert', advert: { ...advert, atMono: monoMs() } });
      ear.wake();
      return true;
    },
  };
}
