import { setTimeout as delay } from 'node:timers/promises';
import { startAimServer } from '../../host/camera/aim-server.ts';
import type { CommandIo, ExitStatus } from '../program.ts';
import { readNumber, readSource } from './arguments.ts';

/** After so many minutes the page ends by itself, asked or not. */
export const AIM_MINUTES = 10;

export async function aim(
  io: CommandIo,
  text: string,
  flags: { readonly minutes: string },
  sleep: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) => delay(ms, undefined, { signal }),
): Promise<ExitStatus> {
  const minutes = readNumber('--minutes', flags.minutes, 0.01, AIM_MINUTES);
  const source = readSource(text);
  await using server = await startAimServer(
    source,
    ({ state, code }) => {
      // A clip begins again at its end; that is no fault of a camera.
      if (code !== null && !io.json && source.kind !== 'file') io.err(`${state}: ${code}`);
    },
    io.signal,
  );
  await io.out(
    io.json
      ? JSON.stringify({ url: server.url, minutes })
      : `Open ${server.url}\nIt shows a live picture on this machine only and ends by itself in ${minutes} minutes (or with Ctrl-C).`,
  );
  await sleep(minutes * 60_000, io.signal).catch(() => undefined);
  return 0;
}
