import { Command } from 'commander';
import { connectConsumer, kitFlag, secondsFlag, withBrokerOptions, type BrokerFlags } from '../consumer/connect.ts';
import { listen } from '../consumer/listen.ts';
import type { Proof, StreamProof } from '../consumer/proof.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface VerifyFlags extends BrokerFlags {
  readonly kit: string;
  readonly seconds?: number;
  readonly resend: boolean;
}

/** `barrow verify`: a consumer's proof that nothing of a kit is missing. */
export const command: CommandModule = {
  build: (bind) =>
    withBrokerOptions(new Command('verify'))
      .description('Prove from the broker that nothing of a kit is missing; exit 0 only when complete')
      .requiredOption('--kit <id>', 'the kit', kitFlag)
      .option('--seconds <n>', 'listen this long; without it until complete, at most 30 s', secondsFlag)
      .option('--no-resend', 'do not ask the kit to send again what is missing')
      .option('--json', 'answer in JSON')
      .addHelpText(
        'after',
        [
          '',
          'Complete means: every sequence from the first that was seen, or that the kit still holds, to the last that the',
          'kit gave out has arrived or was declared lost. What is missing is asked for again while the kit is online.',
          '',
          'Examples:',
          '  barrow verify --broker mqtt://127.0.0.1:1883 --kit popup-014',
          '  barrow verify --broker mqtt://127.0.0.1:1883 --kit popup-014 --seconds 60 --json',
          '',
        ].join('\n'),
      )
      .action(bind(async (io, flags) => verify(io, flags as unknown as VerifyFlags))),
};

async function verify(io: CommandIo, flags: VerifyFlags): Promise<ExitStatus> {
  const startMs = performance.now();
  const link = await connectConsumer(flags, io.signal);
  try {
    const options = { kit: flags.kit, seconds: flags.seconds ?? null, resend: flags.resend };
    const proof = await listen(link, options, io.signal);
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    if (io.json) await io.out(JSON.stringify({ ...proof, kit: flags.kit, seconds }));
    else for (const line of report(flags.kit, proof)) await io.out(line);
    return proof.ok ? 0 : 1;
  } finally {
    await link.close();
  }
}

const VERDICTS = {
  'nothing-heard': 'nothing was heard of this kit: check the id and that it has been connected',
  gaps: 'events are missing that nobody declared lost',
  'no-manifest': 'a stream has no manifest, so that its end cannot be known',
  malformed: 'messages came that are not events',
} as const;

function report(kit: string, proof: Proof): readonly string[] {
  const rows = [
    ['stream', 'epoch', 'first', 'last', 'received', 'gaps', 'duplicates', 'losses'],
    ...proof.streams.map((stream) => row(stream)),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const missing = proof.streams.flatMap((stream) =>
    stream.missing.map(({ from, to }) => `missing: ${stream.stream} ${from}..${to} of ${stream.epoch}`),
  );
  const verdict = proof.reason === null ? `complete: ${kit}` : `NOT complete: ${kit}: ${VERDICTS[proof.reason]}`;
  return [...(proof.streams.length > 0 ? table : []), ...missing, verdict];
}

function row(stream: StreamProof): readonly string[] {
  const numbers = [stream.first, stream.last, stream.received, stream.gaps, stream.duplicates, stream.losses];
  return [stream.stream, stream.epoch, ...numbers.map(String)];
}
