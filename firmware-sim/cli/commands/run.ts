import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { stringify } from 'yaml';
import type { CommandIo, CommandModule, ExitStatus } from '../../../agent/cli/program.ts';
import { systemChance, systemClock } from '../../../agent/host/clock.ts';
import { registry } from '../../../drivers/registry.ts';
import { playIncidents, type PlayOptions } from '../../kit/play-incidents.ts';
import { startVirtualKit } from '../../kit/virtual-kit.ts';
import { writeKitFolder } from '../kit-folder.ts';
import { incidentLine } from '../incident-line.ts';
import { findClip, readScenario } from '../read-scenario.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('run')
      .description('virtual hardware on real wires (HCI socket, PTYs, MJPEG over HTTP); prints where each device is')
      .argument('<scenario>', 'a YAML file')
      .option('--dir <folder>', 'where links, sockets and a kit.yaml are put; kept afterwards')
      .option('--kernel-adapter', "show the Bluetooth controller to this machine's kernel (hci_vhci, root)")
      .addHelpText(
        'after',
        '\nExample:\n  barrow-sim run firmware-sim/scenario/popup.yaml --dir ./kit\n  barrow run -c ./kit/kit.yaml',
      )
      .action(bind(async (io, path: string, flags: RunFlags) => run(io, path, flags))),
};

interface RunFlags {
  readonly dir?: string;
  readonly kernelAdapter?: boolean;
}

async function run(io: CommandIo, path: string, flags: RunFlags): Promise<ExitStatus> {
  const { dir, kernelAdapter = false } = flags;
  const scenario = await readScenario(path);
  // Absolute, so that the kit.yaml in it serves from any folder.
  const folder = dir === undefined ? await mkdtemp(join(tmpdir(), 'barrow-sim-')) : resolve(dir);
  await mkdir(folder, { recursive: true });
  const off = new AbortController();
  const clock = systemClock();
  const kit = await startVirtualKit(
    scenario,
    {
      folder,
      clock,
      chance: systemChance(),
      currency: scenario.kit.currency,
      adapter: kernelAdapter ? 'kernel' : 'socket',
      signal: off.signal,
      onBug: (error) => io.err(`the simulation failed: ${error instanceof Error ? error.message : String(error)}`),
    },
    { known: new Set(Object.keys(registry)), clip: findClip },
  );
  try {
    const kitPath = await writeKitFolder({
      folder,
      state: join(folder, 'state'),
      scenario,
      kit,
      brokerUrl: 'mqtt://127.0.0.1:1883',
      listen: '127.0.0.1:8080',
      pricing: null,
    });
    if (io.json)
      await io.out(
        JSON.stringify({
          folder,
          kit: kitPath,
          devices: kit.devices.map(({ id, type, where, kitEntry }) => ({ id, type, where, kitEntry })),
        }),
      );
    else {
      for (const { id, type, where } of kit.devices) await io.out(`${id.padEnd(12)} ${type.padEnd(16)} ${where}`);
      await io.out(`\n${kitPath}:\n${stringify({ drivers: kit.devices.map(({ kitEntry }) => kitEntry) })}`);
    }
    const onIncident: PlayOptions['onIncident'] = (incident, phase) => io.err(incidentLine(incident, phase));
    await playIncidents(kit.devices, scenario.incidents, { clock, onIncident }, io.signal);
    await new Promise<void>((stopped) => {
      if (io.signal.aborted) stopped();
      else io.signal.addEventListener('abort', () => stopped(), { once: true });
    });
  } finally {
    off.abort(new Error('switched off'));
    await kit[Symbol.asyncDispose]();
    if (dir === undefined) await rm(folder, { recursive: true, force: true });
  }
  return 0;
}
