import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import type { Log } from '../../../drivers/api/driver.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import { TRACKER } from '../../../drivers/camera-counter/tracker.ts';
import { openCamera } from '../../host/camera/open-camera.ts';
import { systemClock } from '../../host/clock.ts';
import { aim, AIM_MINUTES } from '../camera/aim.ts';
import { readLines, readMask, readNumber, readSource } from '../camera/arguments.ts';
import { countFeed, type CountProgress, type CountSummary } from '../camera/count.ts';
import { clipDurationMs, ProgressBar } from '../camera/progress-bar.ts';
import { cliFailure } from '../errors.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface CountFlags {
  readonly line: readonly string[];
  readonly mask: readonly string[];
  readonly fps?: string;
  readonly seconds?: string;
  readonly input?: string;
  readonly threads?: string;
  readonly precision: string;
}

/** What a live source is looked at by default: five frames a second are right for walkers. */
const LIVE_FPS = 5;

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const command: CommandModule = {
  build: (bind) => {
    const camera = new Command('camera')
      .description('people counting with a camera or a clip')
      .addHelpText(
        'after',
        '\nExamples:\n  barrow camera aim /dev/video0\n  barrow camera count clip.avi --line door:350,180,350,420',
      );
    camera
      .command('count')
      .description('counts people over lines: one line per crossing, a summary last')
      .argument('<source>', 'a file, http://… (MJPEG), rtsp://… or a V4L2 device')
      .argument('[lines...]', 'further lines, as with --line')
      .option('--line <line>', 'a line to count over, ID:x1,y1,x2,y2 in pixels of the source; repeatable', collect, [])
      .option('--mask <corners>', 'an area to leave out, x1,y1,x2,y2,x3,y3 …; repeatable', collect, [])
      .option('--fps <n>', 'frames analysed per second of media time (default: all of a file, 5 live)')
      .option('--seconds <n>', 'stop after so many seconds')
      .option(
        '--input <size>',
        'what the picture, or the part around the lines, is scaled to, multiples of 32, e.g. 640x384; by its shape when absent',
      )
      .addOption(
        new Option('--precision <kind>', 'arithmetic of the detector').choices(['fp32', 'int8']).default('fp32'),
      )
      .option('--threads <n>', 'threads of the detector (default: 1 live, up to 4 for a file)')
      .addHelpText(
        'after',
        '\n`in` is from the negative to the positive side of cross(b−a, p−a): for a line drawn downwards, from right to left.' +
          '\nNo picture is stored or sent; only the counts leave the program.\n\nExamples:' +
          '\n  barrow camera count clip.avi --line door:350,180,350,420' +
          '\n  barrow camera count rtsp://10.0.0.9/1 --line door:350,180,350,420 --seconds 3600 --json' +
          '\n  barrow camera count /dev/video0 --fps 5 --line in:10,200,600,200 --line till:300,0,300,400',
      )
      .action(
        bind(async (io: CommandIo, source: string, more: readonly string[], flags: CountFlags) =>
          count(io, source, more, flags),
        ),
      );
    camera
      .command('aim')
      .description('shows a live picture on this machine to draw lines on; ends by itself')
      .argument('<source>', 'a file, http://… (MJPEG), rtsp://… or a V4L2 device')
      .option('--minutes <n>', `end after so many minutes, ${AIM_MINUTES} at most`, String(AIM_MINUTES))
      .addHelpText(
        'after',
        '\nThe page is on loopback and needs the key in its address; nothing is stored.\n\nExamples:' +
          '\n  barrow camera aim /dev/video0' +
          '\n  ssh -L 8000:127.0.0.1:PORT kit    # to see it from elsewhere',
      )
      .action(
        bind(async (io: CommandIo, source: string, flags: { readonly minutes: string }) => aim(io, source, flags)),
      );
    return camera;
  },
};

async function count(io: CommandIo, text: string, more: readonly string[], flags: CountFlags): Promise<ExitStatus> {
  const lines = readLines([...flags.line, ...more]);
  const masks = flags.mask.map(readMask);
  const seconds = flags.seconds === undefined ? null : readNumber('--seconds', flags.seconds, 0.1, 31_536_000);
  const asked = flags.fps === undefined ? null : readNumber('--fps', flags.fps, 0.1, 240);
  const input = flags.input === undefined ? null : readInput(flags.input);
  const source = readSource(text);
  const file = source.kind === 'file';
  const fps = asked ?? (file ? null : LIVE_FPS);
  const threads =
    flags.threads === undefined
      ? file
        ? Math.min(4, availableParallelism())
        : 1
      : readNumber('--threads', flags.threads, 1, 16);
  const stop = new AbortController();
  const bar = process.stderr.isTTY && !io.json ? new ProgressBar(process.stderr) : null;
  if (bar !== null && file) void clipDurationMs(source.path).then((ms) => (bar.totalMs = ms));
  const feed = await openCamera(
    {
      source,
      fps,
      input,
      threads,
      niceness: 0,
      minScore: TRACKER.lowScore,
      precision: flags.precision === 'int8' ? 'int8' : 'fp32',
      places: lines.map(({ from, to }) => [from, to]),
    },
    { clock: systemClock(), log: quietLog },
    stop.signal,
  );
  try {
    const json = io.json || !io.tty;
    const summary = await countFeed(feed, { source, lines, masks, seconds }, printer(io, json, bar), io.signal);
    bar?.clear();
    await io.out(json ? JSON.stringify({ summary }) : describe(summary));
    return 0;
  } finally {
    bar?.clear();
    stop.abort(new Error('counted'));
    await feed[Symbol.asyncDispose]();
  }
}

function printer(io: CommandIo, json: boolean, bar: ProgressBar | null): CountProgress {
  return {
    frame: (frame, lines) => bar?.frame(frame.atMs, lines),
    crossing: async ({ frame, atMs, lineId, direction }) => {
      bar?.clear();
      await io.out(
        json
          ? JSON.stringify({ frame, atMs, lineId, direction })
          : `${(atMs / 1000).toFixed(1).padStart(8)} s  ${lineId}  ${direction}`,
      );
    },
    state: (state, code) => bar?.say(code === null ? '' : `${state}: ${code}`),
  };
}

function describe({ frames, skipped, fps, lines, ms }: CountSummary): string {
  const counts = Object.entries(lines).map(([id, line]) => `${id}: ${line.in} in, ${line.out} out`);
  const stages = Object.entries(ms).map(([stage, mean]) => `${stage} ${mean.toFixed(1)}`);
  return [
    ...counts,
    `${frames} frames, ${skipped} skipped, ${fps.toFixed(1)} a second (ms: ${stages.join(', ')})`,
  ].join('\n');
}

function readInput(text: string): { readonly width: number; readonly height: number } {
  const match = /^(\d{2,4})x(\d{2,4})$/.exec(text);
  const [width = 0, height = 0] = (match?.slice(1) ?? []).map(Number);
  if (
    match === null ||
    width % 32 !== 0 ||
    height % 32 !== 0 ||
    width < 64 ||
    height < 64 ||
    width * height > 1280 * 1280
  )
    throw cliFailure('usage', { detail: `${text} is no input size; write e.g. 416x320, both multiples of 32` });
  return { width, height };
}

function nothing(_event: string, _fields?: JsonObject): void {
  // The command answers on stdout; the source's state is on the progress line.
}

const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
