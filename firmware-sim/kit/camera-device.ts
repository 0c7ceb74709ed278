import type { CameraFault } from '../devices/camera-counter/mjpeg-camera.ts';
import { incidentKinds } from '../scenario/incident.ts';
import { startMjpegServer } from '../wire/mjpeg-server.ts';
import type { Trouble, VirtualDevice } from './virtual-device.ts';

/** A camera over the door that plays a clip for ever. */
export async function cameraDevice(spec: {
  readonly id: string;
  readonly clip: string;
  readonly fps: number;
}): Promise<VirtualDevice> {
  const server = await startMjpegServer({ clip: spec.clip, fps: spec.fps });
  const suffers = (fault: CameraFault): Trouble => ({
    begins: () => {
      server.fault = fault;
    },
    ends: () => {
      server.fault = null;
    },
  });
  const faults = Object.keys(incidentKinds['camera-counter']) as readonly CameraFault[];
  return {
    id: spec.id,
    type: 'camera-counter',
    where: server.url,
    kitEntry: {
      id: spec.id,
      type: 'camera-counter',
      source: { kind: 'mjpeg', url: server.url },
      fps: 5,
      lines: [{ id: 'entrance', from: [350, 180], to: [350, 420] }],
    },
    files: {},
    hands: {},
    troubles: Object.fromEntries(faults.map((fault) => [fault, suffers(fault)])),
    subjects: [spec.id],
    [Symbol.asyncDispose]: () => Promise.resolve(server[Symbol.asyncDispose]()),
  };
}
