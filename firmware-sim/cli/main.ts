#!/usr/bin/env node
import { runProgram } from '../../agent/cli/program.ts';
import { simCommands } from './commands/index.ts';

process.exitCode = await runProgram({
  name: 'barrow-sim',
  summary: 'A virtual kit on real wires, to try Barrow and to test against.',
  commands: simCommands,
  examples: ['barrow-sim demo', 'barrow-sim run firmware-sim/scenario/popup.yaml --dir ./kit'],
  argv: process.argv.slice(2),
});
