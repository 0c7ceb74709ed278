import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CameraSource } from '../../../drivers/api/transports.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import type { AimPage } from '../../core/host.ts';

export interface AimRequest {
  readonly source: CameraSource;
  readonly minutes: number;
}

export interface AimAnswer {
  readonly url: string;
}

/** From the fork to the page: loading the decoder takes a second on a slow board. */
const START_MS = 20_000;

/**
 * Opens the page to aim a camera in a process of its own, which ends after `minutes` or with the signal.
 * Throws `camera-process-lost` when it does not come up.
 */
export async function openAim(source: CameraSource, minutes: number, signal: AbortSignal): Promise<AimPage> {
  signal.throwIfAborted();
  const compiled = import.meta.url.endsWith('.js');
  const entry = fileURLToPath(new URL(compiled ? './aim-process.js' : './aim-process.ts', import.meta.url));
  const loader = compiled ? [] : ['--import', createRequire(import.meta.url).resolve('tsx')];
  // The address of a camera may hold a password: it goes over the channel, not onto the command line.
  const child = fork(entry, [], { execArgv: loader, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = (): void => void child.kill('SIGTERM');
  const ended = new Promise<void>((resolve) => {
    const over = (): void => {
      signal.removeEventListener('abort', stop);
      resolve();
    };
    child.once('exit', over);
    child.once('error', over);
  });
  signal.addEventListener('abort', stop, { once: true });
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => {
      stop();
      reject(cameraFailure('camera-process-lost', { detail: 'the page to aim it did not come up' }));
    }, START_MS);
    child.once('message', ({ url: found }: AimAnswer) => {
      clearTimeout(late);
      resolve(found);
    });
    void ended.then(() => {
      clearTimeout(late);
      reject(cameraFailure('camera-process-lost', { detail: 'the page to aim it has ended' }));
    });
    child.send({ source, minutes } satisfies AimRequest);
  });
  return { url, ended };
}
