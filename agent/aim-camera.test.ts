import { expect, test } from 'vitest';
import type { CameraSource } from '../drivers/api/transports.ts';
import { WakingClock } from '../scripts/lib/waking-clock.ts';
import { AIM_MINUTES, makeAim } from './aim-camera.ts';
import type { DriverEntry } from './config/read-config.ts';

const entry = (id: string, type: string, source: CameraSource | null): DriverEntry =>
  ({ id, type, config: source === null ? {} : { source } }) as unknown as DriverEntry;

function bench(...drivers: readonly DriverEntry[]) {
  const opened: { readonly source: CameraSource; readonly minutes: number; end(): void }[] = [];
  const aim = makeAim({
    host: {
      clock: new WakingClock(),
      aim: (source, minutes) => {
        let end = (): void => undefined;
        const ended = new Promise<void>((resolve) => (end = resolve));
        opened.push({ source, minutes, end });
        return Promise.resolve({ url: `http://127.0.0.1:${4_000 + opened.length}/key/`, ended });
      },
    },
    config: () => ({ drivers }),
    signal: new AbortController().signal,
  });
  return { aim, opened };
}

const CAMERA: CameraSource = { kind: 'rtsp', url: 'rtsp://10.0.0.9/1' };

test('a camera is shown by its own source, once, until the page has ended', async () => {
  const { aim, opened } = bench(entry('door', 'camera-counter', CAMERA));
  const page = await aim('door');
  expect(page).toEqual({ url: 'http://127.0.0.1:4001/key/', endsAt: '2026-11-27T10:25:30.123Z' });
  expect(await aim('door')).toEqual(page);
  expect(opened).toMatchObject([{ source: CAMERA, minutes: AIM_MINUTES }]);
  opened[0]!.end();
  await expect.poll(async () => (await aim('door')).url).toBe('http://127.0.0.1:4002/key/');
});

test('a camera that one process alone can open, a device that is none, and no driver at all are refused', async () => {
  const { aim, opened } = bench(
    entry('door', 'camera-counter', { kind: 'v4l2', device: '/dev/video0' }),
    entry('pi', 'camera-counter', { kind: 'command', command: ['rpicam-vid'] }),
    entry('scanner', 'barcode-scanner', null),
  );
  for (const id of ['door', 'pi', 'scanner']) await expect(aim(id), id).rejects.toMatchObject({ code: 'aim-off' });
  await expect(aim('nobody')).rejects.toMatchObject({ code: 'driver-unknown' });
  expect(opened).toEqual([]);
});
