import { buildNanodet, recalibrate } from './build-nanodet.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));

/** `npm run models -- --calibrate CLIP:N …`: every N-th frame of each clip. */
const clips = process.argv.slice(process.argv.indexOf('--calibrate') + 1).map((text) => {
  const at = text.lastIndexOf(':');
  return { path: text.slice(0, at), every: Number(text.slice(at + 1)) };
});

try {
  if (process.argv.includes('--calibrate')) process.stdout.write(`measured ${await recalibrate(clips, stop.signal)}\n`);
  const built = await buildNanodet({ progress: (step) => void process.stderr.write(`models: ${step}\n`) }, stop.signal);
  process.stdout.write(`${built.built ? 'built' : 'kept'} ${built.path} sha256:${built.sha256}\n`);
  process.stdout.write(`${built.built ? 'built' : 'kept'} ${built.int8Path}\n`);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error[model-build]: ${message}\nhint: The first run needs the npm registry; run it again\n`);
  process.exitCode = 1;
}
