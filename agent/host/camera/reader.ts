import type { CameraSource } from '../../../drivers/api/transports.ts';
import type { PictureReader } from './picture.ts';
import { readFfmpeg } from './read-ffmpeg.ts';
import { readCommand, readMjpeg, readSnapshots } from './read-jpeg.ts';

/** How pictures are read from each kind of source. */
export function readerOf(source: CameraSource): PictureReader {
  switch (source.kind) {
    case 'file':
    case 'rtsp':
    case 'v4l2':
      return (options, signal) => readFfmpeg(source, options, signal);
    case 'mjpeg':
      return (options, signal) => readMjpeg(source.url, options, signal);
    case 'snapshot':
      return (options, signal) => readSnapshots(source.url, options, signal);
    case 'command':
      return (options, signal) => readCommand(source.command, options, signal);
  }
}
