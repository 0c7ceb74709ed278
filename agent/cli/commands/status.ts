import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { AgentError } from '../../../drivers/api/agent-error.ts';
import type { AgentStatus } from '../../core/status.ts';
import { cliFailure } from '../errors.ts';
import { askLocalApi, findKit, findLocalApi, type LocalApi } from '../local-api.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';
import { outerAddresses, pageAddress, tellPage } from '../status-qr.ts';
import { statusText } from '../status-text.ts';

const WATCH_MS = 2_000;
const CLEAR = '\u001B[H\u001B[2J';

interface StatusFlags {
  readonly url?: string;
  readonly config?: string;
  readonly watch?: boolean;
  readonly qr?: boolean;
  readonly withToken?: boolean;
}

/** `barrow status`: asks the running agent how it is; exit 1 when it is not ready. */
export const command: CommandModule = {
  build: (bind) =>
    new Command('status')
      .description('Ask the running agent how it is: ready or not, and what to do')
      .option('--url <url>', 'the agent’s address, e.g. http://127.0.0.1:8080')
      .option(
        '-c, --config <file>',
        'kit.yaml, for the address and token (default: ./kit.yaml or /etc/barrow/kit.yaml)',
      )
      .option('-w, --watch', 'ask again every two seconds until stopped')
      .option('--qr', 'show a QR code of the status page’s address for a phone, and ask nothing')
      .option('--with-token', 'with --qr: put the kit’s token into the code; whoever sees it is let in')
      .option('--json', 'the status as JSON; with --watch one line each')
      .addHelpText(
        'after',
        '\nExit status: 0 ready, 1 not ready or not reached.\n\nExamples:\n  barrow status\n  barrow status --watch\n  barrow status --qr\n  barrow status --url http://popup-014.local:8080 --json | jq .reasons\n',
      )
      .action(bind(async (io, flags: StatusFlags) => status(io, flags))),
};

async function status(io: CommandIo, flags: StatusFlags): Promise<ExitStatus> {
  if (flags.qr === true) return showPage(io, flags);
  const api = await findLocalApi(flags, process.env);
  if (flags.watch !== true) {
    const answer = await ask(api, io);
    await tell(io, answer);
    return answer.ready ? 0 : 1;
  }
  let ready = false;
  while (!io.signal.aborted) {
    try {
      const answer = await ask(api, io);
      ready = answer.ready;
      if (io.tty && !io.json) process.stdout.write(CLEAR);
      await tell(io, answer);
      if (!io.tty && !io.json) await io.out('');
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (io.signal.aborted) break;
      ready = false;
      // Whoever watches waits for the agent to come back.
      if (io.tty && !io.json) process.stdout.write(CLEAR);
      if (io.json)
        await io.out(JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint } }));
      else await io.out(`${error.message}\n→ ${error.hint}`);
    }
    await wait(WATCH_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
  return ready ? 0 : 1;
}

/** Works without the agent: what is wrong with it is what the page shall tell. */
async function showPage(io: CommandIo, flags: StatusFlags): Promise<ExitStatus> {
  const { api, config } = await findKit(flags, process.env);
  const token = flags.withToken === true ? api.token : null;
  if (flags.url !== undefined) await tellPage(io, { url: `${api.url}/` }, token);
  else if (config === null) throw cliFailure('usage', { detail: '--qr needs kit.yaml (-c) or --url' });
  else await tellPage(io, pageAddress(config, outerAddresses()), token);
  return 0;
}

async function ask(api: LocalApi, io: CommandIo): Promise<AgentStatus> {
  return (await askLocalApi(api, '/v1/status', io.signal)) as AgentStatus;
}

async function tell(io: CommandIo, answer: AgentStatus): Promise<void> {
  if (io.json) await io.out(JSON.stringify(answer));
  else await io.out(statusText(answer, io.tty).join('\n'));
}
