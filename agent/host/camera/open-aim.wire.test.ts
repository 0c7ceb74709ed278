import { expect, test } from 'vitest';
import { findClip } from '../../../firmware-sim/cli/read-scenario.ts';
import { startMjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { openAim } from './open-aim.ts';

test('a process of its own shows the picture to whoever has the key, and ends with the signal', async () => {
  await using camera = await startMjpegServer({ clip: findClip('vtest.avi'), fps: 5 });
  const stop = new AbortController();
  const page = await openAim({ kind: 'mjpeg', url: camera.url }, 1, stop.signal);
  expect((await fetch(page.url)).headers.get('content-type')).toContain('text/html');
  expect((await fetch(new URL('/wrong-key/', page.url))).status).toBe(403);
  await expect
    .poll(async () => (await fetch(`${page.url}picture`)).headers.get('content-type'), { timeout: 15_000 })
    .toBe('image/jpeg');
  stop.abort();
  await page.ended;
  await expect(fetch(page.url)).rejects.toThrow('fetch failed');
}, 30_000);

test('it ends by itself when its time is over', async () => {
  const page = await openAim({ kind: 'mjpeg', url: 'http://127.0.0.1:1/' }, 0.02, new AbortController().signal);
  await page.ended;
  await expect(fetch(page.url)).rejects.toThrow('fetch failed');
}, 30_000);
