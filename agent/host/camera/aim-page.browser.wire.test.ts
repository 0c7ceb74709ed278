import { access } from 'node:fs/promises';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cameraCounterConfig } from '../../../drivers/camera-counter/config.ts';
import { findClip } from '../../../firmware-sim/cli/read-scenario.ts';
import { startMjpegServer, type MjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { aim } from '../../cli/camera/aim.ts';
import type { CommandIo } from '../../cli/program.ts';

const CHROMIUM = '/usr/bin/chromium';

let browser: Browser;
let camera: MjpegServer;
let page: Page;
let stop: AbortController;
let complaints: string[];
/** How long the command means to wait, and what ends the wait. */
let wait: { readonly ms: number; readonly over: () => void };
let ended: Promise<unknown>;
let url: string;

beforeAll(async () => {
  await access(CHROMIUM).catch(() => {
    throw new Error(`There is no ${CHROMIUM}. Install it: apt-get install chromium`);
  });
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
  });
});
afterAll(async () => browser?.close());

beforeEach(async () => {
  camera = await startMjpegServer({ clip: findClip('vtest.avi'), fps: 5 });
  stop = new AbortController();
  complaints = [];
  const said: string[] = [];
  const out = (text: string): Promise<void> => {
    said.push(text);
    return Promise.resolve();
  };
  const io = { json: true, tty: false, signal: stop.signal, out, err: () => undefined } as unknown as CommandIo;
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => (wait = { ms, over: resolve }));
  ended = aim(io, camera.url, { minutes: '10' }, sleep);
  await expect.poll(() => said.length, { timeout: 15_000 }).toBe(1);
  url = (JSON.parse(said[0]!) as { readonly url: string }).url;
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  // The picture has come when the drawing is as large as it.
  const width = (): Promise<number> => page.evaluate('document.querySelector("canvas").width');
  await expect.poll(width, { timeout: 15_000 }).toBe(768);
});

afterEach(async () => {
  stop.abort(new Error('the test is over'));
  wait.over();
  await ended;
  await page.close();
  await camera[Symbol.asyncDispose]();
});

/** What the page offers for kit.yaml, as the driver's configuration reads it. */
async function configured(): Promise<ReturnType<typeof cameraCounterConfig.parse>> {
  const yaml = await page.locator('#yaml').textContent();
  return cameraCounterConfig.parse({ source: { kind: 'mjpeg', url: camera.url }, ...(parse(yaml!) as object) });
}

async function at(canvas: Locator, x: number, y: number): Promise<readonly [number, number]> {
  const box = (await canvas.boundingBox())!;
  return [box.x + (x * box.width) / 768, box.y + (y * box.height) / 576];
}

test('a line and a mask drawn with the mouse are what the driver reads', async () => {
  const canvas = page.locator('canvas');
  await page.mouse.move(...(await at(canvas, 350, 180)));
  await page.mouse.down();
  await page.mouse.move(...(await at(canvas, 350, 420)), { steps: 3 });
  await page.mouse.up();
  await page.getByLabel('Mask').check();
  for (const [x, y] of [
    [600, 50],
    [700, 50],
    [700, 150],
  ] as const)
    await page.mouse.click(...(await at(canvas, x, y)));
  await page.getByRole('button', { name: 'Close the mask' }).click();
  const { lines, masks } = await configured();
  expect(lines).toEqual([{ id: 'line1', from: [350, 180], to: [350, 420] }]);
  expect(masks).toEqual([
    [
      [600, 50],
      [700, 50],
      [700, 150],
    ],
  ]);
  await page.getByRole('button', { name: 'Remove the last' }).click();
  await page.getByRole('button', { name: 'Turn the last line round' }).click();
  expect(await configured()).toMatchObject({ lines: [{ from: [350, 420], to: [350, 180] }], masks: [] });
  expect(complaints).toEqual([]);
}, 60_000);

test('the keyboard alone draws a line and a mask', async () => {
  const canvas = page.locator('canvas');
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await canvas.press(key);
  };
  await press('ArrowLeft', 'Shift+ArrowUp', 'Enter', 'ArrowDown', 'ArrowDown', 'Enter');
  await page.getByLabel('Mask').check();
  await press('Enter', 'ArrowRight', 'Enter', 'ArrowDown', 'Enter');
  await page.getByRole('button', { name: 'Close the mask' }).press('Enter');
  const { lines, masks } = await configured();
  expect(lines).toEqual([{ id: 'line1', from: [374, 287], to: [374, 307] }]);
  expect(masks).toEqual([
    [
      [374, 307],
      [384, 307],
      [384, 317],
    ],
  ]);
  await press('Enter', 'Escape');
  expect((await configured()).masks).toHaveLength(1);
  expect(complaints).toEqual([]);
}, 60_000);

test('says in a banner what it shows, and is over after ten minutes', async () => {
  expect(await page.locator('header').textContent()).toContain('on this machine only, and for ten minutes at most');
  expect(wait.ms).toBe(10 * 60_000);
  expect(new URL(url).hostname).toBe('127.0.0.1');
  wait.over();
  expect(await ended).toBe(0);
  await expect(fetch(url)).rejects.toThrow(TypeError);
  await expect.poll(() => page.locator('header').textContent(), { timeout: 10_000 }).toContain('The page has ended');
}, 60_000);
