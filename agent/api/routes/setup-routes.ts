import { z } from 'zod';
import type { Clock } from '../../../drivers/api/clock.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { calibrate, quantum, steady, tooLight } from '../../cli/ble/calibration.ts';
import type { CloudEvent } from '../../core/event.ts';
import type { AgentView } from '../../core/status.ts';
import { aimSchema, calibrationSchema, weightSchema } from '../answer-schemas.ts';
import { jsonAnswer } from '../answer.ts';
import type { ApiParts } from '../api-parts.ts';
import { apiFailure } from '../errors.ts';
import { readBodyAs } from '../read-request.ts';
import type { Call, Route } from '../route.ts';
import { noInput } from '../schemas.ts';

/** A sensor tells each change at once, so that between two events its weight is the last one told. */
const SAMPLE_MS = 1_000;
/** A weight that does not change is told once a minute; a steady one then takes twelve samples. */
export const WEIGHING_MS = 90_000;
/** Weighings that may run at once: each is a reader of the live feed. */
export const MAX_WEIGHINGS = 4;
const GRAMS_PER: Readonly<Record<string, number>> = { kg: 1_000, lb: 453.592_37, jin: 500 };

interface Weight {
  readonly grams: number;
  readonly noiseGrams: number;
  /** The weights that it was made of, for the step in which the sensor reports. */
  readonly weights: readonly number[];
}

interface CalibrationRequest {
  readonly items: number;
  readonly empty: Weight;
  readonly full: Weight;
}

const grams = z.number().min(-1_000_000).max(1_000_000);
const weight = z.strictObject({
  grams,
  noiseGrams: z.number().min(0).max(1_000_000),
  weights: z
    .array(grams)
    .min(1)
    .max(WEIGHING_MS / SAMPLE_MS),
});
const calibrationRequest: z.ZodType<CalibrationRequest> = z.strictObject({
  items: z.int().min(1).max(1_000),
  empty: weight,
  full: weight,
});

type Parts = Pick<ApiParts, 'view' | 'clock' | 'aim'>;

/** What a technician sets up with the shelf and the camera before him. Nothing here changes kit.yaml. */
export function setupRoutes(parts: Parts): readonly Route[] {
  return [weighing(parts), calibration(), aiming(parts)];
}

function weighing({ view, clock }: Parts): Route {
  let running = 0;
  return {
    method: 'GET',
    path: '/v1/drivers/{driverId}/sensors/{sensorId}/weight',
    summary: 'Waits until a shelf’s weight is steady, up to 90 s, and tells it',
    answers: [
      {
        status: 200,
        description: 'The steady weight',
        schema: weightSchema,
        example: { sensorId: 's1', grams: 940.2, noiseGrams: 3.1, weights: [940, 940, 950] },
      },
    ],
    handle: async (call) => {
      const driverId = call.params['driverId'] ?? '';
      const sensorId = call.params['sensorId'] ?? '';
      if (!isKnown(view, driverId, sensorId)) throw apiFailure('sensor-unknown', { detail: sensorId });
      if (running >= MAX_WEIGHINGS) throw apiFailure('streams-full');
      running += 1;
      try {
        return jsonAnswer(200, { sensorId, ...(await weigh({ view, clock }, sensorId, call.signal)) });
      } finally {
        running -= 1;
      }
    },
  };
}

function calibration(): Route {
  const one = { grams: 40, noiseGrams: 1.5, weights: [40, 40, 50] };
  return {
    method: 'POST',
    path: '/v1/calibrations',
    summary: 'The numbers for kit.yaml from the weights of a shelf empty and with some items; changes nothing',
    idempotency: 'api',
    body: {
      schema: calibrationRequest,
      example: { items: 5, empty: one, full: { grams: 940, noiseGrams: 1.5, weights: [940, 950] } },
    },
    answers: [
      {
        status: 200,
        description: 'What to write',
        schema: calibrationSchema,
        example: { unitGrams: 180, emptyGrams: 40, noiseGrams: 1.5, quantumGrams: 10, countable: true },
      },
    ],
    handle: ({ body }) => {
      const { items, empty, full } = readBodyAs(calibrationRequest, body);
      const result = calibrate(empty, full, items, quantum([empty.weights, full.weights]));
      if (result === undefined) throw apiFailure('weights-alike');
      return jsonAnswer(200, { ...result, countable: !tooLight(result) });
    },
  };
}

function aiming({ aim }: Parts): Route {
  return {
    method: 'POST',
    path: '/v1/drivers/{driverId}/aim',
    summary: 'Opens the page to aim a camera, on the kit itself only, for ten minutes',
    idempotency: 'api',
    body: { schema: noInput, example: {} },
    answers: [
      {
        status: 200,
        description: 'Where it is',
        schema: aimSchema,
        example: { url: 'http://127.0.0.1:40123/k3f9…/', endsAt: '2026-11-27T10:25:30.123Z' },
      },
      { status: 501, description: 'This agent opens none' },
    ],
    handle: async (call: Call) => {
      readBodyAs(noInput, call.body);
      if (aim === undefined) throw apiFailure('aim-off');
      return jsonAnswer(200, { ...(await aim(call.params['driverId'] ?? '')) });
    },
  };
}

function isKnown(view: AgentView, driverId: string, sensorId: string): boolean {
  const driver = view.status().drivers.find(({ id, type }) => id === driverId && type === 'ble-shelf');
  if (driver === undefined) return false;
  return (
    driver.parts.some(({ part }) => part === sensorId) || driver.latest.some(({ subject }) => subject === sensorId)
  );
}

/** One steady weight, by the same rule as `barrow ble calibrate`. Throws `weight-unsteady` after 90 s. */
async function weigh(
  { view, clock }: { readonly view: AgentView; readonly clock: Clock },
  sensorId: string,
  outer: AbortSignal,
): Promise<Weight> {
  const over = new AbortController();
  const stop = (): void => over.abort(new Error('weighed'));
  outer.addEventListener('abort', stop, { once: true });
  let told = view.recent(200).reduce<number | null>((last, event) => massOf(event, sensorId) ?? last, null);
  const weights: number[] = [];
  const listening = (async () => {
    for await (const event of view.live(over.signal)) told = massOf(event, sensorId) ?? told;
  })();
  try {
    for (const untilMono = clock.monoMs() + WEIGHING_MS; clock.monoMs() < untilMono;) {
      await clock.sleep(SAMPLE_MS, over.signal).catch((error: unknown) => {
        throw apiFailure('weight-unsteady', { detail: 'nobody waits for it any more', cause: error });
      });
      if (told === null) continue;
      weights.push(told);
      const found = steady(weights);
      if (found !== undefined) return { ...found, weights: weights.slice(-WEIGHING_MS / SAMPLE_MS) };
    }
  } finally {
    outer.removeEventListener('abort', stop);
    stop();
    await listening;
  }
  throw apiFailure('weight-unsteady', {
    detail: told === null ? 'it has told no weight' : `last ${Math.round(told)} g`,
  });
}

/** Grams that an event tells of this sensor; `null` when it tells none. */
function massOf({ type, data }: CloudEvent, sensorId: string): number | null {
  if (type !== 'barrow.sensor.v1' || data['sensorId'] !== sensorId || !Array.isArray(data['measurements'])) return null;
  const measurements = data['measurements'] as readonly JsonObject[];
  const { value, unit } = measurements.find(({ name }) => name === 'mass') ?? {};
  const factor = typeof unit === 'string' ? GRAMS_PER[unit] : undefined;
  return typeof value === 'number' && factor !== undefined ? value * factor : null;
}
