import type { MonoMs } from '../api/clock.ts';
import type { EventReading, JsonObject, Reading, Saves } from '../api/reading.ts';
import type { Advertisement } from '../api/transports.ts';
import { freshReplay, judgeCounter, judgePacket, type ReplayState } from './bthome-replay.ts';
import { freshCadence, patienceMs, speak, type Cadence } from './cadence.ts';
import { changedValues } from './changed-values.ts';
import type { SensorConfig } from './config.ts';
import type { DecodeFaultCode, DeviceEvent, SensorDecoding, SoundDecoding } from './decoding.ts';
import type { BleShelfErrorCode } from './errors.ts';
import { payloadsOf, readPayload, type Payload } from './payloads.ts';
import { RSSI_UNKNOWN } from './protocol.ts';
import { articlesOf, savedKey, type SavedSensor } from './saved-sensor.ts';
import { shelfKeeper } from './shelf-keeper.ts';

export const SENSOR = 'barrow.sensor.v1';
/** Bad frames in a row before the sensor counts as degraded: single ones are the weather of 2.4 GHz. */
const BAD_FRAMES = 3;
/**
 * A replay counter without an event is stored at most this often: after the minute at which unchanged values are told again and
 * their counter with them, so that no commit is spent on a counter alone. At one every ten seconds an encrypted sensor at rest
 * cost its kit's card 60 MB a day. A frame that no event came of says what the last one said: replaying it changes nothing.
 */
const SAVE_COUNTER_MS = 90_000;
/** The same bytes again within this time are one transmission heard twice. */
const ECHO_MS = 100;

const faultCodes: Readonly<Partial<Record<DecodeFaultCode, BleShelfErrorCode>>> = {
  'decrypt-failed': 'sensor-undecryptable',
  'not-encrypted': 'sensor-in-clear',
  'key-missing': 'sensor-keyless',
};

/** One configured sensor: frames in, readings out. Knows no radio and no time but what it is told. */
export interface Sensor {
  readonly config: SensorConfig;
  /** An advert that is this sensor's, by address or by the address in its payload. */
  hear(advert: Advertisement): readonly Reading[];
  /** A value that was read over a connection. */
  measure(decoded: SensorDecoding, atMono: MonoMs, rssiDbm: number | null): readonly Reading[];
  /** Time passed while the radio was well: finds silence. */
  tick(nowMono: MonoMs): readonly Reading[];
  /** The radio itself was deaf until now: silence before counts for nothing. */
  excuse(nowMono: MonoMs): void;
  readonly refused: number;
}

export interface SensorParts {
  readonly config: SensorConfig;
  readonly key: Uint8Array | undefined;
  readonly saved: SavedSensor | undefined;
  readonly nowMono: MonoMs;
}

export function sensor({ config, key, saved, nowMono }: SensorParts): Sensor {
  const part = config.id;
  const shelf = shelfKeeper(config, saved);
  const changed = changedValues();
  let cadence: Cadence = freshCadence(nowMono);
  let replay: ReplayState = freshReplay(saved?.counter ?? null, nowMono);
  let counterSavedMono: MonoMs = nowMono;
  let badFrames = 0;
  let refused = 0;
  let lastBytes: Uint8Array | undefined;
  let lastBytesMono = Number.NEGATIVE_INFINITY;
  let told: { readonly state: 'ready' | 'degraded' | 'silent'; readonly code: BleShelfErrorCode | null } | undefined;
  let triggerBased = false;

  const tell = (state: 'ready' | 'degraded' | 'silent', code: BleShelfErrorCode | null): Reading[] => {
    if (told?.state === state && told.code === code) return [];
    told = { state, code };
    return [{ kind: 'state', state, code, part }];
  };

  const refuse = (code: BleShelfErrorCode): Reading[] => {
    refused += 1;
    badFrames += 1;
    return badFrames < BAD_FRAMES ? [] : tell('degraded', code);
  };

  const saves = (): Saves => {
    counterSavedMono = cadence.lastMono as MonoMs;
    const state = { articles: articlesOf(config), counter: replay.counter, ...shelf?.saved() };
    return { [savedKey(config.id)]: state as JsonObject };
  };

  /** False for a frame that was heard before. */
  const isNew = (decoded: SoundDecoding, bytes: Uint8Array, atMono: number): boolean | 'replayed' => {
    if (decoded.counter !== undefined) {
      const judged = judgeCounter(replay, decoded.counter, atMono);
      replay = judged.state;
      if (judged.verdict !== 'new') return judged.verdict === 'replayed' ? 'replayed' : false;
    }
    const packetId = decoded.measurements.find((measurement) => measurement.name === 'packet_id')?.value;
    if (typeof packetId === 'number' && config.format === 'bthome') {
      const judged = judgePacket(replay, packetId, atMono);
      replay = judged.state;
      if (judged.verdict === 'duplicate') return false;
    }
    const echo = lastBytes !== undefined && atMono - lastBytesMono < ECHO_MS && sameBytes(lastBytes, bytes);
    lastBytes = bytes;
    lastBytesMono = atMono;
    return !echo;
  };

  const report = (decoded: SensorDecoding, atMono: MonoMs, rssiDbm: number | null): readonly Reading[] => {
    badFrames = 0;
    const readings: Reading[] = tell('ready', null);
    const counted = shelf?.observe(decoded.measurements) ?? [];
    const events = eventsOf(decoded);
    const values = changed.pick(decoded.measurements, atMono);
    const pending: Omit<EventReading, 'saves'>[] = [];
    if (values.length > 0 || events.length > 0) {
      const data: JsonObject = {
        sensorId: config.id,
        measurements: values.map((value) => ({ ...value })),
        rssiDbm,
        ...(events.length === 0 ? {} : { events: events.map((event) => ({ ...event })) }),
      };
      pending.push({ kind: 'event', type: SENSOR, atMono, subject: config.id, data });
    }
    for (const { type, data } of counted) pending.push({ kind: 'event', type, atMono, subject: config.id, data });
    // The state goes with the last of them: an event whose state is stored must not be lost by a crash in between.
    const last = pending.pop();
    readings.push(...pending);
    if (last !== undefined) readings.push({ ...last, saves: saves() });
    else if (decoded['counter'] !== undefined && atMono - counterSavedMono >= SAVE_COUNTER_MS)
      readings.push({ kind: 'save', saves: saves() });
    return readings;
  };

  const hearPayload = (payload: Payload, advert: Advertisement): readonly Reading[] => {
    const decoded = readPayload(payload, {
      address: config.address,
      ...(key === undefined ? {} : { key }),
    });
    if (!decoded.ok) return refuse(faultCodes[decoded.error.code] ?? 'sensor-damaged');
    triggerBased = decoded.triggerBased === true;
    const fresh = isNew(decoded, payload.data, advert.atMono);
    if (fresh === 'replayed') return refuse('sensor-replayed');
    const rssiDbm = advert.rssiDbm === RSSI_UNKNOWN ? null : advert.rssiDbm;
    return fresh ? report(decoded, advert.atMono as MonoMs, rssiDbm) : [];
  };

  return {
    config,
    hear: (advert) => {
      cadence = speak(cadence, advert.atMono);
      const payloads = payloadsOf({
        serviceData: advert.serviceData,
        manufacturerData: advert.manufacturerData === undefined ? [] : [advert.manufacturerData],
      });
      return payloads.flatMap((payload) => (payload.format === config.format ? hearPayload(payload, advert) : []));
    },
    measure: (decoded, atMono, rssiDbm) => {
      cadence = speak(cadence, atMono);
      return decoded.ok ? report(decoded, atMono, rssiDbm) : refuse('sensor-damaged');
    },
    tick: (nowMono) => {
      // A sensor that speaks only when something happens is allowed its silence.
      if (cadence.silent || triggerBased || nowMono - cadence.lastMono < patienceMs(cadence, config.silentAfterMs))
        return [];
      cadence = { ...cadence, silent: true };
      return tell('silent', cadence.heard === 0 ? 'sensor-unheard' : 'sensor-silent');
    },
    excuse: (nowMono) => {
      cadence = { ...cadence, lastMono: Math.max(cadence.lastMono, nowMono) };
    },
    get refused() {
      return refused;
    },
  };
}

function eventsOf(decoded: SensorDecoding): readonly DeviceEvent[] {
  const events = decoded['events'];
  if (!Array.isArray(events)) return [];
  return (events as readonly DeviceEvent[]).filter((event) => event.value !== 'none');
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
