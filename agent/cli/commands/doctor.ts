import { Command } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import { readKit } from '../../host/read-kit.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { runningAgent } from '../local-api.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';
import { tellFaults } from './check.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('doctor')
      .description('look at everything that a kit needs: each ok, warn or fail, and the next step')
      .option('-c, --config <file>', 'the configuration', 'kit.yaml')
      .addHelpText(
        'after',
        '\nWhile the agent runs it is asked for its devices; otherwise each device is opened for a moment.\n\nExamples:\n  barrow doctor -c kit.yaml\n  barrow doctor -c /etc/barrow/kit.yaml --json',
      )
      .action(bind(async (io, options: { readonly config: string }) => doctor(io, options.config))),
};

async function doctor(io: CommandIo, path: string): Promise<ExitStatus> {
  const read = await readKit(path, registry);
  if (!read.ok) {
    await tellFaults(io, path, read.faults);
    return 2;
  }
  const findings = await examine(
    path,
    read.config,
    await runningAgent(path, io.signal),
    io.json ? () => undefined : (found) => void io.out(line(found, io.tty)),
    io.signal,
  );
  const worst = findings.some(({ state }) => state === 'fail')
    ? 'fail'
    : findings.some(({ state }) => state === 'warn')
      ? 'warn'
      : 'ok';
  if (io.json) await io.out(JSON.stringify({ ok: worst !== 'fail', worst, checks: findings }));
  else await io.out(worst === 'ok' ? 'All well.' : worst === 'warn' ? 'Ready, with warnings.' : 'Not ready.');
  return worst === 'fail' ? 1 : 0;
}

const COLOURS = { ok: 32, warn: 33, fail: 31 } as const;

function line({ check, state, code, sentence, next }: Finding, tty: boolean): string {
  const word = state.padEnd(4);
  const shown = tty ? `\u001b[${COLOURS[state]}m${word}\u001b[0m` : word;
  const head = `${shown}  ${check.padEnd(16)} ${sentence}${state === 'ok' ? '' : ` [${code}]`}`;
  return next === null ? head : `${head}\n      ${' '.repeat(16)} → ${next}`;
}
