import type { RadioOptions } from '../../../drivers/api/transports.ts';
import type { BleShelfConfig, SensorConfig } from '../../../drivers/ble-shelf/config.ts';
import { registry } from '../../../drivers/registry.ts';
import { kitFiles, readKit } from '../../host/read-kit.ts';
import { configFailure } from '../../config/errors.ts';
import { cliFailure } from '../errors.ts';
import { bleCommandFailure } from './errors.ts';

export interface RadioFlags {
  readonly hci?: string;
  readonly socket?: string;
  readonly tcp?: string;
  readonly config?: string;
  readonly library?: string;
}

/** The radio to listen with, and the sensors that kit.yaml knows, with their keys. */
export interface ChosenRadio {
  readonly radio: RadioOptions;
  readonly sensors: readonly KnownSensor[];
}

export interface KnownSensor {
  readonly config: SensorConfig;
  readonly key: Uint8Array | undefined;
}

const ADAPTER_MAX = 15;

/** Exactly one of the four ways must be given. Throws `usage`, `ble-no-radio` and configuration errors. */
export async function chooseRadio(flags: RadioFlags): Promise<ChosenRadio> {
  const given = [flags.hci, flags.socket, flags.tcp].filter((flag) => flag !== undefined);
  if (given.length > 1) throw cliFailure('usage', { detail: '--hci, --socket and --tcp exclude each other' });
  const library = parseLibrary(flags.library);
  const direct = directRadio(flags);
  if (flags.config === undefined) {
    if (direct === undefined) throw bleCommandFailure('ble-no-radio');
    return { radio: { ...direct, ...library }, sensors: [] };
  }
  const kit = await readKit(flags.config, registry);
  if (!kit.ok) throw configFailure('config-invalid', { detail: `${kit.faults.length} in ${flags.config}` });
  const configs = kit.config.drivers
    .filter(({ type }) => type === 'ble-shelf')
    .map(({ config }) => config as BleShelfConfig);
  const radio = direct ?? configs[0]?.radio;
  if (radio === undefined)
    throw bleCommandFailure('ble-no-radio', { detail: `${flags.config} has no ble-shelf driver` });
  const files = kitFiles(flags.config, process.env);
  const sensors = await Promise.all(
    configs
      .flatMap((config) => config.sensors)
      .map(async (config): Promise<KnownSensor> => {
        if (config.key === undefined) return { config, key: undefined };
        const text = Buffer.from(await files.secret(config.key))
          .toString('latin1')
          .trim();
        return { config, key: Uint8Array.from(Buffer.from(text, 'hex')) };
      }),
  );
  return { radio: { ...radio, ...library }, sensors };
}

function directRadio(flags: RadioFlags): RadioOptions | undefined {
  if (flags.socket !== undefined) return { kind: 'hci-socket', path: flags.socket };
  if (flags.hci !== undefined) {
    const adapter = Number(flags.hci.replace(/^hci/, ''));
    if (!Number.isInteger(adapter) || adapter < 0 || adapter > ADAPTER_MAX)
      throw cliFailure('usage', { detail: `--hci ${flags.hci} is not 0 to ${ADAPTER_MAX}` });
    return { kind: 'hci', adapter };
  }
  if (flags.tcp === undefined) return undefined;
  const at = flags.tcp.lastIndexOf(':');
  const port = Number(flags.tcp.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw cliFailure('usage', { detail: `--tcp ${flags.tcp} is not HOST:PORT` });
  return { kind: 'hci-socket', host: flags.tcp.slice(0, at).replace(/^\[|\]$/g, ''), port };
}

function parseLibrary(text: string | undefined): { library?: 'abandonware' | 'stoprocent' } {
  if (text === undefined) return {};
  if (text !== 'abandonware' && text !== 'stoprocent')
    throw cliFailure('usage', { detail: `--library ${text} is neither abandonware nor stoprocent` });
  return { library: text };
}
