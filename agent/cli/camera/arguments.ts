import { existsSync } from 'node:fs';
import type { CameraSource } from '../../../drivers/api/transports.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import type { CountLine, Point } from '../../../drivers/camera-counter/line-counter.ts';
import { cliFailure } from '../errors.ts';

const NUMBER = String.raw`(-?\d+(?:\.\d+)?)`;
const LINE = new RegExp(`^([A-Za-z0-9][A-Za-z0-9._-]{0,63}):${NUMBER},${NUMBER},${NUMBER},${NUMBER}$`);

/** More lines than this are a mistake. */
const MAX_LINES = 32;

/**
 * Reads `ID:x1,y1,x2,y2` …
 * @throws AgentError `usage`
 */
export function readLines(texts: readonly string[]): readonly CountLine[] {
  if (texts.length === 0) throw cliFailure('usage', { detail: 'at least one --line ID:x1,y1,x2,y2 is needed' });
  if (texts.length > MAX_LINES) throw cliFailure('usage', { detail: `at most ${MAX_LINES} lines` });
  const lines = texts.map(readLine);
  const ids = lines.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw cliFailure('usage', { detail: `two lines are called ${twice}` });
  return lines;
}

function readLine(text: string): CountLine {
  const match = LINE.exec(text);
  if (match === null)
    throw cliFailure('usage', { detail: `${text} is no line; write ID:x1,y1,x2,y2, e.g. door:350,180,350,420` });
  const [id = '', ...rest] = match.slice(1);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = rest.map(Number);
  if (x1 === x2 && y1 === y2) throw cliFailure('usage', { detail: `line ${id} has no length` });
  return { id, from: { x: x1, y: y1 }, to: { x: x2, y: y2 } };
}

/** Reads a polygon `x1,y1,x2,y2,x3,y3 …` @throws AgentError `usage` */
export function readMask(text: string): readonly Point[] {
  const numbers = text.split(',').map(Number);
  if (numbers.length < 6 || numbers.length % 2 !== 0 || numbers.length > 128 || !numbers.every(Number.isFinite))
    throw cliFailure('usage', { detail: `${text} is no mask; write the corners as x1,y1,x2,y2,x3,y3 …` });
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({
    x: numbers[2 * at] ?? 0,
    y: numbers[2 * at + 1] ?? 0,
  }));
}

/**
 * Tells by its form what a source is: an address, a device under /dev, or a file.
 * @throws AgentError `camera-missing`, `usage`
 */
export function readSource(text: string): CameraSource {
  const protocol = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (protocol) {
    case 'http':
    case 'https':
    case 'rtsp':
    case 'rtsps':
      if (!URL.canParse(text)) throw cliFailure('usage', { detail: `${text} is no address` });
      return protocol.startsWith('http') ? { kind: 'mjpeg', url: text } : { kind: 'rtsp', url: text };
    case undefined:
      break;
    default:
      throw cliFailure('usage', { detail: `${protocol}:// is no source that a camera has` });
  }
  if (!existsSync(text)) throw cameraFailure('camera-missing', { detail: text });
  return text.startsWith('/dev/') ? { kind: 'v4l2', device: text } : { kind: 'file', path: text };
}

/** A number option. @throws AgentError `usage` */
export function readNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most)
    throw cliFailure('usage', { detail: `${name} wants a number from ${least} to ${most}, not ${text}` });
  return value;
}
