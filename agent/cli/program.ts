import { Command, CommanderError } from 'commander';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { packageVersion } from '../host/version.ts';
import { cliFailure } from './errors.ts';

/** 0 yes/ok · 1 the thing asked about is bad · 2 usage or configuration error · 70 a bug. */
export type ExitStatus = 0 | 1 | 2 | 70;

/** Where a command writes and how it answers. */
export interface CommandIo {
  /** `--json` was given: answer in JSON on stdout, errors included. */
  readonly json: boolean;
  /** Colour and live redrawing are welcome. */
  readonly tty: boolean;
  /** Fired by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** The program that was called, for commands that speak of all commands. */
  readonly program: Pick<ProgramOptions, 'name' | 'summary' | 'commands'>;
  /** One line to stdout. Resolves when the pipe has taken it. */
  out(line: string): Promise<void>;
  /** One line to stderr. */
  err(line: string): void;
}

/**
 * One command with its options. `build` declares arguments, options and examples on a fresh commander `Command`
 * and sets its action with `action(io, …)`; the action's result is the exit status.
 */
export interface CommandModule {
  build(bind: Binder): Command;
}

/** Wraps an action so that it gets its {@link CommandIo} first; commander's own arguments follow. */
export type Binder = <A extends readonly unknown[]>(
  action: (io: CommandIo, ...args: A) => Promise<ExitStatus>,
) => (...args: A) => Promise<void>;

export type CommandTable = Readonly<Record<string, () => Promise<CommandModule>>>;

export interface ProgramOptions {
  readonly name: string;
  readonly summary: string;
  readonly commands: CommandTable;
  /** Command lines for the end of the overview, one a line. */
  readonly examples: readonly string[];
  readonly argv: readonly string[];
}

/** Runs one command line to its exit status. Only the named command's module is loaded. */
export async function runProgram(options: ProgramOptions): Promise<ExitStatus> {
  const json = options.argv.includes('--json');
  const debug = options.argv.includes('--debug');
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  // A reader that went away (`| head`) ends the work as SIGPIPE would; without a listener it would be a crash.
  const onBroken = (error: NodeJS.ErrnoException): void => stop.abort(error);
  process.stdout.on('error', onBroken);
  // Stays: a write that is still on its way may fail after the end.
  if (!process.stdout.listeners('error').includes(ignore)) process.stdout.on('error', ignore);
  const io: CommandIo = {
    json,
    tty: process.stdout.isTTY,
    signal: stop.signal,
    program: options,
    out: async (line) => writeLine(process.stdout, line),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
  let status: ExitStatus = 0;
  const bind: Binder =
    (action) =>
    async (...args) => {
      status = await action(io, ...args);
    };
  try {
    const program = new Command(options.name).description(options.summary).version(packageVersion());
    program.addHelpText('after', `\nExamples:\n${options.examples.map((line) => `  ${line}`).join('\n')}`);
    program.option('--debug', 'show stack traces').option('--json', 'answer in JSON where facts are printed');
    const wanted = options.argv.find((arg) => !arg.startsWith('-'));
    const known = Object.keys(options.commands);
    const load = wanted !== undefined && known.includes(wanted) ? [wanted] : known;
    for (const name of load) {
      const module = await options.commands[name]?.();
      if (module !== undefined) program.addCommand(quiet(module.build(bind)));
    }
    await quiet(program).parseAsync(options.argv, { from: 'user' });
    return status;
  } catch (error) {
    return report(error, io, debug);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    process.stdout.off('error', onBroken);
  }
}

/** Errors come back as exceptions, so that one place words them; global flags are known to every command. */
export function quiet(command: Command): Command {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showSuggestionAfterError(true);
  if (!command.options.some((option) => option.long === '--json')) command.option('--json', 'answer in JSON');
  if (!command.options.some((option) => option.long === '--debug')) command.option('--debug', 'show stack traces');
  for (const child of command.commands) quiet(child);
  return command;
}

async function report(error: unknown, io: CommandIo, debug: boolean): Promise<ExitStatus> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const detail = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
    return report(cliFailure('usage', { detail }), io, false);
  }
  if (error instanceof AgentError) {
    if (io.json)
      await io.out(JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint } }));
    else {
      io.err(`error[${error.code}]: ${error.message}`);
      io.err(`hint: ${error.hint}`);
    }
    if (debug) io.err(error.stack ?? '');
    return error.exit;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (io.json)
    await io.out(JSON.stringify({ error: { code: 'bug', message, hint: 'Report this with the output of --debug' } }));
  else {
    io.err(`error[bug]: ${message}`);
    io.err('hint: Report this with the output of --debug');
  }
  if (debug && error instanceof Error) io.err(error.stack ?? '');
  return 70;
}

function ignore(): void {}

function writeLine(stream: NodeJS.WriteStream, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(`${line}\n`, (error) => {
      // A reader that went away (`| head`) is no fault of ours.
      if (error != null && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
      else resolve();
    });
  });
}
