import { Command } from 'commander';
import type { CommandIo, CommandModule, ExitStatus } from '../../../agent/cli/program.ts';
import { secondsFlag } from '../../../agent/cli/consumer/connect.ts';
import type { ConsumedEvent } from '../../../agent/cli/consumer/read-event.ts';
import { runDemo, type DemoSummary } from '../demo/run-demo.ts';
import { incidentLine } from '../incident-line.ts';
import { POPUP, readScenario } from '../read-scenario.ts';

interface DemoFlags {
  readonly seconds?: number;
  readonly state?: string;
  readonly scenario: string;
}

export const command: CommandModule = {
  build: (bind) =>
    new Command('demo')
      .description('a virtual kit, a broker, the agent, its status page and a small shop')
      .option('--seconds <n>', 'stop by itself, print a summary, exit 0 only if all of it arrived', secondsFlag)
      .option('--state <dir>', 'keep the agent’s ledger in this folder')
      .option('--scenario <file>', 'another shop', POPUP)
      .addHelpText('after', '\nExamples:\n  barrow-sim demo\n  barrow-sim demo --seconds 90 --json')
      .action(bind(async (io, flags: DemoFlags) => demo(io, flags))),
};

async function demo(io: CommandIo, flags: DemoFlags): Promise<ExitStatus> {
  const scenario = await readScenario(flags.scenario);
  io.err('Starting the virtual kit, the broker and the agent …');
  const summary = await runDemo(
    {
      scenario,
      ...(flags.seconds === undefined ? {} : { seconds: flags.seconds }),
      ...(flags.state === undefined ? {} : { state: flags.state }),
      onReady: ({ statusPage, broker, kit, log }) => {
        io.err(`Status page  ${statusPage}`);
        io.err(`Broker       ${broker}   (barrow tail --broker ${broker})`);
        for (const { id, where } of kit.devices) io.err(`${id.padEnd(12)} ${where}`);
        io.err(`Agent’s log  ${log}`);
        io.err(
          flags.seconds === undefined
            ? 'The shop is open. Ctrl-C closes it.'
            : `The shop is open for ${flags.seconds} s.`,
        );
      },
      onEvent: (event) => {
        if (!io.json) void io.out(eventLine(event));
      },
      onIncident: (incident, phase) => io.err(incidentLine(incident, phase)),
    },
    io.signal,
  );
  if (io.json) await io.out(JSON.stringify(summary));
  else await tell(io, summary);
  return summary.ok ? 0 : 1;
}

function eventLine({ time, stream, sequence, type, subject, data }: ConsumedEvent): string {
  const text = JSON.stringify(data);
  return `${time.slice(11, 23)} ${`${stream}/${sequence}`.padEnd(13)} ${subject.padEnd(10)} ${type.replace(/^barrow\.|\.v1$/g, '').padEnd(20)} ${text.length > 110 ? `${text.slice(0, 109)}…` : text}`;
}

async function tell(io: CommandIo, summary: DemoSummary): Promise<void> {
  await io.out('');
  await io.out(
    `${summary.shop.shoppers} shoppers in ${summary.seconds} s, ${summary.shop.sales} sales, ${summary.shop.declined} declined`,
  );
  for (const { id, type, events } of summary.drivers)
    await io.out(`  ${id.padEnd(12)} ${type.padEnd(16)} ${String(events).padStart(6)} events arrived`);
  for (const { stream, first, last, gaps, duplicates, losses } of summary.streams)
    await io.out(
      `  ${stream.padEnd(12)} ${first} … ${last}, ${gaps} gaps, ${duplicates} duplicates, ${losses} declared lost`,
    );
  if (summary.ok) await io.out('Everything that happened arrived.');
  else for (const fault of summary.faults) io.err(`error[demo]: ${fault}`);
}
