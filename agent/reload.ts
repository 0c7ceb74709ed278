import { isDeepStrictEqual } from 'node:util';
import type { DriverEntry, KitConfig } from './config/read-config.ts';
import type { Supervisor } from './supervisor/supervise.ts';

/** Makes the running drivers those of a new configuration: what is unchanged runs on untouched. Returns what was started, stopped or restarted. */
export async function reloadDrivers(
  supervisor: Supervisor,
  wanted: readonly DriverEntry[],
): Promise<readonly string[]> {
  const running = new Map(supervisor.entries().map((entry) => [entry.id, entry]));
  const next = new Map(wanted.map((entry) => [entry.id, entry]));
  const changed: string[] = [];
  for (const [id, entry] of running) {
    const successor = next.get(id);
    if (successor !== undefined && sameEntry(entry, successor)) continue;
    await supervisor.stop(id);
    changed.push(id);
  }
  for (const [id, entry] of next) {
    const before = running.get(id);
    if (before !== undefined && sameEntry(before, entry)) continue;
    supervisor.start(entry);
    if (before === undefined) changed.push(id);
  }
  return changed;
}

/** The top-level parts, `drivers` apart, in which two configurations differ: the agent takes them when it starts. */
export function partsForRestart(running: KitConfig, wanted: KitConfig): readonly string[] {
  const parts = new Set([...Object.keys(running), ...Object.keys(wanted)] as (keyof KitConfig)[]);
  parts.delete('drivers');
  return [...parts].filter((part) => !isDeepStrictEqual(running[part], wanted[part])).toSorted();
}

function sameEntry(a: DriverEntry, b: DriverEntry): boolean {
  return a.type === b.type && isDeepStrictEqual(a.config, b.config);
}
