import { barrowCommands } from '../agent/cli/commands/index.ts';
import { describeProgram } from '../agent/cli/describe.ts';
import { manPage } from '../agent/cli/man.ts';
import type { ProgramOptions } from '../agent/cli/program.ts';
import { packageVersion } from '../agent/host/version.ts';
import { simCommands } from '../firmware-sim/cli/commands/index.ts';

type Described = Pick<ProgramOptions, 'name' | 'summary' | 'commands'>;

// `node dist/scripts/man.js [barrow-sim]`: the manual page of a program on stdout.
const programs: Readonly<Record<string, Described>> = {
  barrow: { name: 'barrow', summary: 'The agent in a pop-up shop’s box, and its tools.', commands: barrowCommands },
  'barrow-sim': {
    name: 'barrow-sim',
    summary: 'A virtual kit on real wires, to try Barrow and to test against.',
    commands: simCommands,
  },
};
const name = process.argv[2] ?? 'barrow';
const program = programs[name];
if (program === undefined) throw new RangeError(`there is no program ${name}`);
// SOURCE_DATE_EPOCH makes packages reproducible (reproducible-builds.org).
const epoch = process.env['SOURCE_DATE_EPOCH'];
const date = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1_000).toISOString().slice(0, 10);
process.stdout.write(manPage(await describeProgram(program), { version: packageVersion(), date }));
