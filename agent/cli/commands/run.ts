import { Command, Option } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import { configErrors, configFailure } from '../../config/errors.ts';
import type { KitConfig } from '../../config/read-config.ts';
import { LOG_LEVELS, openLog, type LogLevel } from '../../host/log.ts';
import { machineHost } from '../../host/machine-host.ts';
import { forbidCoreDumps } from '../../host/no-core-dumps.ts';
import { readKit } from '../../host/read-kit.ts';
import { giveSpareMemoryBack } from '../../host/spare-memory.ts';
import { runAgent } from '../../run-agent.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface RunOptions {
  readonly config: string;
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
      .addHelpText(
        'after',
        '\nSIGTERM stops it, SIGHUP reads the configuration again.\n\nExamples:\n  barrow run -c kit.yaml\n  barrow run -c /etc/barrow/kit.yaml --log-level debug',
      )
      .action(bind(async (io, options: RunOptions) => run(io, options))),
};

async function run(io: CommandIo, options: RunOptions): Promise<ExitStatus> {
  forbidCoreDumps();
  giveSpareMemoryBack(io.signal);
  const config = await validKit(options.config);
  const log = await openLog({ level: options.logLevel ?? 'info', pretty: io.tty && !io.json });
  const host = await machineHost({ configPath: options.config, stateDir: config.state, log });
  await runAgent({ ...host, readConfig: () => validKit(options.config), reloads: hangUps }, config, io.signal);
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
