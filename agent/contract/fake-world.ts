import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Chance, Clock, MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { DriverIo, Log } from '../../drivers/api/driver.ts';
import type {
  Advertisement,
  BleRadio,
  ByteLink,
  CameraFeed,
  CameraSignal,
  Detection,
  RadioHealth,
  RadioSignal,
} from '../../drivers/api/transports.ts';

/** Virtual time that passes in one fake world before its clock stands still. */
const WORLD_MS = 120_000;
const GARBAGE_CHUNKS = 200;

export interface FakeWorld {
  readonly io: DriverIo;
  /** Transports that are open now. */
  open(): number;
  /** Transports ever opened. */
  opened(): number;
}

export interface FakeWorldOptions {
  readonly driverId: string;
  readonly seed: number;
  /** Every device is absent: opening throws `device-absent`. */
  readonly absent?: boolean;
}

const absentEntry = { sentence: 'The device is not there', hint: 'Plug it in' };

/** A world whose every device speaks garbage, seeded: what a driver must survive. */
export function fakeWorld(options: FakeWorldOptions): FakeWorld {
  const chance = seededChance(options.seed);
  const clock = hurriedClock();
  let open = 0;
  let opened = 0;
  const enter = <T>(make: () => T): T => {
    if (options.absent === true) throw new AgentError('device-absent', absentEntry);
    open += 1;
    opened += 1;
    return make();
  };
  const leave = (): Promise<void> => {
    open -= 1;
    return Promise.resolve();
  };
  const io: DriverIo = {
    driverId: options.driverId,
    kit: { id: 'contract', currency: 'EUR' },
    clock,
    chance,
    log: silentLog,
    serial: async () => enter(() => garbageLink(chance, clock, leave)),
    tcp: async () => enter(() => garbageLink(chance, clock, leave)),
    radio: async () => enter(() => garbageRadio(chance, clock, leave)),
    camera: async () => enter(() => garbageCamera(chance, clock, leave)),
    secret: async () => new TextEncoder().encode('000000'),
    saved: () => undefined,
    payments: {
      record: nothing,
      conclude: nothing,
      finish: nothing,
      open: () => [],
      remember: nothing,
      recall: () => undefined,
    },
  };
  return { io, open: () => open, opened: () => opened };
}

function garbageLink(chance: Chance, clock: Clock, leave: () => Promise<void>): ByteLink {
  const once = onceOnly(leave);
  return {
    droppedBytes: 0,
    async *chunks(signal) {
      for (let chunk = 0; chunk < GARBAGE_CHUNKS && !signal.aborted; chunk += 1) {
        await clock.sleep(20, signal);
        yield chance.bytes(1 + Math.floor(chance.float() * 120));
      }
      await never(signal);
    },
    write: () => Promise.resolve(),
    close: once,
    [Symbol.asyncDispose]: once,
  };
}

function garbageRadio(chance: Chance, clock: Clock, leave: () => Promise<void>): BleRadio {
  const health: RadioHealth = {
    state: 'scanning',
    code: null,
    adverts: 0,
    dropped: 0,
    restarts: 0,
    lastAdvertMono: null,
  };
  return {
    async *signals(signal): AsyncGenerator<RadioSignal> {
      yield { kind: 'health', health };
      for (let count = 0; count < GARBAGE_CHUNKS && !signal.aborted; count += 1) {
        await clock.sleep(20, signal);
        yield { kind: 'advert', advert: garbageAdvert(chance, clock) };
      }
      await never(signal);
    },
    connect: () => Promise.reject(new AgentError('device-absent', absentEntry)),
    health: () => health,
    [Symbol.asyncDispose]: onceOnly(leave),
  };
}

function garbageAdvert(chance: Chance, clock: Clock): Advertisement {
  const uuids = ['fcd2', '181d', '181b', 'feaa', 'ffe1'];
  const address = Array.from(chance.bytes(6), (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
  return {
    address: chance.float() < 0.5 ? 'A4:C1:38:8D:18:B2' : address,
    addressType: 'random',
    rssiDbm: -60,
    connectable: false,
    atMono: clock.monoMs(),
    serviceData: [
      {
        uuid: uuids[Math.floor(chance.float() * uuids.length)] ?? 'fcd2',
        data: chance.bytes(Math.floor(chance.float() * 32)),
      },
    ],
    manufacturerData: chance.float() < 0.5 ? undefined : chance.bytes(Math.floor(chance.float() * 28)),
  };
}

function garbageCamera(chance: Chance, clock: Clock, leave: () => Promise<void>): CameraFeed {
  return {
    async *signals(signal): AsyncGenerator<CameraSignal> {
      for (let frame = 1; frame <= GARBAGE_CHUNKS && !signal.aborted; frame += 1) {
        await clock.sleep(200, signal);
        const detections = Array.from({ length: Math.floor(chance.float() * 20) }, (): Detection => ({
          x: wild(chance),
          y: wild(chance),
          width: wild(chance),
          height: wild(chance),
          score: chance.float(),
        }));
        yield {
          kind: 'frame',
          atMono: clock.monoMs(),
          frame: {
            frame,
            atMs: frame * 200,
            widthPx: 768,
            heightPx: 576,
            detections,
            stagesMs: { decode: 0, inference: 0, post: 0 },
          },
        };
      }
      await never(signal);
    },
    [Symbol.asyncDispose]: onceOnly(leave),
  };
}

function wild(chance: Chance): number {
  return chance.float() * 1_600 - 400;
}

/** Time that passes as soon as somebody waits for it, up to a limit; then it stands still until the signal fires. */
function hurriedClock(): Clock {
  let now = 0;
  return {
    wallMs: () => (1_700_000_000_000 + now) as WallMs,
    monoMs: () => now as MonoMs,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      if (now >= WORLD_MS) return never(signal);
      now += ms;
      await Promise.resolve();
      signal.throwIfAborted();
    },
  };
}

/** Mulberry32: small, seeded, good enough for garbage. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { float, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(float() * 256)) };
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fire = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true });
  });
}

function onceOnly(leave: () => Promise<void>): () => Promise<void> {
  let left: Promise<void> | undefined;
  return () => (left ??= leave());
}

function nothing(): void {
  // The fake journal keeps nothing.
}

const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
