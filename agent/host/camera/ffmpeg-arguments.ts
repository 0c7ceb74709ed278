import type { CameraSource } from '../../../drivers/api/transports.ts';
import { scaleExpressions } from '../../../models/nanodet-g/input-size.ts';
import type { PictureOptions } from './picture.ts';

/** What one line of ffmpeg's `showinfo` says of a frame. */
export interface ShownFrame {
  /** `all`: as decoded; `chosen`: after thinning. */
  readonly stage: 'all' | 'chosen';
  /** From 0. */
  readonly index: number;
  readonly atMs: number;
  readonly width: number;
  readonly height: number;
}

const ALL = 'Parsed_showinfo_0';
const CHOSEN = 'Parsed_showinfo_2';

/** Longest side of a picture that is handed over for parts of it to be looked at: bounds memory and pipe. */
export const MAX_SIDE = 1280;

/**
 * Command line for a source that ffmpeg reads: pictures leave as PPM, at the network's size unless parts of them are wanted; one `showinfo` line each on
 * stderr carries number, time and true size. Raw pictures at that size cost less than encoding and decoding JPEG.
 */
export function ffmpegArguments(
  source: Extract<CameraSource, { readonly kind: 'file' | 'rtsp' | 'v4l2' }>,
  options: Pick<PictureOptions, 'fps' | 'input' | 'parts'>,
): readonly string[] {
  const { width, height } = options.parts === true ? LARGE : (options.input ?? scaleExpressions());
  // The first frame at or after each multiple of 1/fps; `selected_t` is the time of the frame chosen last.
  const grid = (time: string): string => `floor((${time}+0.0005)*${options.fps})`;
  const chosen =
    options.fps === null
      ? '1'
      : `isnan(prev_selected_t)+lt(t\\,prev_selected_t)+gt(${grid('t')}\\,${grid('prev_selected_t')})`;
  const filters = [
    'showinfo=checksum=0',
    `select=${chosen}`,
    'showinfo=checksum=0',
    `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=bicubic+accurate_rnd+full_chroma_int`,
  ];
  const global = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info'];
  const filter = ['-an', '-sn', '-dn', '-threads', '1', '-vf', filters.join(',')];
  const output = ['-fps_mode', 'passthrough', '-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'pipe:1'];
  return [...global, ...input(source), ...filter, ...output];
}

const LARGE = { width: `min(iw\\,${MAX_SIDE})`, height: `min(ih\\,${MAX_SIDE})` } as const;

/** What an RTSP address may lead to; `pipe` is the list that holds it. */
const RTSP_PROTOCOLS = 'pipe,rtsp,rtsps,rtp,udp,tcp,tls';

/**
 * What ffmpeg reads from its standard input, empty when nothing. An address may hold a password, and a command line can be read
 * by everybody on the machine: so it goes in as a list of one for ffmpeg's `concat`.
 */
export function ffmpegInput(source: Extract<CameraSource, { readonly kind: 'file' | 'rtsp' | 'v4l2' }>): string {
  if (source.kind !== 'rtsp') return '';
  const quoted = `'${source.url.replaceAll(/[\r\n]/g, '').replaceAll("'", String.raw`'\''`)}'`;
  return [
    'ffconcat version 1.0',
    `file ${quoted}`,
    'option rtsp_transport tcp',
    'option timeout 10000000',
    'option fflags nobuffer',
    '',
  ].join('\n');
}

function input(source: Extract<CameraSource, { readonly kind: 'file' | 'rtsp' | 'v4l2' }>): readonly string[] {
  switch (source.kind) {
    case 'file':
      // A file name is never an option or another protocol, whatever it looks like.
      return ['-threads', '1', '-i', `file:${source.path}`];
    case 'rtsp':
      return ['-threads', '1', '-f', 'concat', '-safe', '0', '-protocol_whitelist', RTSP_PROTOCOLS, '-i', 'pipe:0'];
    case 'v4l2':
      return ['-threads', '1', '-f', 'v4l2', '-i', source.device];
  }
}

/** What one stderr line says of the way to the source: a status that refuses (RFC 2326 §7.1.1), or that it is open. */
export function readConnection(line: string): { readonly refusedWith: number } | 'open' | undefined {
  const [, status] = /^\[rtsp @ [^\]]+\] \[error\] method [A-Z_]+ failed: (\d{3}) /.exec(line) ?? [];
  if (status !== undefined) return { refusedWith: Number(status) };
  return line.startsWith('[info] Input #0') ? 'open' : undefined;
}

/** Reads one stderr line; undefined when it is another one. */
export function readShowinfo(line: string): ShownFrame | undefined {
  const match =
    /^\[(Parsed_showinfo_\d) @ [^\]]+\] \[info\] n: *(\d+) pts: *\S+ pts_time:(\S+) .*? s:(\d+)x(\d+) /.exec(line);
  if (match === null) return undefined;
  const [, name, index, time, width, height] = match;
  if (name !== ALL && name !== CHOSEN) return undefined;
  const seconds = Number(time);
  return {
    stage: name === ALL ? 'all' : 'chosen',
    index: Number(index),
    // Streams without time stamps say NOPTS: then the number is all there is.
    atMs: Number.isFinite(seconds) ? Math.round(seconds * 1000) : Number(index) * 40,
    width: Number(width),
    height: Number(height),
  };
}
