import { expect, test } from 'vitest';
import type { Advertisement } from '../../../drivers/api/transports.ts';
import { advertBatches, type AdvertBatches } from './advert-batches.ts';
import { BATCHES_UNDER_WAY, BATCH_ADVERTS, BATCH_MS, WAITING_ADVERTS } from './radio-wire.ts';

const advert = (index: number): Advertisement => ({
  address: String(index),
  addressType: 'public',
  rssiDbm: 0,
  connectable: false,
  atMono: index,
  serviceData: [],
  manufacturerData: undefined,
});

interface Bench {
  readonly batches: AdvertBatches;
  /** How many adverts each message held, and when it went. */
  readonly sent: { readonly atMs: number; readonly adverts: number }[];
  readonly last: () => string | undefined;
  readonly pass: (ms: number) => void;
}

function bench(): Bench {
  let nowMs = 1_000;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  let newest: string | undefined;
  const sent: { atMs: number; adverts: number }[] = [];
  const batches = advertBatches(
    (adverts) => {
      sent.push({ atMs: nowMs, adverts: adverts.length });
      newest = adverts.at(-1)?.address;
    },
    { nowMs: () => nowMs, after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }) },
  );
  return {
    batches,
    sent,
    last: () => newest,
    pass: (ms) => {
      nowMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      timers = timers.filter(({ atMs }) => atMs > nowMs);
      for (const { run } of due) run();
    },
  };
}

test('an advert after a pause goes to the agent at once', () => {
  const { batches, sent, pass } = bench();
  batches.add(advert(1));
  expect(sent).toHaveLength(1);
  pass(BATCH_MS);
  batches.add(advert(2));
  expect(sent).toHaveLength(2);
});

test('adverts in quick succession share a message every few milliseconds', () => {
  const { batches, sent, pass } = bench();
  for (let index = 0; index < 500; index += 1) {
    batches.add(advert(index));
    batches.taken();
    pass(2);
  }
  pass(BATCH_MS);
  expect(sent.reduce((sum, { adverts }) => sum + adverts, 0)).toBe(500);
  expect(sent.length).toBeLessThanOrEqual(1_000 / BATCH_MS + 1);
  expect(Math.max(...sent.map(({ adverts }) => adverts))).toBe(BATCH_MS / 2);
});

test('an agent that takes nothing gets no more than a bounded number of messages; the oldest adverts give way, counted', () => {
  const { batches, sent, last, pass } = bench();
  for (let index = 0; index < BATCHES_UNDER_WAY; index += 1) {
    batches.add(advert(index));
    pass(BATCH_MS);
  }
  expect(sent).toHaveLength(BATCHES_UNDER_WAY);
  for (let index = 0; index < WAITING_ADVERTS + 10; index += 1) batches.add(advert(index));
  pass(BATCH_MS);
  expect(sent).toHaveLength(BATCHES_UNDER_WAY);
  expect(batches.dropped).toBe(10);
  batches.taken();
  expect(sent.at(-1)).toMatchObject({ adverts: BATCH_ADVERTS });
  expect(last()).toBe(String(9 + BATCH_ADVERTS));
});
