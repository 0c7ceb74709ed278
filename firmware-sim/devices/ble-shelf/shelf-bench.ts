import { openRadio } from '../../../agent/host/ble/open-radio.ts';
import type { RadioSettings } from '../../../agent/host/ble/radio-settings.ts';
import { systemChance, systemClock } from '../../../agent/host/clock.ts';
import type { DriverIo, DriverSession, Log } from '../../../drivers/api/driver.ts';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { EventReading, Json, JsonObject, Reading, Saves, StateReading } from '../../../drivers/api/reading.ts';
import type { BleRadio } from '../../../drivers/api/transports.ts';
import { driver } from '../../../drivers/ble-shelf/index.ts';
import { createController, type ControllerOptions, type VirtualController } from '../../bluetooth/controller.ts';
import { openHciServer, type HciAddress, type HciServer } from '../../wire/hci-server.ts';

export interface ShelfBenchOptions {
  readonly library?: 'abandonware' | 'stoprocent';
  readonly controller?: Partial<ControllerOptions>;
  readonly radio?: Partial<RadioSettings>;
  /** Serves the controller here instead of on a free TCP port. */
  readonly path?: string;
}

/** A controller on a real socket and the real radio process at its other end. */
export interface RadioBench extends AsyncDisposable {
  readonly controller: VirtualController;
  readonly server: HciServer;
  readonly radio: BleRadio;
  /** Every log line: event name and fields. */
  readonly logged: readonly { readonly event: string; readonly fields: JsonObject }[];
  readonly signal: AbortSignal;
}

const clock = systemClock();
const chance = systemChance();
const absent = { sentence: 'This does not exist on the bench', hint: 'Give it to the bench' };
const nowhere = (): never => {
  throw new AgentError('bench-absent', absent);
};

export async function radioBench(options: ShelfBenchOptions = {}): Promise<RadioBench> {
  const stop = new AbortController();
  const logged: { event: string; fields: JsonObject }[] = [];
  const note = (event: string, fields: JsonObject = {}): void => void logged.push({ event, fields });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const controller = createController({ clock, chance, ...options.controller });
  const address: HciAddress = options.path === undefined ? { port: 0 } : { path: options.path };
  const server = await openHciServer(address, controller, stop.signal);
  const library = options.library ?? 'abandonware';
  const radio = await openRadio({ ...server.radio, library }, { clock, log }, stop.signal, options.radio);
  return {
    controller,
    server,
    radio,
    logged,
    signal: stop.signal,
    [Symbol.asyncDispose]: async () => {
      await radio[Symbol.asyncDispose]();
      stop.abort(new Error('bench closed'));
      controller[Symbol.dispose]();
    },
  };
}

/** The shelf driver at work on a {@link RadioBench}; what it saves outlives its sessions, as in the ledger. */
export interface ShelfBench extends RadioBench {
  readonly readings: readonly Reading[];
  readonly events: readonly EventReading[];
  readonly states: readonly StateReading[];
  readonly saved: ReadonlyMap<string, Json>;
}

export async function shelfBench(
  sensors: readonly JsonObject[],
  options: ShelfBenchOptions & {
    readonly keys?: Readonly<Record<string, string>>;
    readonly saved?: Map<string, Json>;
  } = {},
): Promise<ShelfBench> {
  const bench = await radioBench(options);
  const readings: Reading[] = [];
  const saved = options.saved ?? new Map<string, Json>();
  const io: DriverIo = {
    driverId: 'shelves',
    kit: { id: 'bench', currency: 'EUR' },
    clock,
    chance,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    serial: () => nowhere(),
    tcp: () => nowhere(),
    camera: () => nowhere(),
    radio: () => Promise.resolve(bench.radio),
    secret: (ref) => Promise.resolve(Buffer.from(options.keys?.['file' in ref ? ref.file : ''] ?? '', 'latin1')),
    saved: (key) => saved.get(key),
    payments: {
      record: nowhere,
      conclude: nowhere,
      finish: nowhere,
      open: nowhere,
      remember: nowhere,
      recall: nowhere,
    },
  };
  const config = driver.config.parse({ radio: bench.server.radio, sensors });
  const session: DriverSession = await driver.open(config, io, bench.signal);
  const keep = (saves: Saves): void => {
    for (const [key, value] of Object.entries(saves)) saved.set(key, value);
  };
  const reading = (async () => {
    for await (const entry of session.readings(bench.signal)) {
      readings.push(entry);
      if (entry.kind !== 'state' && entry.saves !== undefined) keep(entry.saves);
    }
  })();
  return {
    ...bench,
    readings,
    saved,
    get events() {
      return readings.filter((entry) => entry.kind === 'event');
    },
    get states() {
      return readings.filter((entry) => entry.kind === 'state');
    },
    [Symbol.asyncDispose]: async () => {
      await bench[Symbol.asyncDispose]();
      await reading;
    },
  };
}
