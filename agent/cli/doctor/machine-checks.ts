import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { KitClock, MachineFacts } from '../../core/host.ts';
import { machineFacts } from '../../host/machine.ts';
import { diskCode, throttledNow } from '../../readiness.ts';
import { finding, ok, type Finding } from './finding.ts';

/**
 * Judges the clock by what is known of its truth.
 * @param machineMs what the machine's own clock shows: the agent's stands on a floor, which would hide a wrong year
 */
export function clockCheck(clock: Pick<KitClock, 'trust'>, machineMs: number): Finding {
  const shown = `${new Date(machineMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  switch (clock.trust()) {
    case 'synced':
      return ok('clock', `The clock is synchronised: ${shown}`);
    case 'estimated':
      return finding('clock', 'warn', 'clock-unsynchronised', shown);
    case 'unset':
      return finding('clock', 'fail', 'clock-unset', shown);
  }
}

export function powerCheck({ throttled, temperatureC }: Pick<MachineFacts, 'throttled' | 'temperatureC'>): Finding {
  if (throttled !== null && throttled !== '')
    return finding('power', throttledNow(throttled) ? 'fail' : 'warn', 'pi-throttled', throttled);
  return ok(
    'power',
    temperatureC === null ? 'No sign of throttling' : `No sign of throttling, ${Math.round(temperatureC)} °C`,
  );
}

/** The state folder: there, writable, on a disk that keeps its word, with room. */
export function diskChecks(stateDir: string): readonly Finding[] {
  const path = nearestExisting(resolve(stateDir));
  return [
    writableCheck(stateDir, path),
    mountCheck(path, readFileSync('/proc/self/mounts', 'utf8')),
    spaceCheck(machineFacts(path).freeBytes),
    wearCheck(existsSync(LIFE_TIME) ? readFileSync(LIFE_TIME, 'utf8') : null),
  ];
}

function writableCheck(stateDir: string, path: string): Finding {
  try {
    accessSync(path, constants.W_OK);
    return ok('state folder', `${stateDir} can be written`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return finding('state folder', 'fail', 'state-unwritable', `${path} (${error.code ?? 'unknown'})`);
  }
}

/** Judges the mount that holds a path; `mounts` is the text of /proc/self/mounts. */
export function mountCheck(path: string, mounts: string): Finding {
  const mount = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, point = '', type = '', options = '']) =>
      within(path, unescapeOctal(point)) ? [{ point: unescapeOctal(point), type, options: options.split(',') }] : [],
    )
    .reduce<{ readonly point: string; readonly type: string; readonly options: readonly string[] } | null>(
      (best, next) => (best === null || next.point.length >= best.point.length ? next : best),
      null,
    );
  if (mount === null) return ok('mount', 'Nothing is known of the mount');
  const { point, type, options } = mount;
  // Newer kernels leave `rw` standing where ext4 has stopped writing after an error.
  if (options.includes('ro') || options.includes('emergency_ro'))
    return finding('mount', 'fail', 'mount-read-only', point);
  if (type === 'tmpfs' || type === 'ramfs') return finding('mount', 'warn', 'mount-volatile', point);
  const unsafe = options.filter((option) => ['data=writeback', 'nobarrier', 'barrier=0'].includes(option));
  if (unsafe.length > 0) return finding('mount', 'fail', 'mount-unsafe', `${point} (${unsafe.join(', ')})`);
  return ok('mount', `${point} is ${type} with safe options`);
}

/** Judges the room that is left for the ledger. */
export function spaceCheck(freeBytes: number | null): Finding {
  if (freeBytes === null) return ok('disk space', 'Nothing is known of the free space');
  const shown = `${Math.floor(freeBytes / 1024 / 1024)} MiB free`;
  const code = diskCode(freeBytes);
  return code === null
    ? ok('disk space', shown)
    : finding('disk space', code === 'disk-full' ? 'fail' : 'warn', code, shown);
}

const LIFE_TIME = '/sys/block/mmcblk0/device/life_time';

/** eMMC and some cards tell their life time in tenths (JESD84-B51: 0x0A = 90–100 % used, 0x0B = exceeded). */
export function wearCheck(lifeTime: string | null): Finding {
  const tenths = (lifeTime ?? '')
    .trim()
    .split(/\s+/)
    .map((word) => Number.parseInt(word, 16))
    .filter((tenth) => tenth > 0);
  if (tenths.length === 0) return ok('card wear', 'This disk does not tell its wear');
  const worst = Math.max(...tenths);
  return worst >= 0x0a
    ? finding('card wear', worst > 0x0a ? 'fail' : 'warn', 'card-worn', `${worst * 10} % of its life used`)
    : ok('card wear', `At most ${worst * 10} % of the card’s life is used`);
}

function within(path: string, point: string): boolean {
  return path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
