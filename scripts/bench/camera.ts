import { measureCamera } from '../../agent/host/camera/measure.ts';
import { findModel } from '../../agent/host/camera/model-path.ts';
import { findClip } from '../../firmware-sim/cli/read-scenario.ts';
import type { BenchFigure } from './figure.ts';

const INPUT = { width: 416, height: 320 };
const MAX_RSS_MIB = 200;

/** JPEG bytes to counted crossings against the network alone, in turns, in this process. */
export async function benchCamera(frames = 300): Promise<readonly BenchFigure[]> {
  const common = {
    clip: findClip('vtest.avi'),
    modelPath: findModel(),
    input: INPUT,
    parts: false,
    threads: 1,
    frames,
  };
  const own = await measureCamera(common);
  const full = await measureCamera({
    ...common,
    scale: { width: 1_920, height: 1_080 },
    frames: Math.floor(frames / 2),
  });
  // As a kit has it: no input named, and after a few pictures the line's surroundings alone.
  const part = await measureCamera({ ...common, input: null, parts: true });
  const rss = Math.round(own.rssMiB.late);
  return [
    ratio('768×576 JPEG to counted crossing over raw inference', own, 1.3),
    ratio('1080p JPEG to counted crossing over raw inference', full, 1.5),
    ratio('the same by default, a part of the picture looked at, over raw inference', part, 1.4),
    {
      name: 'RSS of a camera process',
      value: rss,
      unit: 'MiB',
      raw: Math.round(own.rssMiB.early),
      goal: `≤ ${MAX_RSS_MIB}`,
      ok: rss <= MAX_RSS_MIB,
    },
  ];
}

function ratio(name: string, measured: Awaited<ReturnType<typeof measureCamera>>, atMost: number): BenchFigure {
  const value = Math.round(measured.ratio * 100) / 100;
  return {
    name,
    value,
    unit: '×',
    raw: Math.round(measured.inferenceMs.median * 10) / 10,
    goal: `≤ ${atMost}`,
    ok: value <= atMost,
  };
}
