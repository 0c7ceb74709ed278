import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ffmpegArguments, ffmpegInput, readConnection, readShowinfo } from './ffmpeg-arguments.ts';
import { PictureSlot } from './picture-slot.ts';
import type { SourcePicture } from './picture.ts';
import { Thinning } from './thinning.ts';

const picture = (frame: number, bytes: readonly number[]): SourcePicture => ({
  frame,
  atMs: frame * 100,
  width: 4,
  height: 4,
  bytes: Uint8Array.from(bytes),
  format: 'jpeg',
});

describe('the place for the newest picture', () => {
  const signal = new AbortController().signal;

  test('gives the newest and counts what it overtook', async () => {
    const slot = new PictureSlot();
    for (let frame = 1; frame <= 5; frame += 1) slot.put(picture(frame, [frame]));
    expect((await slot.take(signal)).frame).toBe(5);
    expect(slot.overtaken).toBe(4);
  });

  test('keeps what was taken whole while newer ones come', async () => {
    const slot = new PictureSlot();
    slot.put(picture(1, [1, 1, 1]));
    const taken = await slot.take(signal);
    for (let frame = 2; frame < 9; frame += 1) slot.put(picture(frame, [frame, frame, frame, frame]));
    expect([...taken.bytes]).toEqual([1, 1, 1]);
    expect([...(await slot.take(signal)).bytes]).toEqual([8, 8, 8, 8]);
  });

  test('wakes the taker when a picture comes, and when it is told to stop', async () => {
    const slot = new PictureSlot();
    const stop = new AbortController();
    const waiting = slot.take(stop.signal);
    slot.put(picture(3, [3]));
    expect((await waiting).frame).toBe(3);
    const never = slot.take(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(never).rejects.toThrow('stopped');
  });
});

describe('thinning', () => {
  const chosen = (fps: number | null, times: readonly number[]): readonly number[] => {
    const thinning = new Thinning(fps);
    return times.filter((atMs) => thinning.wants(atMs));
  };

  test('takes every frame when no rate is asked for', () => {
    expect(chosen(null, [0, 1, 2, 2])).toEqual([0, 1, 2, 2]);
  });

  test('takes the first frame at or after each multiple of the step', () => {
    expect(chosen(5, [0, 100, 200, 300, 400, 500])).toEqual([0, 200, 400]);
    expect(chosen(5, [0, 33, 67, 100, 133, 167, 200.4, 233])).toEqual([0, 200.4]);
  });

  test('takes no more than asked for, whatever the camera sends', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 30 }), (steps, fps) => {
        let atMs = 0;
        const times = steps.map((step) => (atMs += step));
        expect(chosen(fps, times).length).toBeLessThanOrEqual(Math.floor((atMs * fps) / 1000) + 1);
      }),
    );
  });

  test('begins anew when a clip begins anew', () => {
    expect(chosen(5, [0, 200, 400, 0, 100, 200])).toEqual([0, 200, 400, 0, 200]);
  });
});

describe('the dialogue with ffmpeg', () => {
  const line =
    '[Parsed_showinfo_0 @ 0x5628539531c0] [info] n:   3 pts:      3 pts_time:0.3     pos:   138626 fmt:yuv420p sar:0/1 s:768x576 i:P iskey:0 type:P ';

  test('reads number, time and size of a frame', () => {
    expect(readShowinfo(line)).toEqual({ stage: 'all', index: 3, atMs: 300, width: 768, height: 576 });
    expect(readShowinfo(line.replace('showinfo_0', 'showinfo_2'))?.stage).toBe('chosen');
    expect(readShowinfo('[mpeg4 @ 0x1] [error] ac-tex damaged at 3 4')).toBeUndefined();
    expect(readShowinfo('')).toBeUndefined();
  });

  test('never takes a file’s name for an option or an address', () => {
    const args = ffmpegArguments({ kind: 'file', path: '-y' }, { fps: 5, input: { width: 416, height: 320 } });
    expect(args[args.indexOf('-i') + 1]).toBe('file:-y');
  });

  test('reads that a camera refuses or is there, and takes no other complaint for it', () => {
    expect(readConnection('[rtsp @ 0x55b9d486eb40] [error] method DESCRIBE failed: 401 Unauthorized')).toEqual({
      refusedWith: 401,
    });
    expect(readConnection("[info] Input #0, rtsp, from 'rtsp://camera/live':")).toBe('open');
    expect(
      readConnection('[tcp @ 0x5613f59f4940] [error] Connection to tcp://camera:554 failed: Connection refused'),
    ).toBe(undefined);
    expect(readConnection('')).toBe(undefined);
  });

  test('asks an RTSP camera over TCP and a V4L2 device by its path', () => {
    const options = { fps: null, input: { width: 416, height: 320 } };
    const camera = { kind: 'rtsp', url: "rtsp://o'neil:pass@camera/live\nfile /etc/passwd" } as const;
    const rtsp = ffmpegArguments(camera, options);
    expect(rtsp.slice(rtsp.indexOf('-i'), rtsp.indexOf('-i') + 2)).toEqual(['-i', 'pipe:0']);
    expect(rtsp.join(' ')).not.toContain('neil');
    // One line stays one line: an address cannot name a second file.
    expect(ffmpegInput(camera).split('\n')).toEqual([
      'ffconcat version 1.0',
      String.raw`file 'rtsp://o'\''neil:pass@camera/livefile /etc/passwd'`,
      'option rtsp_transport tcp',
      'option timeout 10000000',
      'option fflags nobuffer',
      '',
    ]);
    const v4l2 = ffmpegArguments({ kind: 'v4l2', device: '/dev/video0' }, options);
    expect(v4l2.slice(v4l2.indexOf('-f'), v4l2.indexOf('-i') + 2)).toEqual(['-f', 'v4l2', '-i', '/dev/video0']);
  });
});
