#!/usr/bin/env node
import { keepHeapSmall } from '../host/small-heap.ts';
import { barrowCommands } from './commands/index.ts';
import { runProgram } from './program.ts';

keepHeapSmall();

process.exitCode = await runProgram({
  name: 'barrow',
  summary: 'The agent in a pop-up shop’s box, and its tools.',
  commands: barrowCommands,
  examples: ['barrow check -c kit.yaml', 'barrow run -c kit.yaml', 'barrow status --watch', 'barrow decode --help'],
  argv: process.argv.slice(2),
});
