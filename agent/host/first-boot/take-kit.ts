import { chmod, chown, mkdir, rename, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { DriverRegistry } from '../../../drivers/api/driver.ts';
import type { AgentError } from '../../../drivers/api/agent-error.ts';
import type { ConfigFault } from '../../config/fault.ts';
import type { KitConfig } from '../../config/read-config.ts';
import { secretRefs } from '../../config/secret-refs.ts';
import { readKit } from '../read-kit.ts';
import { firstBootFailure } from './errors.ts';
import { readIfThere, wipe, writeWhole } from './kept-on-disk.ts';

export const KIT_FILE = 'kit.yaml';
/** What kit.yaml is called once it is taken: to be read on a laptop, and not taken twice. */
export const TAKEN_FILE = 'kit.taken.yaml';

export type TakenKit =
  | { readonly kind: 'none' }
  | { readonly kind: 'faulty'; readonly faults: readonly ConfigFault[] }
  | { readonly kind: 'incomplete'; readonly errors: readonly AgentError[] }
  | { readonly kind: 'taken'; readonly config: KitConfig; readonly files: readonly string[] };

/**
 * Moves kit.yaml and the files that it names from the boot partition to `etc`: all of them or none.
 * kit.yaml goes last, so that a cut in between is only a repetition; then the files are wiped from the partition.
 */
export async function takeKit(boot: string, etc: string, registry: DriverRegistry): Promise<TakenKit> {
  const path = join(boot, KIT_FILE);
  const text = await readIfThere(path);
  if (text === null) return { kind: 'none' };
  const read = await readKit(path, registry);
  if (!read.ok) return { kind: 'faulty', faults: read.faults };

  const errors: AgentError[] = [];
  const moves: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  for (const name of namedFiles(read.config)) {
    if (isAbsolute(name)) continue;
    const inside = normalize(name);
    if (inside.startsWith('..')) {
      errors.push(firstBootFailure('kit-file-outside', { detail: name }));
      continue;
    }
    const bytes = await readIfThere(join(boot, inside));
    if (bytes !== null) moves.push({ name: inside, bytes });
    // A second kit.yaml may name what the first one brought.
    else if ((await readIfThere(join(etc, inside))) === null)
      errors.push(firstBootFailure('kit-file-missing', { detail: name }));
  }
  if (errors.length > 0) return { kind: 'incomplete', errors };

  const { uid, gid } = await stat(etc);
  for (const { name, bytes } of [...moves, { name: KIT_FILE, bytes: text }]) {
    const target = join(etc, name);
    await makeFolders(etc, dirname(name), { uid, gid });
    await writeWhole(target, bytes, { mode: 0o640, owner: { uid, gid } });
  }
  await rename(path, join(boot, TAKEN_FILE));
  for (const { name } of moves) await wipe(join(boot, name));
  return { kind: 'taken', config: read.config, files: moves.map(({ name }) => name) };
}

/** Folders for `path` below `etc`, readable by the agent's group whatever the umask is. */
async function makeFolders(
  etc: string,
  path: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<void> {
  let folder = etc;
  for (const part of path.split('/').filter((name) => name !== '.')) {
    folder = join(folder, part);
    if ((await mkdir(folder, { recursive: true })) === undefined) continue;
    await chmod(folder, 0o750);
    await chown(folder, owner.uid, owner.gid);
  }
}

/** Every file that the configuration points at, once. */
export function namedFiles(config: KitConfig): readonly string[] {
  const refs = [
    ...secretRefs({ ...config, drivers: [] }),
    ...config.drivers.flatMap((entry) => secretRefs(entry.config)),
  ];
  const names = refs.flatMap(({ ref }) => ('file' in ref ? [ref.file] : []));
  if (config.pricing?.bundle !== undefined) names.push(config.pricing.bundle);
  return [...new Set(names)];
}
