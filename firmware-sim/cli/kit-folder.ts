import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { VirtualKit } from '../kit/virtual-kit.ts';
import type { Scenario } from '../scenario/scenario.ts';

export interface KitFolderOptions {
  readonly folder: string;
  readonly state: string;
  readonly scenario: Scenario;
  readonly kit: VirtualKit;
  readonly brokerUrl: string;
  readonly listen: string;
  /** The `pricing:` part and its files; absent: none. */
  readonly pricing: { readonly section: JsonObject; readonly files: Readonly<Record<string, string>> } | null;
}

/** Writes a kit.yaml for a virtual kit, with the files that it names; returns its path. */
export async function writeKitFolder(options: KitFolderOptions): Promise<string> {
  const { folder, scenario, kit, pricing } = options;
  await mkdir(folder, { recursive: true });
  const closesMs = Date.now() + 48 * 3_600_000;
  const config = {
    kit: {
      ...scenario.kit,
      opens: new Date(Date.now() - 3_600_000).toISOString(),
      closes: new Date(closesMs).toISOString(),
    },
    state: options.state,
    broker: { url: options.brokerUrl },
    api: { listen: options.listen },
    drivers: kit.devices.map(({ kitEntry }) => kitEntry),
    ...(pricing === null ? {} : { pricing: pricing.section }),
  };
  const files = Object.assign({}, ...kit.devices.map((device) => device.files), pricing?.files ?? {}) as Readonly<
    Record<string, string>
  >;
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const path = join(folder, 'kit.yaml');
  await writeFile(path, stringify(config));
  return path;
}
