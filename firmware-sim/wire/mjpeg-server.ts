import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { cameraParts, CONTENT_TYPE, type CameraFault } from '../devices/camera-counter/mjpeg-camera.ts';

export interface MjpegServerOptions {
  /** Any file that ffmpeg reads. */
  readonly clip: string;
  /** Pictures a second. */
  readonly fps: number;
  /** Begin again at the end; else the camera hangs up and refuses from then on. Default true. */
  readonly loop?: boolean;
  /** Frames of the clip left out between two pictures; default 0: every frame. */
  readonly skip?: number;
  /** Port on loopback; 0 (default) takes a free one. */
  readonly port?: number;
}

/** A network camera on loopback: MJPEG at `/stream`, single pictures at `/snapshot.jpg`. */
export interface MjpegServer extends AsyncDisposable {
  readonly url: string;
  readonly snapshotUrl: string;
  /** Pictures played so far, counted from the first viewer on. */
  readonly played: number;
  /** Set a fault, or `null` to heal. */
  fault: CameraFault | null;
}

/** Viewers at one time; more are refused. */
const MAX_VIEWERS = 8;

/** Starts the camera. The clip begins when the first viewer comes, so that nobody misses its beginning. */
export async function startMjpegServer(options: MjpegServerOptions): Promise<MjpegServer> {
  const camera = new Camera(options);
  await camera.listen();
  return camera;
}

class Camera implements MjpegServer {
  fault: CameraFault | null = null;
  played = 0;
  private readonly options: MjpegServerOptions;
  private readonly viewers = new Set<ServerResponse>();
  private readonly stop = new AbortController();
  private readonly server = createServer((request, response) => this.serve(request.url ?? '', response));
  private latest: Uint8Array | undefined;
  private playing: Promise<void> | undefined;
  private over = false;

  constructor(options: MjpegServerOptions) {
    this.options = options;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port ?? 0, '127.0.0.1', resolve);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/stream`;
  }

  get snapshotUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/snapshot.jpg`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort(new Error('the camera is switched off'));
    for (const viewer of this.viewers) viewer.destroy();
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.playing;
  }

  private serve(path: string, response: ServerResponse): void {
    this.playing ??= this.play().catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.server.emit('error', error);
    });
    if (this.fault === 'refuse' || this.over || this.viewers.size >= MAX_VIEWERS) {
      response.writeHead(503).end();
      return;
    }
    if (path.startsWith('/snapshot')) {
      if (this.latest === undefined) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(this.latest);
      return;
    }
    response.writeHead(200, { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' });
    response.flushHeaders();
    this.viewers.add(response);
    response.once('close', () => this.viewers.delete(response));
  }

  private async play(): Promise<void> {
    const stepMs = 1000 / this.options.fps;
    let dueMs = performance.now();
    for (let round = 0; round === 0 || this.options.loop !== false; round += 1)
      for await (const jpeg of clipPictures(this.options, this.stop.signal)) {
        dueMs = Math.max(dueMs + stepMs, performance.now() - stepMs);
        await delay(Math.max(0, dueMs - performance.now()), undefined, { signal: this.stop.signal });
        this.played += 1;
        this.latest = jpeg;
        this.show(jpeg);
      }
    this.over = true;
    for (const viewer of this.viewers) viewer.end();
  }

  private show(jpeg: Uint8Array): void {
    const { chunks, end } = cameraParts(jpeg, this.fault);
    for (const viewer of this.viewers) {
      // A viewer that does not keep up misses pictures, as with a real camera.
      if (!viewer.writableNeedDrain) for (const chunk of chunks) viewer.write(chunk);
      if (end) viewer.destroy();
    }
  }
}

/** The clip's frames as JPEG, in order; ffmpeg waits until the next is asked for. */
async function* clipPictures(
  options: MjpegServerOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const every = 1 + (options.skip ?? 0);
  const input = ['-v', 'error', '-nostdin', '-threads', '1', '-i', options.clip, '-an'];
  const thin = every === 1 ? [] : ['-vf', `select=not(mod(n\\,${every}))`, '-fps_mode', 'passthrough'];
  const output = ['-threads', '1', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', '3', '-f', 'mpjpeg', 'pipe:1'];
  const child = spawn('ffmpeg', [...input, ...thin, ...output], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = endOf(child);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        // ffmpeg's own multipart names every picture's length: no need to look into the picture.
        const blank = pending.indexOf('\r\n\r\n');
        if (blank === -1) break;
        const length = Number(/content-length: (\d+)/i.exec(pending.toString('latin1', 0, blank))?.[1]);
        if (!Number.isInteger(length)) throw new Error('ffmpeg named no length');
        if (pending.length < blank + 4 + length) break;
        yield Uint8Array.from(pending.subarray(blank + 4, blank + 4 + length));
        pending = pending.subarray(blank + 4 + length);
      }
    }
    signal.throwIfAborted();
    const failure = await ended;
    if (failure !== undefined) throw failure;
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    child.stdout?.destroy();
    await ended;
  }
}

function endOf(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code === 0 ? undefined : new Error(`ffmpeg ended with ${code}`)));
  });
}
