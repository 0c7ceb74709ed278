import type { CommandDescription, OptionDescription } from './describe.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** One place on a command line: the commands given so far, and what may come next. */
interface Place {
  /** `/ledger/stats`; empty at the beginning. */
  readonly path: string;
  readonly command: CommandDescription;
  readonly options: readonly OptionDescription[];
  /** Words of the arguments that have a closed choice. */
  readonly choices: readonly string[];
}

/** A completion script that asks nobody: the program would take too long to start at every press of the key. */
export function completionScript(shell: Shell, program: CommandDescription): string {
  const places = placesOf(program, '');
  switch (shell) {
    case 'bash':
      return bash(program.name, places);
    case 'zsh':
      return zsh(program.name, places);
    case 'fish':
      return fish(program.name, places);
  }
}

const HELP: OptionDescription = {
  flags: '-h, --help',
  short: '-h',
  long: '--help',
  summary: 'show what it does, with examples',
  takesValue: false,
  choices: [],
  default: null,
};

function placesOf(command: CommandDescription, path: string): readonly Place[] {
  return [
    {
      path,
      command,
      options: [...command.options, HELP],
      choices: command.args.flatMap(({ choices }) => choices),
    },
    ...command.commands.flatMap((child) => placesOf(child, `${path}/${child.name}`)),
  ];
}

function bash(name: string, places: readonly Place[]): string {
  const fn = `_${name.replaceAll('-', '_')}`;
  return `# bash completion for ${name}, made from its command table
${fn}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at= word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$at/$word" in
      ${paths(places).join(' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at $prev" in
${values(places, (words) => `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$cur"))`, 'COMPREPLY=($(compgen -f -- "$cur"))')}
  esac
  case "$at" in
${places.map(({ path, ...place }) => `    ${quoted(path)}) COMPREPLY=($(compgen -W ${quoted(wordsOf(place).join(' '))} -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o bashdefault -o default -F ${fn} ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  const fn = `_${name.replaceAll('-', '_')}`;
  const described = (place: Omit<Place, 'path'>): string =>
    [
      ...place.command.commands.map(({ name: word, summary }) => quoted(`${word}:${summary}`)),
      ...place.choices.map((word) => quoted(word)),
      ...place.options.flatMap(({ long, summary }) => (long === null ? [] : [quoted(`${long}:${summary}`)])),
    ].join(' ');
  return `#compdef ${name}
# zsh completion for ${name}, made from its command table
${fn}() {
  local at= word
  local -a items
  for word in \${words[2,CURRENT-1]}; do
    case "$at/$word" in
      ${paths(places).join('|')}) at="$at/$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values(places, (words) => `compadd -- ${words.map(quoted).join(' ')}`, '_files')}
  esac
  case "$at" in
${places.map(({ path, ...place }) => `    ${quoted(path)}) items=(${described(place)}) ;;`).join('\n')}
  esac
  _describe -t commands ${name} items || _files
}
if [ "$funcstack[1]" = ${quoted(fn)} ]; then ${fn} "$@"; else compdef ${fn} ${name}; fi
`;
}

function fish(name: string, places: readonly Place[]): string {
  const at = `__${name.replaceAll('-', '_')}_at`;
  const lines = places.flatMap(({ path, command, options, choices }) => {
    const here = `complete -c ${name} -n ${quoted(`${at} "${path}"`)}`;
    return [
      ...command.commands.map(({ name: word, summary }) => `${here} -f -a ${word} -d ${quoted(summary)}`),
      ...(choices.length === 0 ? [] : [`${here} -f -a ${quoted(choices.join(' '))}`]),
      ...options.map((option) => {
        const short = option.short === null ? '' : ` -s ${option.short.slice(1)}`;
        const long = option.long === null ? '' : ` -l ${option.long.slice(2)}`;
        const value = !option.takesValue
          ? ''
          : option.choices.length > 0
            ? ` -x -a ${quoted(option.choices.join(' '))}`
            : ' -r -F';
        return `${here}${short}${long}${value} -d ${quoted(option.summary)}`;
      }),
    ];
  });
  return `# fish completion for ${name}, made from its command table
function ${at}
  set -l at ''
  for word in (commandline -opc)[2..]
    contains -- "$at/$word" ${paths(places).join(' ')}; and set at "$at/$word"
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function paths(places: readonly Place[]): readonly string[] {
  return places.map(({ path }) => path).filter((path) => path !== '');
}

function wordsOf({ command, options, choices }: Omit<Place, 'path'>): readonly string[] {
  return [
    ...command.commands.map(({ name }) => name),
    ...choices,
    ...options.flatMap(({ long }) => (long === null ? [] : [long])),
  ];
}

/** The arms of a `case` for options that take a value: a closed choice, or a file. */
function values(places: readonly Place[], choose: (words: readonly string[]) => string, file: string): string {
  return places
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map(({ short, long, choices }) => {
          const pattern = [short, long]
            .flatMap((flag) => (flag === null ? [] : [quoted(`${path} ${flag}`)]))
            .join(' | ');
          return `    ${pattern}) ${choices.length > 0 ? choose(choices) : file}; return ;;`;
        }),
    )
    .join('\n');
}

/** One word for all three shells: inside single quotes only the quote itself has a meaning (and fish's backslash). */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’').replaceAll('\\', '/')}'`;
}
