import { buildNanodet } from './build-nanodet.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));

try {
  const built = await buildNanodet({ progress: (step) => void process.stderr.write(`models: ${step}\n`) }, stop.signal);
  process.stdout.write(`${built.built ? 'built' : 'kept'} ${built.path} sha256:${built.sha256}\n`);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error[model-build]: ${message}\nhint: The first run needs the npm registry; run it again\n`);
  process.exitCode = 1;
}
