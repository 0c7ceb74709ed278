import { spawn, type ChildProcess } from 'node:child_process';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import { JpegSplitter } from './jpeg-splitter.ts';
import type { PictureOptions, SourcePicture } from './picture.ts';
import { Thinning } from './thinning.ts';

/** A camera that does not answer for so long is taken as gone. */
const ANSWER_MS = 10_000;

/**
 * Reads an MJPEG stream over HTTP (`multipart/x-mixed-replace` or bare JPEG after JPEG).
 * @throws AgentError `camera-unreachable`, `camera-refused`
 */
export async function* readMjpeg(
  url: string,
  options: PictureOptions,
  signal: AbortSignal,
): AsyncGenerator<SourcePicture, void, undefined> {
  const response = await get(url, signal);
  yield* pictures(response, options);
}

/**
 * Asks for single pictures at the wanted rate; without a rate, five a second.
 * @throws AgentError `camera-unreachable`, `camera-refused`
 */
export async function* readSnapshots(
  url: string,
  options: PictureOptions,
  signal: AbortSignal,
): AsyncGenerator<SourcePicture, void, undefined> {
  const stepMs = 1000 / (options.fps ?? 5);
  const started = performance.now();
  for (let frame = 1; ;) {
    const askedMs = performance.now();
    const response = await get(url, signal);
    for await (const picture of pictures(response, { ...options, fps: null })) {
      yield { ...picture, frame, atMs: Math.round(performance.now() - started) };
      frame += 1;
      break;
    }
    await delay(Math.max(0, askedMs + stepMs - performance.now()), undefined, { signal });
  }
}

/**
 * Reads MJPEG from a command's output, e.g. `rpicam-vid --codec mjpeg -o -`. Its own messages are discarded.
 * @throws AgentError `camera-missing` when the command cannot be started
 */
export async function* readCommand(
  command: readonly string[],
  options: PictureOptions,
  signal: AbortSignal,
): AsyncGenerator<SourcePicture, void, undefined> {
  const [program = '', ...args] = command;
  // A group of its own: a script's children must end with it, else they write on for ever.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('close', () => resolve(undefined));
  });
  const kill = (): void => {
    killGroup(child);
    child.stdout.destroy();
  };
  signal.addEventListener('abort', kill, { once: true });
  try {
    yield* pictures(child.stdout, options);
    const cause = await ended;
    if (cause !== undefined) throw cameraFailure('camera-missing', { detail: program, cause });
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await ended;
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // All of it has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function* pictures(
  stream: AsyncIterable<Uint8Array>,
  options: PictureOptions,
): AsyncGenerator<SourcePicture, void, undefined> {
  const splitter = new JpegSplitter();
  const thinning = new Thinning(options.fps);
  const started = performance.now();
  let frame = 0;
  let skipped = 0;
  const count = (): void => {
    if (splitter.skipped > skipped) options.skip(splitter.skipped - skipped);
    skipped = splitter.skipped;
  };
  for await (const chunk of stream) {
    for (const picture of splitter.push(chunk)) {
      frame += 1;
      // MJPEG has no time of its own: a live picture's media time is when it came.
      const atMs = Math.round(performance.now() - started);
      if (thinning.wants(atMs)) yield { ...picture, frame, atMs, format: 'jpeg' };
    }
    count();
  }
  splitter.reset();
  count();
}

async function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp;
    const outgoing = request(url, { signal, agent: false, timeout: ANSWER_MS }, resolve);
    outgoing.once('error', reject);
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.end();
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw cameraFailure('camera-unreachable', { cause });
  });
  if (response.statusCode === 200) return response;
  response.destroy();
  throw cameraFailure('camera-refused', { detail: `HTTP status ${response.statusCode}` });
}
