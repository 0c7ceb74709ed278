import { Command } from 'commander';
import { loadBundle } from '../../pricing/bundle/load.ts';
import type { Binder } from '../program.ts';
import { readBounded, writeResult } from './files.ts';
import { reportFaults } from './report.ts';

/** `barrow rules compile`: conditions become trees; the output is the canonical bytes that a signature covers. */
export function compileCommand(bind: Binder): Command {
  return new Command('compile')
    .description('lower a source to the closed form that is signed')
    .argument('<source>', 'YAML or JSON with conditions as text')
    .option('--out <file>', 'write here instead of stdout')
    .option('--json', 'errors in JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  barrow rules compile rules.yaml --out rules.json\n  barrow rules compile rules.yaml | jq .rules',
    )
    .action(
      bind(async (io, source: string, options: { readonly out?: string }) => {
        const loaded = loadBundle(await readBounded(source), { sources: true });
        if (!loaded.ok) return reportFaults(io, loaded.faults);
        for (const warning of loaded.warnings) io.err(`warning: ${warning}`);
        const text = new TextDecoder().decode(loaded.bytes);
        if (options.out === undefined) await io.out(text);
        else await writeResult(options.out, `${text}\n`);
        return 0;
      }),
    );
}
