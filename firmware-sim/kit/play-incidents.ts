import type { Clock } from '../../drivers/api/clock.ts';
import type { Incident } from '../scenario/incident.ts';
import type { VirtualDevice } from './virtual-device.ts';

export interface PlayOptions {
  readonly clock: Clock;
  /** Hears each beginning and each end, for a person. */
  readonly onIncident: (incident: Incident, phase: 'begins' | 'ends') => void;
}

/**
 * Lets the incidents of a scenario happen to its devices until the signal fires; what lasts is mended then. An incident
 * of a device that was left in its box does not happen. Rejects when a device's own simulation fails.
 */
export async function playIncidents(
  devices: readonly VirtualDevice[],
  incidents: readonly Incident[],
  options: PlayOptions,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map(devices.map((device) => [device.id, device]));
  await Promise.all(
    incidents.map(async (incident) => {
      const trouble = known.get(incident.device)?.troubles[incident.what];
      if (trouble === undefined) return;
      try {
        await play(incident, trouble, options, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }),
  );
}

async function play(
  incident: Incident,
  trouble: VirtualDevice['troubles'][string],
  { clock, onIncident }: PlayOptions,
  signal: AbortSignal,
): Promise<void> {
  const startMono = clock.monoMs();
  for (let atMs = incident.atS * 1_000; ; atMs += (incident.everyS ?? 0) * 1_000) {
    await clock.sleep(Math.max(0, startMono + atMs - clock.monoMs()), signal);
    onIncident(incident, 'begins');
    await trouble.begins(incident.times ?? 1);
    if (incident.forS !== undefined) {
      try {
        await clock.sleep(incident.forS * 1_000, signal);
      } finally {
        await trouble.ends?.();
        onIncident(incident, 'ends');
      }
    }
    if (incident.everyS === undefined) return;
  }
}
