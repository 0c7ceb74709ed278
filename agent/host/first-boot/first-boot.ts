import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { DriverRegistry } from '../../../drivers/api/driver.ts';
import { isLoopbackHost, mdnsHost, splitListen } from '../../config/listen.ts';
import type { KitConfig } from '../../config/read-config.ts';
import { secretRefs } from '../../config/secret-refs.ts';
import { readKit } from '../read-kit.ts';
import { deviceIdentity, type DeviceIdentity } from './device-identity.ts';
import { firstBootFailure } from './errors.ts';
import { readIfThere } from './kept-on-disk.ts';
import { KIT_FILE, takeKit, type TakenKit } from './take-kit.ts';
import type { Telling } from './tell.ts';

/** Faults that are read from a screen standing up; the rest is counted. */
const FAULTS_TOLD = 6;

export interface FirstBootReport extends Telling {
  /** `taken`: a new configuration; `unchanged`: the one from before; `waiting`: something must be brought; `refused`: faults. */
  readonly state: 'taken' | 'unchanged' | 'waiting' | 'refused';
  readonly kit: string | null;
  readonly files: readonly string[];
  readonly identity: DeviceIdentity | null;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}

/**
 * One look at the boot partition: takes kit.yaml with its files, makes the device key, asks for and takes the
 * certificate. Repeating it changes nothing; whatever cannot be taken leaves the earlier configuration in force.
 * @throws AgentError `boot-partition` when the folders themselves are missing
 */
export async function firstBoot(boot: string, etc: string, registry: DriverRegistry): Promise<FirstBootReport> {
  for (const folder of [boot, etc]) {
    const found = await stat(folder).catch((error: unknown) => error as NodeJS.ErrnoException);
    if (found instanceof Error || !found.isDirectory()) throw firstBootFailure('boot-partition', { detail: folder });
  }
  const taken = await takeKit(boot, etc, registry);
  const config = taken.kind === 'taken' ? taken.config : await configInForce(etc, registry);
  const problems: AgentError[] = taken.kind === 'incomplete' ? [...taken.errors] : [];
  let identity: DeviceIdentity | null = null;
  if (config !== null) {
    try {
      identity = await deviceIdentity(boot, etc, config.kit.id);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      problems.push(error);
    }
  }
  return report({ taken, config, identity, problems });
}

async function configInForce(etc: string, registry: DriverRegistry): Promise<KitConfig | null> {
  const path = join(etc, KIT_FILE);
  if ((await readIfThere(path)) === null) return null;
  const read = await readKit(path, registry);
  return read.ok ? read.config : null;
}

interface Found {
  readonly taken: TakenKit;
  readonly config: KitConfig | null;
  readonly identity: DeviceIdentity | null;
  readonly problems: readonly AgentError[];
}

function report({ taken, config, identity, problems }: Found): FirstBootReport {
  const faults = taken.kind === 'faulty' ? taken.faults : [];
  const lines: string[] = [];
  if (config === null && taken.kind === 'none')
    lines.push(
      'There is no kit.yaml.',
      '-> Put kit.yaml and the files it names on this partition. Check it first: barrow check -c kit.yaml',
    );
  if (faults.length > 0)
    lines.push(`kit.yaml has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} and was not taken.`);
  for (const { line, column, message, hint } of faults.slice(0, FAULTS_TOLD))
    lines.push(`line ${line}, column ${column}: ${message}`, `-> ${hint}`);
  if (faults.length > FAULTS_TOLD) lines.push(`… and ${faults.length - FAULTS_TOLD} more: barrow check -c kit.yaml`);
  for (const { message, hint } of problems) lines.push(message, `-> ${hint}`);
  const waiting = config !== null && identity?.request != null && needsCertificate(config);
  if (waiting)
    lines.push(
      `The kit has its own key and needs a certificate.`,
      `-> Have ${identity.request} signed and put the certificate here as device.crt.`,
    );
  const refused = faults.length > 0 || problems.length > 0;
  if (config !== null && refused && taken.kind !== 'taken')
    lines.push(`The configuration from before stays in force (kit ${config.kit.id}).`);
  const good = config !== null && !refused && !waiting;
  if (good) lines.push(`Kit ${config.kit.id}, ${config.drivers.length} drivers.`);
  if (good && identity?.certificate != null) lines.push(`Certificate valid until ${identity.certificate.validTo}.`);
  return {
    word: good ? 'READY TO START' : 'NOT READY',
    lines,
    url: good ? statusPageUrl(config) : null,
    state: refused
      ? 'refused'
      : waiting || config === null
        ? 'waiting'
        : taken.kind === 'taken'
          ? 'taken'
          : 'unchanged',
    kit: config?.kit.id ?? null,
    files: taken.kind === 'taken' ? taken.files : [],
    identity,
    problems: [...faults, ...problems].map(({ code, message, hint }) => ({ code, message, hint })),
  };
}

function needsCertificate(config: KitConfig): boolean {
  return secretRefs(config.broker ?? {}).some(
    ({ ref }) => 'credential' in ref && ref.credential === 'barrow_device.crt',
  );
}

/** Where a phone finds the status page; null while it listens on the kit itself only. */
export function statusPageUrl(config: Pick<KitConfig, 'kit' | 'api' | 'mdns'>): string | null {
  const { host, port } = splitListen(config.api.listen);
  if (isLoopbackHost(host) || port === 0) return null;
  const everywhere = host === '0.0.0.0' || host === '::';
  if (!config.mdns && everywhere) return null;
  const name = config.mdns ? mdnsHost(config.kit.id) : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}
