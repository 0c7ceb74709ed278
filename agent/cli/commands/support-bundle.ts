import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import { registry } from '../../../drivers/registry.ts';
import type { JsonObject } from '../../../drivers/api/reading.ts';
import type { AgentStatus } from '../../core/status.ts';
import { errorLookup } from '../../error-table.ts';
import { systemClock } from '../../host/clock.ts';
import { copyLedger, ledgerPath } from '../../host/ledger-copy.ts';
import { kitFiles, readKit } from '../../host/read-kit.ts';
import { packageVersion } from '../../host/version.ts';
import { readLedger, verifyAll } from '../../ledger/read-ledger.ts';
import { plainConfig, secretTexts } from '../../support/make-support.ts';
import { supportBundle, supportFileName } from '../../support/support-bundle.ts';
import { examine } from '../doctor/examine.ts';
import { cliFailure } from '../errors.ts';
import { askLocalApi, findLocalApi } from '../local-api.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';
import { tellFaults } from './check.ts';

/** As many lines as the agent keeps. */
const LOG_LINES = 1_000;

interface BundleFlags {
  readonly config: string;
  readonly out?: string;
  readonly doctor: boolean;
}

/** `barrow support-bundle`: one file that tells the people who help what they need, and nothing else. */
export const command: CommandModule = {
  build: (bind) =>
    new Command('support-bundle')
      .description('collect status, findings, configuration and log for those who help; no secrets, no card data')
      .option('-c, --config <file>', 'the configuration', 'kit.yaml')
      .option('-o, --out <file>', 'where to write it; a name that ends in .gz is compressed, - is stdout')
      .option('--no-doctor', 'do not run the checks of `barrow doctor`')
      .addHelpText(
        'after',
        '\nThe agent need not run. The file is JSON of at most 2 MiB: read it before you send it.\n\nExamples:\n  barrow support-bundle -c kit.yaml\n  barrow support-bundle -c /etc/barrow/kit.yaml --out kit.json.gz\n  barrow support-bundle -c kit.yaml --out - | jq .codes',
      )
      .action(bind(async (io, flags: BundleFlags) => collect(io, flags))),
};

async function collect(io: CommandIo, flags: BundleFlags): Promise<ExitStatus> {
  const path = flags.config;
  const read = await readKit(path, registry);
  if (!read.ok) {
    await tellFaults(io, path, read.faults);
    return 2;
  }
  const { config } = read;
  const asked = await askAgent(path, io.signal);
  const doctor = flags.doctor ? await examine(path, config, asked.status, () => undefined, io.signal) : null;
  const plain = plainConfig(config);
  const madeAt = new Date(systemClock().wallMs()).toISOString();
  const text = supportBundle({
    madeAt,
    version: packageVersion(),
    runtime: process.version,
    status: asked.status,
    config: plain,
    doctor: doctor === null ? null : doctor.map((found): JsonObject => ({ ...found })),
    ledger: asked.status === null ? ledgerFigures(config.state) : undefined,
    logs: asked.logs,
    secrets: await secretTexts(plain, kitFiles(path, process.env)),
    errorEntry: errorLookup(config.drivers.map(({ driver }) => driver)),
  });
  if (flags.out === '-') {
    await io.out(text.trimEnd());
    return 0;
  }
  const out = resolve(flags.out ?? supportFileName(config.kit.id, madeAt));
  const bytes = out.endsWith('.gz') ? gzipSync(text) : Buffer.from(text);
  await writeOut(out, bytes);
  if (io.json) await io.out(JSON.stringify({ file: out, bytes: bytes.length, agent: asked.status !== null }));
  else
    await io.out(
      `${out} (${Math.ceil(bytes.length / 1024)} KiB)${asked.status === null ? ', without the log: no agent answers' : ''}`,
    );
  return 0;
}

async function writeOut(out: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(out, bytes, { mode: 0o600 });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw cliFailure('file-unwritable', {
        detail: `${out} (${(error as NodeJS.ErrnoException).code ?? ''})`,
        cause: error,
      });
    throw error;
  }
}

interface Asked {
  readonly status: AgentStatus | null;
  readonly logs: readonly JsonObject[];
}

/** What the running agent says; a dead one is what the bundle is needed for most. */
async function askAgent(config: string, signal: AbortSignal): Promise<Asked> {
  try {
    const api = await findLocalApi({ config }, process.env);
    const status = (await askLocalApi(api, '/v1/status', signal)) as AgentStatus;
    const { lines } = (await askLocalApi(api, `/v1/logs?limit=${LOG_LINES}`, signal)) as {
      readonly lines: readonly JsonObject[];
    };
    return { status, logs: lines };
  } catch (error) {
    if (error instanceof AgentError) return { status: null, logs: [] };
    throw error;
  }
}

/** First, last and open rows of each stream, from a private copy; the reason where it cannot be read. */
function ledgerFigures(stateDir: string): JsonObject {
  try {
    using copy = copyLedger(ledgerPath(stateDir));
    using ledger = readLedger(copy.path);
    return {
      streams: verifyAll(ledger).map(({ stream, first, last, held, delivered, pending, lost, balanced }) => ({
        stream,
        first,
        last,
        held,
        delivered,
        pending,
        lost,
        balanced,
      })),
    };
  } catch (error) {
    if (error instanceof AgentError) return { code: error.code, detail: error.message };
    throw error;
  }
}
