import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { CountSummary } from './count.ts';

const BAR_CELLS = 24;
/** Redrawn at most this often. */
const REDRAW_MS = 100;

/** One line on a terminal that tells how far the count is. */
export class ProgressBar {
  /** Media time of the whole clip; `null` while unknown or for a live source. */
  totalMs: number | null = null;
  private readonly stream: NodeJS.WriteStream;
  private readonly started = performance.now();
  private drawnMs = -Infinity;
  private frames = 0;
  private note = '';

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  /** The source's state, shown until the next frame. */
  say(note: string): void {
    this.note = note;
    this.draw(0, {});
  }

  frame(atMs: number, lines: CountSummary['lines']): void {
    this.frames += 1;
    this.note = '';
    if (performance.now() - this.drawnMs >= REDRAW_MS) this.draw(atMs, lines);
  }

  /** Removes the line, so that a result can be printed. */
  clear(): void {
    this.stream.write('\r\u001B[2K');
  }

  private draw(atMs: number, lines: CountSummary['lines']): void {
    this.drawnMs = performance.now();
    const fps = (this.frames * 1000) / Math.max(1, this.drawnMs - this.started);
    const counts = Object.entries(lines).map(([id, count]) => `${id} in ${count.in} out ${count.out}`);
    const part = this.totalMs === null ? null : Math.min(1, atMs / this.totalMs);
    const bar =
      part === null
        ? `${Math.round((this.drawnMs - this.started) / 1000)} s`
        : `${'█'.repeat(Math.round(part * BAR_CELLS)).padEnd(BAR_CELLS, '░')} ${Math.round(part * 100)} %`;
    const text = [bar, `${fps.toFixed(1)} frames/s`, ...counts, this.note].filter((item) => item !== '').join('  ');
    this.stream.write(`\r\u001B[2K${text.slice(0, Math.max(20, this.stream.columns - 1))}`);
  }
}

/** How long a clip plays, ms; `null` when ffprobe cannot tell. */
export async function clipDurationMs(path: string): Promise<number | null> {
  return new Promise((resolve) => {
    const args = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', `file:${path}`];
    const child = spawn('ffprobe', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', () => resolve(null));
    child.once('close', () => {
      const seconds = Number.parseFloat(text);
      resolve(Number.isFinite(seconds) ? seconds * 1000 : null);
    });
  });
}
