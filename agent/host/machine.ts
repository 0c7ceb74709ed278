import { readFileSync, statfsSync } from 'node:fs';
import { loadavg, uptime } from 'node:os';
import type { MachineFacts } from '../core/host.ts';

const THERMAL_ZONE = '/sys/class/thermal/thermal_zone0/temp';
/** Raspberry Pi firmware: bit 0 undervoltage now, 1 frequency capped, 2 throttled, 3 soft temperature limit; +16: since boot. */
const THROTTLED = '/sys/devices/platform/soc/soc:firmware/get_throttled';

/** Facts of this machine; what it cannot tell is `null`. */
export function machineFacts(stateDir: string): MachineFacts {
  const temperature = readNumber(THERMAL_ZONE);
  return {
    freeBytes: freeBytes(stateDir),
    temperatureC: temperature === null ? null : temperature / 1_000,
    throttled: throttleWords(readText(THROTTLED)),
    uptimeS: Math.floor(uptime()),
    rssBytes: process.memoryUsage.rss(),
    load1: loadavg()[0] ?? null,
  };
}

/** Bits of `get_throttled` in words; `null` when there is no such firmware, empty when all is well. */
export function throttleWords(text: string | null): string | null {
  if (text === null) return null;
  const bits = Number.parseInt(text, 16);
  if (Number.isNaN(bits)) return null;
  const words = ['undervoltage', 'frequency capped', 'throttled', 'soft temperature limit'];
  const now = words.filter((_, bit) => (bits & (1 << bit)) !== 0);
  const since = words.filter((_, bit) => (bits & (1 << (bit + 16))) !== 0).map((word) => `${word} since boot`);
  return [...now, ...since].join(', ');
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

function readNumber(path: string): number | null {
  const text = readText(path);
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
