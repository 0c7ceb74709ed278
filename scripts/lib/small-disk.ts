import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small file system of its own that can be filled and made to fail. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Somebody else's file takes all that is left. */
  fill(): Promise<void>;
  /** That file goes again. */
  free(): Promise<void>;
  /** Mounts it anew, after a check of the file system; nobody may have a file open. */
  remount(): Promise<void>;
  /** `mount -o remount,…`: only while nobody writes. */
  turn(how: 'ro' | 'rw'): Promise<void>;
  /** The kernel finds an error in the file system and turns it read-only under its writers, as it does on a bad card. */
  breakUnderWriters(): Promise<void>;
}

/** Why small disks cannot be had here; `null` when they can. */
export function noSmallDisk(): string | null {
  if (process.getuid?.() !== 0)
    return 'mounting a test disk needs root: run this test as root, or in a container that may mount';
  if (!existsSync('/dev/loop-control'))
    return 'mounting an image needs loop devices: `modprobe loop`, or give the container /dev/loop*';
  return null;
}

/** An ext4 in a file, mounted with `errors=remount-ro`. Throws with a plain word where mounting is not possible. */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const why = noSmallDisk();
  if (why !== null) throw new Error(why);
  const folder = await mkdtemp(join(tmpdir(), 'barrow-disk-'));
  const image = join(folder, 'image');
  const path = join(folder, 'disk');
  const ballast = join(path, 'ballast');
  const mount = (): Promise<unknown> => run('mount', ['-o', 'loop,errors=remount-ro', image, path]);
  await mkdir(path);
  await run('truncate', ['-s', `${megabytes}M`, image]);
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await mount();
  return {
    path,
    fill: async () => {
      try {
        await writeFile(ballast, new Uint8Array(megabytes * 1024 * 1024));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rm(ballast, { force: true }),
    remount: async () => {
      await run('umount', [path]);
      // 1: errors were found and corrected.
      await run('e2fsck', ['-f', '-y', image]).catch((error: unknown) => {
        if ((error as { code?: number }).code !== 1) throw error;
      });
      await mount();
    },
    turn: async (how) => void (await run('mount', ['-o', `remount,${how}`, path])),
    breakUnderWriters: async () => {
      const mounts = await readFile('/proc/self/mounts', 'utf8');
      const device =
        mounts
          .split('\n')
          .find((line) => line.split(' ')[1] === path)
          ?.split(' ')[0] ?? '';
      await writeFile(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, 'test of a failing card');
    },
    [Symbol.asyncDispose]: async () => {
      await run('umount', [path]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
