import type { CommandDescription, OptionDescription } from './describe.ts';

export interface ManOptions {
  readonly version: string;
  /** `2026-11-27`; shown at the foot of the page. */
  readonly date: string;
}

const EXIT_STATUS: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'yes, or done'],
  ['1', 'what was asked about is bad'],
  ['2', 'the command line or the configuration is wrong'],
  ['70', 'a bug'],
];

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['BARROW_LOG_LEVEL', 'least severe level that is logged: debug, info, warn or error'],
  ['BARROW_TOKEN', 'the kit’s token, where the local API asks for one'],
];

const FILES: readonly (readonly [path: string, meaning: string])[] = [
  ['/etc/barrow/kit.yaml', 'the configuration of the installed agent'],
  ['/var/lib/barrow', 'its ledger and price state'],
];

/** The manual page of a program in roff (man macros), made from its command table. @see man-pages(7) */
export function manPage(program: CommandDescription, options: ManOptions): string {
  const lines = [
    `.TH ${program.name.toUpperCase()} 1 ${options.date} "${program.name} ${roff(options.version)}" "User Commands"`,
    '.SH NAME',
    `${roff(program.name)} \\- ${roff(lowerFirst(program.summary.replace(/\.$/, '')))}`,
    '.SH SYNOPSIS',
    `.B ${roff(program.name)}`,
    '.I command',
    '[\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    roff('Every command takes --help, and --json where it prints facts.'),
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => commandLines(command, program.name)),
    '.SH EXIT STATUS',
    ...listed(EXIT_STATUS),
    '.SH ENVIRONMENT',
    ...listed(ENVIRONMENT),
    '.SH FILES',
    ...listed(FILES),
    '.SH SEE ALSO',
    '.BR systemd (1),',
    '.BR journalctl (1),',
    '.BR mosquitto_sub (1)',
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(command: CommandDescription, before: string): readonly string[] {
  const whole = `${before} ${command.name}`;
  if (command.commands.length > 0)
    return [
      ...(command.notes === ''
        ? []
        : ['.SS ' + roff(whole), roff(sentence(command.summary)), ...noteLines(command.notes)]),
      ...command.commands.flatMap((child) => commandLines(child, whole)),
    ];
  return [
    `.SS ${roff(`${whole} ${command.usage}`.trim())}`,
    roff(sentence(command.summary)),
    ...command.args
      .filter(({ summary, choices }) => summary !== '' || choices.length > 0)
      .flatMap(({ name, summary, choices }) => ['.TP', `.I ${roff(name)}`, roff(withChoices(summary, choices))]),
    ...command.options.flatMap(optionLines),
    ...noteLines(command.notes),
  ];
}

function optionLines(option: OptionDescription): readonly string[] {
  // Known to every command and said once, above.
  if (option.long === '--json' || option.long === '--debug') return [];
  const fallback = option.default === null ? '' : ` (default: ${option.default})`;
  return ['.TP', `.B ${roff(option.flags)}`, roff(`${withChoices(option.summary, option.choices)}${fallback}`)];
}

/** Examples stand as they are typed; what is said before them is text. */
function noteLines(notes: string): readonly string[] {
  if (notes === '') return [];
  return notes.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    if (/^Examples?:$/.test(line.trim())) return ['.PP', roff(line.trim())];
    return /^\s/.test(line) ? ['.RS 4', '.nf', roff(line.trim()), '.fi', '.RE'] : ['.PP', roff(line.trim())];
  });
}

function listed(entries: readonly (readonly [string, string])[]): readonly string[] {
  return entries.flatMap(([name, meaning]) => ['.TP', `.B ${roff(name)}`, roff(meaning)]);
}

function withChoices(summary: string, choices: readonly string[]): string {
  return choices.length === 0 ? summary : `${summary}: ${choices.join(', ')}`.replace(/^: /, '');
}

function sentence(text: string): string {
  return text === '' || text.endsWith('.') ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/** Text as roff: a backslash, a hyphen that must stay one, and a control character at the start of a line. */
export function roff(text: string): string {
  const flat = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('\n', ' ')
    // groff reads bytes unless it is told otherwise.
    .replaceAll(
      /[^\0-\x7f]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(flat) ? `\\&${flat}` : flat;
}
