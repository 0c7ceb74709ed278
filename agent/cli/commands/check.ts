import { Command } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { ConfigFault } from '../../config/fault.ts';
import { configErrors } from '../../config/errors.ts';
import type { KitConfig } from '../../config/read-config.ts';
import { pathText } from '../../config/fault.ts';
import { secretRefs } from '../../config/secret-refs.ts';
import { kitFiles, readKit } from '../../host/read-kit.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('check')
      .description('check kit.yaml: all faults at once, each with line, column and hint')
      .option('-c, --config <file>', 'the configuration', 'kit.yaml')
      .addHelpText('after', '\nExamples:\n  barrow check -c kit.yaml\n  barrow check -c /boot/firmware/kit.yaml --json')
      .action(bind(async (io, options: { readonly config: string }) => check(io, options.config))),
};

async function check(io: CommandIo, path: string): Promise<ExitStatus> {
  const read = await readKit(path, registry);
  if (!read.ok) {
    await tellFaults(io, path, read.faults);
    return 2;
  }
  const warnings = await unreadable(path, read.config);
  if (io.json)
    await io.out(JSON.stringify({ ok: true, kit: read.config.kit.id, drivers: read.config.drivers.length, warnings }));
  else {
    for (const warning of warnings) io.err(`warning[${warning.code}]: ${warning.path}: ${warning.message}`);
    await io.out(`${path} is valid: kit ${read.config.kit.id}, ${read.config.drivers.length} drivers`);
  }
  return 0;
}

export async function tellFaults(io: CommandIo, path: string, faults: readonly ConfigFault[]): Promise<void> {
  if (io.json) {
    const { sentence, hint } = configErrors['config-invalid'];
    await io.out(
      JSON.stringify({
        ok: false,
        faults,
        error: { code: 'config-invalid', message: `${sentence}: ${faults.length} in ${path}`, hint },
      }),
    );
    return;
  }
  for (const { code, message, hint, line, column } of faults) {
    io.err(`error[${code}]: ${path}, line ${line}, column ${column}: ${message}`);
    io.err(`hint: ${hint}`);
  }
  io.err(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in ${path}`);
}

/** Secrets that this machine does not have: a warning, because the file may be checked on another machine than the kit. */
async function unreadable(
  path: string,
  config: KitConfig,
): Promise<readonly { readonly code: string; readonly path: string; readonly message: string }[]> {
  const files = kitFiles(path, process.env);
  const warnings = [];
  const places = [
    ...secretRefs({ ...config, drivers: [] }),
    ...config.drivers.flatMap((entry, index) => secretRefs(entry.config, ['drivers', index])),
  ];
  for (const { path: place, ref } of places) {
    try {
      await files.secret(ref);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      warnings.push({ code: error.code, path: pathText(place), message: error.message });
    }
  }
  return warnings;
}
