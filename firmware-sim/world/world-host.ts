import type { Log } from '../../drivers/api/driver.ts';
import type { ApiRequest, ApiResponse, Host } from '../../agent/core/host.ts';
import { flooredClock } from '../../agent/clock/floored-clock.ts';
import type { Life, MachineClock } from './life.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { SimBroker } from './sim-broker.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimPort } from './sim-port.ts';
import type { SimRadio } from './sim-radio.ts';
import type { SimTerminal } from './sim-terminal.ts';

export interface WorldParts {
  readonly clock: MachineClock;
  readonly disk: SimDisk;
  readonly broker: SimBroker;
  readonly port: SimPort;
  readonly radio: SimRadio;
  readonly terminal: SimTerminal;
  readonly log: Log;
  /** PEM. */
  readonly merchantKey: string;
}

/** Beside the terminal's password the only secret of this world. */
export const MERCHANT_KEY_FILE = 'merchant.pub';

/** The machine as one process finds it. */
export interface WorldHost extends Host {
  /** The local API, once it listens. */
  readonly api: ((request: ApiRequest) => Promise<ApiResponse>) | null;
}

export function worldHost(parts: WorldParts, life: Life, chance: SeededChance): WorldHost {
  const clock = flooredClock(parts.clock.forLife(life));
  let api: WorldHost['api'] = null;
  const absent = (what: string): Promise<never> => Promise.reject(new Error(`there is no ${what} in this world`));
  return {
    clock,
    chance,
    log: parts.log,
    version: '0.0.0-world',
    runtime: 'world',
    get api() {
      return life.alive ? api : null;
    },
    openLedger: ({ maxBytes, retainAckedMs }) =>
      parts.disk.open(life, { maxBytes, retainAckedMs, clock, chance, log: parts.log }),
    serial: ({ path }) => (path === '/dev/terminal' ? parts.terminal : parts.port).open(life),
    tcp: () => absent('network device'),
    radio: () => parts.radio.open(life),
    camera: () => absent('camera'),
    broker: (options) => parts.broker.dial(life, options),
    http: async (_listen, handle) => {
      api = (request) => life.outside(handle(request));
      return {
        url: 'http://127.0.0.1:8080',
        [Symbol.asyncDispose]: async () => {
          api = null;
        },
      };
    },
    secret: async (ref) =>
      new TextEncoder().encode('file' in ref && ref.file === MERCHANT_KEY_FILE ? parts.merchantKey : '000000'),
    file: () => absent('file'),
    kept: parts.disk.kept(life),
    service: { ready: () => undefined, pet: () => undefined, status: () => undefined, stopping: () => undefined },
    machine: () => ({
      freeBytes: null,
      temperatureC: null,
      throttled: null,
      uptimeS: 0,
      rssBytes: 0,
      load1: null,
    }),
  };
}
