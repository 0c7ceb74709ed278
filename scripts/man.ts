import { barrowCommands } from '../agent/cli/commands/index.ts';
import { describeProgram } from '../agent/cli/describe.ts';
import { manPage } from '../agent/cli/man.ts';
import { packageVersion } from '../agent/host/version.ts';

// SOURCE_DATE_EPOCH makes packages reproducible (reproducible-builds.org).
const epoch = process.env['SOURCE_DATE_EPOCH'];
const date = new Date(epoch === undefined ? Date.now() : Number(epoch) * 1_000).toISOString().slice(0, 10);
const program = await describeProgram({
  name: 'barrow',
  summary: 'The agent in a pop-up shop’s box, and its tools.',
  commands: barrowCommands,
});
process.stdout.write(manPage(program, { version: packageVersion(), date }));
