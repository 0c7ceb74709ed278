import { watch, type FSWatcher } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../../drivers/api/clock.ts';

/** A watch alone missed or failed 5 of 40 re-plugs (measured), so the path is also asked this often. */
export const POLL_MS = 1_000;

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isCharacterDevice();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/** `/dev/serial/by-id` itself goes away with the last device, so the nearest folder that is there is watched. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await access(folder);
      return folder;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) || folder === dirname(folder)) throw error;
    }
  }
}

function watchFolder(folder: string, path: string, changed: () => void): FSWatcher | null {
  try {
    // Only the port's own name matters in its folder: a busy /tmp must not wake us a thousand times a second.
    const own = folder === dirname(path) ? basename(path) : null;
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (own === null || name === null || name === own) changed();
    });
    // A watch that breaks (folder removed, no inotify instances left) leaves the poll to do its work.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/**
 * Resolves with true as soon as a character device stands at `path` (links followed), with false after `waitMs`.
 * Rejects with the signal's reason.
 */
export async function waitForPort(
  path: string,
  options: { readonly waitMs: number; readonly clock: Clock },
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, waitMs } = options;
  const until = clock.monoMs() + waitMs;
  for (;;) {
    signal.throwIfAborted();
    // The watch stands before the question is asked, or a device that comes in between would wait for the poll.
    const woken = new AbortController();
    const stop = (): void => woken.abort();
    signal.addEventListener('abort', stop, { once: true });
    let watcher: FSWatcher | null = null;
    try {
      watcher = watchFolder(await nearestFolder(path), path, stop);
      if (await exists(path)) return true;
      const leftMs = until - clock.monoMs();
      if (leftMs <= 0) return false;
      await clock.sleep(Math.min(POLL_MS, leftMs), woken.signal);
    } catch (error) {
      if (!woken.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      watcher?.close();
    }
  }
}
