import type { Command } from 'commander';
import { quiet, type Binder, type ProgramOptions } from './program.ts';

/** One option as a person writes it. */
export interface OptionDescription {
  /** `-c, --config <file>` */
  readonly flags: string;
  readonly short: string | null;
  readonly long: string | null;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly default: string | null;
}

/** One argument of a command. */
export interface ArgumentDescription {
  readonly name: string;
  readonly summary: string;
  readonly choices: readonly string[];
}

/** A command with what stands below it, made from the very table that runs it. */
export interface CommandDescription {
  readonly name: string;
  readonly summary: string;
  /** As after `Usage:`, without the names before it. */
  readonly usage: string;
  readonly args: readonly ArgumentDescription[];
  readonly options: readonly OptionDescription[];
  readonly commands: readonly CommandDescription[];
  /** What `--help` adds: explanations and examples. */
  readonly notes: string;
}

/** Describes a whole program. Loads every command's module, runs none. */
export async function describeProgram(
  program: Pick<ProgramOptions, 'name' | 'summary' | 'commands'>,
): Promise<CommandDescription> {
  const idle: Binder = () => () => Promise.resolve();
  const commands: CommandDescription[] = [];
  for (const load of Object.values(program.commands)) commands.push(describe(quiet((await load()).build(idle))));
  return {
    name: program.name,
    summary: program.summary,
    usage: '<command>',
    args: [],
    options: [],
    commands,
    notes: '',
  };
}

function describe(command: Command): CommandDescription {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  const notes = help.slice(command.helpInformation().length);
  return {
    name: command.name(),
    summary: command.description(),
    usage: command.usage(),
    args: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      summary: argument.description,
      choices: argument.argChoices ?? [],
    })),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        flags: option.flags,
        short: option.short ?? null,
        long: option.long ?? null,
        summary: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
        default:
          typeof option.defaultValue === 'string' || typeof option.defaultValue === 'number'
            ? String(option.defaultValue)
            : null,
      })),
    commands: command.commands.map((child) => describe(child)),
    notes: notes.trim(),
  };
}
