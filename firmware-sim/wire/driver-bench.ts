import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { openSerial } from '../../agent/host/serial/open-serial.ts';
import { openTcp } from '../../agent/host/tcp.ts';
import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Driver, DriverIo, Log } from '../../drivers/api/driver.ts';
import type { EventReading, JsonObject, Reading, StateReading } from '../../drivers/api/reading.ts';

/** A driver at work on real ports, without the agent around it: what it reads is kept to be looked at. */
export interface DriverBench extends AsyncDisposable {
  readonly readings: readonly Reading[];
  readonly events: readonly EventReading[];
  readonly states: readonly StateReading[];
  /** Every log line as JSON. */
  readonly logged: readonly string[];
  /** Resolves once `wanted` holds of this bench; rejects after `timeoutMs` or when the driver failed. */
  until(wanted: (bench: DriverBench) => boolean, timeoutMs?: number): Promise<void>;
}

export interface BenchOptions<C> {
  readonly driver: Driver<C>;
  /** As in kit.yaml, without `id` and `type`. */
  readonly config: unknown;
  readonly driverId?: string;
  /** Secrets by the name of their file. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Takes so long over each reading, as a slow disk does. */
  readonly pauseMs?: number;
}

const missing = { sentence: 'This does not exist on the bench', hint: 'Give it to the bench' };

function absent(): never {
  throw new AgentError('bench-absent', missing);
}

/** Starts a driver on the machine's own ports. Payments, radios and cameras do not exist here. */
export async function driverBench<C>(options: BenchOptions<C>): Promise<DriverBench> {
  const { driver } = options;
  const clock = systemClock();
  const readings: Reading[] = [];
  const logged: string[] = [];
  const stop = new AbortController();
  const waiting = new Set<() => void>();
  let failure: unknown;
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const log = (level: string) => (event: string, fields?: JsonObject) => {
    logged.push(JSON.stringify({ level, event, ...fields }));
    wake();
  };
  const logger: Log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const io: DriverIo = {
    driverId: options.driverId ?? 'd1',
    kit: { id: 'bench', currency: 'EUR' },
    clock,
    chance: systemChance(),
    log: logger,
    serial: (wanted, signal) => openSerial(wanted, { clock, log: logger }, signal),
    tcp: (wanted, signal) => openTcp(wanted, { clock, log: logger }, signal),
    radio: () => absent(),
    camera: () => absent(),
    secret: async (ref) => new TextEncoder().encode(('file' in ref && options.secrets?.[ref.file]) || absent()),
    saved: () => undefined,
    payments: {
      record: absent,
      conclude: absent,
      finish: absent,
      open: () => [],
      remember: absent,
      recall: () => undefined,
    },
  };
  const session = await driver.open(driver.config.parse(options.config), io, stop.signal);
  const running = (async () => {
    try {
      for await (const reading of session.readings(stop.signal)) {
        readings.push(reading);
        wake();
        if (options.pauseMs !== undefined) await clock.sleep(options.pauseMs, stop.signal);
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      failure = error;
      wake();
    }
  })();

  const bench: DriverBench = {
    readings,
    logged,
    get events() {
      return readings.filter((reading) => reading.kind === 'event');
    },
    get states() {
      return readings.filter((reading) => reading.kind === 'state');
    },
    until: (wanted, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const end = new AbortController();
        const look = (): void => {
          if (failure !== undefined) reject(failure instanceof Error ? failure : new Error('the driver failed'));
          else if (wanted(bench)) resolve();
          else return;
          waiting.delete(look);
          end.abort();
        };
        waiting.add(look);
        void clock.sleep(timeoutMs, end.signal).then(
          () => {
            waiting.delete(look);
            reject(
              new Error(`the driver did not get there within ${timeoutMs} ms: ${JSON.stringify(readings.slice(-3))}`),
            );
          },
          () => undefined,
        );
        look();
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await session[Symbol.asyncDispose]();
      await running;
    },
  };
  return bench;
}
