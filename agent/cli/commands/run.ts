import { Command, Option } from 'commander';
import type { Log } from '../../../drivers/api/driver.ts';
import { registry } from '../../../drivers/registry.ts';
import { configErrors, configFailure } from '../../config/errors.ts';
import type { KitConfig } from '../../config/read-config.ts';
import type { ServiceManager } from '../../core/host.ts';
import { LOG_LEVELS, openLog, type LogLevel } from '../../host/log.ts';
import { machineHost } from '../../host/machine-host.ts';
import { forbidCoreDumps } from '../../host/no-core-dumps.ts';
import { readKit } from '../../host/read-kit.ts';
import { giveSpareMemoryBack } from '../../host/spare-memory.ts';
import { runAgent } from '../../run-agent.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface RunOptions {
  readonly config: string;
  readonly stay?: boolean;
  readonly logLevel?: LogLevel;
}

export const command: CommandModule = {
  build: (bind) =>
    new Command('run')
      .description('the daemon: reads the devices, keeps every event, decides prices, publishes')
      .option('-c, --config <file>', 'the configuration', 'kit.yaml')
      .addOption(
        new Option('--log-level <level>', 'least severe level that is logged')
          .choices(LOG_LEVELS)
          .env('BARROW_LOG_LEVEL'),
      )
      .option('--stay', 'with a kit.yaml that cannot work: say why on the status page until it is corrected')
      .addHelpText(
        'after',
        '\nSIGTERM stops it. SIGHUP reads the configuration again: drivers are taken at once, the status says what else was\nchanged and waits for a restart.\n\nExamples:\n  barrow run -c kit.yaml\n  barrow run -c /etc/barrow/kit.yaml --log-level debug',
      )
      .action(bind(async (io, options: RunOptions) => run(io, options))),
};

async function run(io: CommandIo, options: RunOptions): Promise<ExitStatus> {
  forbidCoreDumps();
  giveSpareMemoryBack(io.signal);
  const { config: configPath, stay = false } = options;
  const start = async (config: KitConfig, log: Log, service?: ServiceManager): Promise<void> => {
    const host = await machineHost({ configPath, stateDir: config.state, log, ...(service && { service }) });
    await runAgent({ ...host, readConfig: () => validKit(configPath), reloads: hangUps }, config, io.signal);
  };
  const openOwnLog = (): Promise<Log> => openLog({ level: options.logLevel ?? 'info', pretty: io.tty && !io.json });
  if (stay) {
    const log = await openOwnLog();
    const { runOrStay } = await import('../stay.ts');
    const run = (config: KitConfig, service: ServiceManager): Promise<void> => start(config, log, service);
    await runOrStay({ configPath, log, reloads: hangUps, run }, io.signal);
    return 0;
  }
  const config = await validKit(configPath);
  await start(config, await openOwnLog());
  return 0;
}

async function validKit(path: string): Promise<KitConfig> {
  const read = await readKit(path, registry);
  if (read.ok) return read.config;
  const first = read.faults[0];
  const more = read.faults.length > 1 ? ` (and ${read.faults.length - 1} more)` : '';
  const detail =
    first === undefined ? path : `${path}, line ${first.line}, column ${first.column}: ${first.message}${more}`;
  throw configFailure('config-invalid', {
    detail,
    hint: read.faults.length > 1 ? configErrors['config-invalid'].hint : (first?.hint ?? ''),
  });
}

/** SIGHUP, as systemd's ExecReload sends it. */
function hangUps(reload: () => void, signal: AbortSignal): void {
  process.on('SIGHUP', reload);
  signal.addEventListener('abort', () => process.off('SIGHUP', reload), { once: true });
}
