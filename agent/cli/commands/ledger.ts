import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { STREAMS, type Stream } from '../../../drivers/api/reading.ts';
import { toCloudEvent, type StoredEvent } from '../../core/event.ts';
import { copyLedger, type LedgerCopy, ledgerPath, setAsideLedgers } from '../../host/ledger-copy.ts';
import { freshHead } from '../../ledger/replace-damaged.ts';
import { readLedger, verifyAll, type LedgerReader } from '../../ledger/read-ledger.ts';
import { cliFailure } from '../errors.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

const EXAMPLES = `
Examples:
  $ barrow ledger stats --state /var/lib/barrow
  $ barrow ledger verify --state /var/lib/barrow --json
  $ barrow ledger export --state /var/lib/barrow --stream sale --from 100 > sales.jsonl
  $ barrow ledger salvage --state /var/lib/barrow --out rescued.jsonl

All of them read a private copy: the agent may run meanwhile, and the folder is never changed.
Exit status: 0 fine, 1 the ledger is damaged or does not add up, 2 no ledger there or a wrong command line.`;

interface Kit {
  readonly id: string;
  readonly node?: string | undefined;
}

interface StateFlags {
  readonly state: string;
  readonly kit?: string;
}

interface ExportFlags extends StateFlags {
  readonly stream?: Stream;
  readonly from?: number;
  readonly to?: number;
  readonly out?: string;
}

/** Opens one ledger file as a copy, for the time of `work`. */
async function reading<T>(path: string, work: (ledger: LedgerReader) => Promise<T>): Promise<T> {
  using copy = copyLedger(path);
  using ledger = readLedger(copy.path);
  return await work(ledger);
}

/** The same for a damaged file: where its beginning is gone, with that of an empty ledger. */
async function rescuing<T>(path: string, work: (ledger: LedgerReader) => Promise<T>): Promise<T> {
  using copy = copyLedger(path);
  using ledger = readDamaged(copy);
  return await work(ledger);
}

function readDamaged(copy: LedgerCopy): LedgerReader {
  try {
    return readLedger(copy.path);
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'ledger-corrupt') throw error;
    copy.putHead(freshHead());
    return readLedger(copy.path);
  }
}

/** Who the events are from: the command line's word, else what the agent wrote down, else nobody. */
function kitOf(ledger: LedgerReader, flags: StateFlags): Kit {
  if (flags.kit !== undefined) return { id: flags.kit };
  const saved = ledger.saved('agent', 'kit');
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) return { id: 'unknown' };
  const { id, node } = saved as { readonly id?: unknown; readonly node?: unknown };
  return { id: typeof id === 'string' ? id : 'unknown', node: typeof node === 'string' ? node : undefined };
}

async function stats(io: CommandIo, flags: StateFlags): Promise<ExitStatus> {
  return reading(ledgerPath(flags.state), async (ledger): Promise<ExitStatus> => {
    const streams = verifyAll(ledger).map(({ stream, first, last, held, delivered, pending, lost }) => ({
      stream,
      first,
      last,
      held,
      delivered,
      pending,
      lost,
    }));
    const inherited = ledger.inherited().length;
    const setAside = setAsideLedgers(flags.state);
    if (io.json) {
      await io.out(JSON.stringify({ epoch: ledger.epoch, streams, inherited, setAside }));
      return 0;
    }
    await io.out(`epoch ${ledger.epoch}`);
    await io.out(row(['stream', 'first', 'last', 'held', 'delivered', 'pending', 'lost']));
    for (const each of streams)
      await io.out(
        row([each.stream, each.first, each.last, each.held, each.delivered, each.pending, each.lost].map(String)),
      );
    if (inherited > 0) await io.out(`${inherited} rows of an earlier ledger wait for delivery`);
    for (const path of setAside) await io.out(`set aside: ${path}`);
    return 0;
  });
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(9) : cell.padStart(10))).join(' ');
}

async function verify(io: CommandIo, flags: StateFlags): Promise<ExitStatus> {
  return reading(ledgerPath(flags.state), async (ledger): Promise<ExitStatus> => {
    const damage = ledger.integrity();
    const streams = verifyAll(ledger);
    const ok =
      damage.length === 0 && streams.every(({ balanced, unaccounted }) => balanced && unaccounted.length === 0);
    if (io.json) {
      await io.out(JSON.stringify({ ok, epoch: ledger.epoch, damage, streams }));
      return ok ? 0 : 1;
    }
    for (const word of damage) await io.out(`damage: ${word.split('\n')[0] ?? ''}`);
    for (const { stream, last, delivered, pending, lost, balanced, unaccounted } of streams) {
      const sum = `${last} accepted = ${delivered} delivered + ${pending} pending + ${lost} declared lost`;
      await io.out(`${stream.padEnd(9)} ${balanced ? sum : `does not add up: ${sum}`}`);
      for (const [from, to] of unaccounted) await io.out(`${stream.padEnd(9)} unaccounted: ${from}..${to}`);
    }
    await io.out(ok ? 'complete' : 'not complete');
    return ok ? 0 : 1;
  });
}

async function exportEvents(io: CommandIo, flags: ExportFlags): Promise<ExitStatus> {
  return reading(ledgerPath(flags.state), async (ledger): Promise<ExitStatus> => {
    const kit = kitOf(ledger, flags);
    const streams = flags.stream === undefined ? STREAMS : [flags.stream];
    const write = sink(io, flags.out);
    for (const stream of streams)
      for (const event of ledger.events(stream, flags.from ?? 1, flags.to ?? Infinity)) {
        // Whoever read it has enough, or the operator has: what was written stands, and is not all.
        if (io.signal.aborted) return isBrokenPipe(io.signal.reason) ? 0 : 1;
        await write.line(JSON.stringify(toCloudEvent(event, kit)));
      }
    await write.end();
    return 0;
  });
}

/** Every readable row of the ledger and of those set aside, each once. */
async function salvageEvents(io: CommandIo, flags: ExportFlags): Promise<ExitStatus> {
  const write = sink(io, flags.out);
  const report: { file: string; epoch: string | null; rows: number; readable: boolean }[] = [];
  for (const path of [...setAsideLedgers(flags.state), ledgerPath(flags.state)]) {
    try {
      report.push(await rescuing(path, (ledger) => salvageOne(path, ledger, flags, write)));
    } catch (error) {
      if (!(error instanceof AgentError) || error.code === 'ledger-absent' || error.code === 'ledger-newer')
        throw error;
      report.push({ file: path, epoch: null, rows: 0, readable: false });
    }
  }
  await write.end();
  const whole = report.every(({ readable }) => readable);
  for (const { file, epoch, rows, readable } of report)
    io.err(`${file}: epoch ${epoch ?? 'unreadable'}, ${rows} rows${readable ? '' : ', damaged'}`);
  return whole ? 0 : 1;
}

async function salvageOne(
  file: string,
  ledger: LedgerReader,
  flags: ExportFlags,
  write: Sink,
): Promise<{ file: string; epoch: string; rows: number; readable: boolean }> {
  const kit = kitOf(ledger, flags);
  let rows = 0;
  const tell = async (event: StoredEvent): Promise<void> => {
    rows += 1;
    await write.line(JSON.stringify(toCloudEvent(event, kit)));
  };
  for (const stream of STREAMS) for (const event of ledger.events(stream, 1, Infinity)) await tell(event);
  const readable = ledger.integrity().length === 0;
  return { file, epoch: ledger.epoch, rows, readable };
}

interface Sink {
  line(text: string): Promise<void>;
  end(): Promise<void>;
}

function sink(io: CommandIo, path: string | undefined): Sink {
  if (path === undefined) return { line: (text) => io.out(text), end: () => Promise.resolve() };
  const file = createWriteStream(path, { mode: 0o600 });
  // The writes hear of it too; an error that only the stream tells would end the program.
  file.on('error', () => undefined);
  const unwritable = (cause: unknown): AgentError => cliFailure('file-unwritable', { detail: path, cause });
  return {
    line: (text) =>
      new Promise((resolve, reject) => {
        file.write(`${text}\n`, (error) => (error == null ? resolve() : reject(unwritable(error))));
      }),
    async end() {
      file.end();
      await finished(file).catch((error: unknown) => {
        throw unwritable(error);
      });
    },
  };
}

function isBrokenPipe(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === 'EPIPE';
}

function streamName(text: string): Stream {
  const stream = STREAMS.find((each) => each === text);
  if (stream === undefined) throw cliFailure('usage', { detail: `--stream is one of ${STREAMS.join(', ')}` });
  return stream;
}

function sequence(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw cliFailure('usage', { detail: `a sequence is a whole number from 1, not ${JSON.stringify(text)}` });
  return value;
}

const state = ['--state <dir>', 'the state folder of kit.yaml'] as const;
const kit = ['--kit <id>', 'whose events they are, where the ledger does not say'] as const;

export const command: CommandModule = {
  build: (bind) => {
    const ledger = new Command('ledger').description('inspect the event ledger without the daemon');
    ledger
      .command('stats')
      .description('what it holds, per stream')
      .requiredOption(...state)
      .action(bind(stats));
    ledger
      .command('verify')
      .description('prove that accepted = delivered + pending + declared lost')
      .requiredOption(...state)
      .action(bind(verify));
    ledger
      .command('export')
      .description('events as JSON Lines of CloudEvents, in order')
      .requiredOption(...state)
      .option(...kit)
      .option('--stream <name>', 'only this stream', streamName)
      .option('--from <sequence>', 'from this sequence on', sequence)
      .option('--to <sequence>', 'up to this sequence', sequence)
      .option('--out <file>', 'a file instead of standard output')
      .action(bind(exportEvents));
    ledger
      .command('salvage')
      .description('every row that can still be read, of this ledger and of those set aside, as JSON Lines')
      .requiredOption(...state)
      .option(...kit)
      .option('--out <file>', 'a file instead of standard output')
      .action(bind(salvageEvents));
    return ledger.addHelpText('afterAll', EXAMPLES);
  },
};
