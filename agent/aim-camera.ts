import type { CameraSource } from '../drivers/api/transports.ts';
import type { OpenAim } from './api/api-parts.ts';
import { apiFailure } from './api/errors.ts';
import type { KitConfig } from './config/read-config.ts';
import type { Host } from './core/host.ts';
import { supervisorFailure } from './supervisor/errors.ts';

/** After so many minutes the page ends by itself, asked or not. */
export const AIM_MINUTES = 10;

/** Sources that a second reader may open while the driver counts; the others belong to one process at a time. */
const SHARED: ReadonlySet<CameraSource['kind']> = new Set(['mjpeg', 'snapshot', 'rtsp', 'file']);

export interface AimParts {
  readonly host: Pick<Host, 'aim' | 'clock'>;
  readonly config: () => Pick<KitConfig, 'drivers'>;
  readonly signal: AbortSignal;
}

/**
 * Opens the page to aim a driver's camera; asked again while it is open, it tells the same page. Throws `driver-unknown`,
 * `aim-off` for a camera that only one process can open, and the camera's errors.
 */
export function makeAim({ host, config, signal }: AimParts): (driverId: string) => Promise<OpenAim> {
  const open = new Map<string, Promise<OpenAim>>();
  return async (driverId) => {
    const entry = config().drivers.find(({ id }) => id === driverId);
    if (entry === undefined) throw supervisorFailure('driver-unknown', { detail: driverId });
    const source = entry.type === 'camera-counter' ? sourceOf(entry.config) : null;
    if (host.aim === undefined || source === null || !SHARED.has(source.kind))
      throw apiFailure('aim-off', { detail: source === null ? `${driverId} is no camera` : source.kind });
    const known = open.get(driverId);
    if (known !== undefined) return known;
    const opening = host.aim(source, AIM_MINUTES, signal).then(({ url, ended }) => {
      void ended.then(() => open.delete(driverId));
      return { url, endsAt: new Date(host.clock.wallMs() + AIM_MINUTES * 60_000).toISOString() };
    });
    open.set(driverId, opening);
    opening.catch(() => open.delete(driverId));
    return opening;
  };
}

/** The driver has checked its part of kit.yaml; the agent knows no more of it than that a camera has a source. */
function sourceOf(config: unknown): CameraSource | null {
  const source = typeof config === 'object' && config !== null ? (config as { source?: unknown }).source : undefined;
  return typeof source === 'object' && source !== null ? (source as CameraSource) : null;
}
