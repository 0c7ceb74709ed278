import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { untilWoken } from './until-woken.ts';

test('waits for whoever was armed, and leaves no listener behind', async () => {
  const stop = new AbortController();
  let wake = (): void => undefined;
  let over = false;
  const waiting = untilWoken((armed) => (wake = armed), stop.signal).then(() => (over = true));
  await Promise.resolve();
  expect(over).toBe(false);
  wake();
  wake();
  await waiting;
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});

test('waits no longer than its signal, and arms nobody once that has fired', async () => {
  const stop = new AbortController();
  const waiting = untilWoken(() => undefined, stop.signal);
  stop.abort();
  await waiting;
  let armed = false;
  await untilWoken(() => (armed = true), stop.signal);
  expect(armed).toBe(false);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
