import { failures, type Fail } from '../api/agent-error.ts';

/**
 * What can go wrong with a camera. The host throws and reports these, a driver on a camera puts them into its own
 * table, so that one code has one meaning from the log to the status page.
 */
export const cameraErrors = {
  'model-missing': {
    sentence: 'The people detector is not there',
    hint: 'Install the package again, or in a checkout run npm run models; BARROW_MODEL may name its path',
  },
  'model-unusable': {
    sentence: 'The people detector cannot be loaded',
    hint: 'Install the package again, or in a checkout run npm run models; a Pi needs a 64-bit system',
  },
  'camera-missing': {
    sentence: 'There is no such camera or file',
    hint: 'Check the path in the camera’s source and that it is plugged in',
    exit: 2,
  },
  'camera-unreachable': {
    sentence: 'The camera cannot be reached',
    hint: 'Check its address, power and network; it is tried again by itself',
  },
  'camera-refused': {
    sentence: 'The camera refuses the picture',
    hint: 'Check the address’s path and its user and password',
  },
  'camera-no-picture': {
    sentence: 'What the camera sends holds no picture',
    hint: 'Check that the source is a video or an MJPEG stream',
  },
  'camera-stalled': {
    sentence: 'The camera sends no new picture',
    hint: 'Check the camera; counting goes on when it comes back',
  },
  'camera-process-lost': {
    sentence: 'The camera process ended unexpectedly',
    hint: 'It is started again by itself; see the log if it repeats',
  },
  'ffmpeg-missing': {
    sentence: 'The program ffmpeg is not installed',
    hint: 'Install it: apt install ffmpeg',
  },
} as const;

export const cameraFailure: Fail<typeof cameraErrors> = failures(cameraErrors);

export type CameraErrorCode = keyof typeof cameraErrors;
