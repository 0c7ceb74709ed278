import { request } from 'node:http';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startMjpegServer, type MjpegServer } from '../../../firmware-sim/wire/mjpeg-server.ts';
import { type AimServer, startAimServer } from './aim-server.ts';

const CLIP = process.env['BARROW_CLIP'] ?? '/usr/share/doc/opencv-doc/examples/data/vtest.avi';

let camera: MjpegServer;
let page: AimServer;

beforeEach(async () => {
  camera = await startMjpegServer({ clip: CLIP, fps: 10 });
  page = await startAimServer({ kind: 'mjpeg', url: camera.url }, () => undefined, new AbortController().signal);
});

afterEach(async () => {
  await page[Symbol.asyncDispose]();
  await camera[Symbol.asyncDispose]();
});

/** Status of a request under another name than the page has. */
function statusAs(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(page.url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.once('error', reject).end();
  });
}

describe('the page to draw lines on', () => {
  test('shows the live picture with the size of the source, and says so in a banner', async () => {
    const html = await (await fetch(page.url)).text();
    expect(html).toContain('A live picture is shown on this machine only');
    await expect.poll(async () => (await fetch(`${page.url}picture`)).status, { timeout: 15_000 }).toBe(200);
    const answer = await fetch(`${page.url}picture`);
    expect(answer.headers.get('x-source-width')).toBe('768');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await sharp(Buffer.from(await answer.arrayBuffer())).metadata()).toMatchObject({
      format: 'jpeg',
      width: 768,
    });
  }, 30_000);

  test('is on loopback and serves nothing without its key or under a foreign name', async () => {
    const { origin, hostname, host } = new URL(page.url);
    expect(hostname).toBe('127.0.0.1');
    for (const path of ['/', '/picture', `/${'x'.repeat(24)}/picture`, '/x/']) {
      const answer = await fetch(`${origin}${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 403 });
      expect(await answer.text()).toBe('');
    }
    expect(await statusAs('evil.example')).toBe(403);
    expect(await statusAs(host)).toBe(200);
  });

  test('is gone when it is closed', async () => {
    await page[Symbol.asyncDispose]();
    await expect(fetch(page.url)).rejects.toThrow(TypeError);
  });
});
