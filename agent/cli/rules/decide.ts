import { Command } from 'commander';
import { loadBundle } from '../../pricing/bundle/load.ts';
import { decide, type Decision } from '../../pricing/decide/decide.ts';
import { readInputs } from '../../pricing/decide/inputs.ts';
import type { TraceStep } from '../../pricing/decide/trace.ts';
import { fault } from '../../pricing/fault.ts';
import { MAX_INPUT_BYTES, readDocument } from '../../pricing/language/document.ts';
import type { Binder } from '../program.ts';
import { readBounded } from './files.ts';
import { reportFaults } from './report.ts';

/** `barrow rules decide`: the pure decision, tried on a desk. */
export function decideCommand(bind: Binder): Command {
  return new Command('decide')
    .description('decide the prices of a bundle for given inputs')
    .requiredOption('--bundle <file>', 'a source, a compiled bundle or a signed one')
    .requiredOption('--inputs <file>', 'now, clock trust, kit, state, day budget used and facts (JSON)')
    .option('--json', 'decisions with their traces and the new state, in JSON')
    .addHelpText('after', '\nExamples:\n  barrow rules decide --bundle rules.yaml --inputs inputs.json --json')
    .action(
      bind(async (io, options: { readonly bundle: string; readonly inputs: string }) => {
        const loaded = loadBundle(await readBounded(options.bundle), { sources: true });
        if (!loaded.ok) return reportFaults(io, loaded.faults);
        const document = readDocument(await readBounded(options.inputs, MAX_INPUT_BYTES), MAX_INPUT_BYTES);
        if (!document.ok)
          return reportFaults(io, [{ ...fault('inputs-invalid', [], document.fault.message), ...document.spot }]);
        const read = readInputs(document.document.value);
        if (!read.ok)
          return reportFaults(
            io,
            read.faults.map((found) => ({ ...found, ...document.document.spot(found) })),
          );
        const staged = loaded.bundle.rules.some(({ evidence, exit }) => evidence !== undefined || exit !== undefined);
        const decided = decide(loaded.bundle, read.inputs, { trace: io.json || staged });
        if (io.json) await io.out(JSON.stringify(decided));
        else for (const decision of decided.decisions) await io.out(line(decision, loaded.bundle.currency));
        return 0;
      }),
    );
}

/** Why a rule whose condition is true did not fire, where its condition alone does not tell. */
function notYet(step: TraceStep): readonly string[] {
  if (step.step !== 'rule') return [];
  const { rule, outcome, evidence } = step;
  if (outcome === 'exit') return [`${rule} is over: its exit is true`];
  if (outcome !== 'gathering') return [];
  const { held = 0, of = 0, atLeast = 0 } = evidence ?? {};
  if (held >= atLeast) return [`${rule} does not go on now`];
  return [`${rule} is gathering evidence: ${held} of the last ${of} windows held, ${atLeast} are needed`];
}

function line(decision: Decision, currency: string): string {
  const { sku, priceMinor, listMinor, discountBp, announce, ruleId, boundBy, trace } = decision;
  const bounds = boundBy.length > 0 ? [`bound by ${boundBy.join(', ')}`] : [];
  const why = [ruleId ?? 'no rule', ...bounds, ...trace.flatMap(notYet)].join('; ');
  const percent = `${discountBp / 100} %${announce ? ', may be announced' : ''}`;
  return `${sku}\t${priceMinor} ${currency} minor of ${listMinor} (${percent})\t${why}`;
}
