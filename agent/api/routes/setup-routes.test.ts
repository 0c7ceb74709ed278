import { expect, test, vi } from 'vitest';
import { json, post } from '../../../scripts/lib/scripted-calls.ts';
import { scriptedKit, type ScriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP } from '../../../scripts/lib/scripted-shop.ts';
import { MAX_WEIGHINGS, WEIGHING_MS } from './setup-routes.ts';

const PATH = '/v1/drivers/shelves/sensors/s2/weight';

function shop(): ScriptedKit {
  const kit = scriptedKit();
  kit.status = OPEN_SHOP;
  return kit;
}

const says = (kit: ScriptedKit, sensorId: string, value: number, unit = 'kg'): void =>
  void kit.event('shelf', 'barrow.sensor.v1', {
    sensorId,
    measurements: [{ name: 'mass', value, unit }],
    rssiDbm: -60,
  });

/** Lets this many seconds pass, one by one, so that whoever sleeps a second wakes as often. */
async function pass(
  kit: ScriptedKit,
  seconds: number,
  each: (second: number) => void = () => undefined,
): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    each(second);
    await new Promise((resolve) => setImmediate(resolve));
    kit.clock.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a weight that was told before and does not change is steady after twelve seconds', async () => {
  const kit = shop();
  says(kit, 's2', 0.94);
  says(kit, 's1', 3);
  const answer = kit.call({ path: PATH });
  await pass(kit, 12);
  expect(json(await answer)).toEqual({
    sensorId: 's2',
    grams: 940,
    noiseGrams: 0,
    weights: Array.from({ length: 12 }, () => 940),
  });
});

test('what is put down while it is measured is waited for, in the sensor’s own unit', async () => {
  const kit = shop();
  says(kit, 's2', 0.1);
  const answer = kit.call({ path: PATH });
  await pass(kit, 25, (second) => {
    if (second === 6) says(kit, 's2', 2, 'lb');
  });
  const { grams, weights } = json(await answer) as { grams: number; weights: number[] };
  expect(grams).toBeCloseTo(907.2, 0);
  expect(weights.slice(0, 6)).toEqual([100, 100, 100, 100, 100, 100]);
});

test('a shelf that never comes to rest, or says nothing, is told as such', async () => {
  const kit = shop();
  const restless = kit.call({ path: PATH });
  await pass(kit, WEIGHING_MS / 1_000, (second) => says(kit, 's2', second / 5));
  expect(json(await restless)).toMatchObject({
    error: { code: 'weight-unsteady', hint: expect.any(String) as string },
  });
  const mute = kit.call({ path: PATH.replace('s2', 's1') });
  await pass(kit, WEIGHING_MS / 1_000);
  const answer = await mute;
  expect(answer.status).toBe(409);
  expect(json(answer)).toMatchObject({ error: { message: expect.stringContaining('told no weight') as string } });
});

test('a sensor that is none is refused, and so is one weighing too many', async () => {
  const kit = shop();
  for (const path of ['/v1/drivers/shelves/sensors/s99/weight', '/v1/drivers/terminal/sensors/terminal/weight'])
    expect((await kit.call({ path })).status, path).toBe(404);
  const gone = new AbortController();
  const running = Array.from({ length: MAX_WEIGHINGS }, () => kit.call({ path: PATH, signal: gone.signal }));
  await vi.waitFor(async () => expect((await kit.call({ path: PATH })).status).toBe(503));
  gone.abort();
  for (const one of running) expect((await one).status).toBe(409);
  says(kit, 's2', 1);
  const after = kit.call({ path: PATH });
  await pass(kit, 12);
  expect((await after).status).toBe(200);
});

test('two weights become the numbers for kit.yaml, as the command makes them', async () => {
  const kit = shop();
  const empty = { grams: 40, noiseGrams: 2, weights: [40, 40, 50] };
  const answer = await post(kit, '/v1/calibrations', {
    items: 5,
    empty,
    full: { grams: 940, noiseGrams: 3, weights: [940, 950] },
  });
  expect(json(answer)).toEqual({ unitGrams: 180, emptyGrams: 40, noiseGrams: 3, quantumGrams: 10, countable: true });
  const light = { items: 5, empty, full: { grams: 60, noiseGrams: 3, weights: [60, 70] } };
  expect(json(await post(kit, '/v1/calibrations', light))).toMatchObject({ unitGrams: 4, countable: false });
  const alike = await post(kit, '/v1/calibrations', { items: 5, empty, full: empty });
  expect(alike.status).toBe(422);
  expect(json(alike)).toMatchObject({ error: { code: 'weights-alike' } });
  for (const items of [0, 1.5, 1_001])
    expect((await post(kit, '/v1/calibrations', { items, empty, full: empty })).status).toBe(400);
});

test('the page to aim a camera is the kit’s affair; without one it says what to do instead', async () => {
  expect(json(await post(shop(), '/v1/drivers/door/aim', {}))).toMatchObject({ error: { code: 'aim-off' } });
  const asked: string[] = [];
  const kit = scriptedKit({
    parts: {
      aim: (driverId) => {
        asked.push(driverId);
        return Promise.resolve({ url: 'http://127.0.0.1:4000/key/', endsAt: '2026-11-27T10:25:30.123Z' });
      },
    },
  });
  const answer = await post(kit, '/v1/drivers/door/aim', {});
  expect([answer.status, asked]).toEqual([200, ['door']]);
  expect(json(answer)).toEqual({ url: 'http://127.0.0.1:4000/key/', endsAt: '2026-11-27T10:25:30.123Z' });
});

test('none of it without the token', async () => {
  const kit = scriptedKit({ token: 'correct-horse-battery', listen: '0.0.0.0:8080' });
  for (const path of ['/v1/calibrations', '/v1/drivers/door/aim'])
    expect((await post(kit, path, {})).status, path).toBe(401);
  expect((await kit.call({ path: PATH })).status).toBe(401);
});
