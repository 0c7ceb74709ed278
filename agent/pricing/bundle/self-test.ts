import { decideWith } from '../decide/decide.ts';
import { readInputs } from '../decide/inputs.ts';
import { prepareBundle } from '../decide/program.ts';
import { fault, type Fault } from '../fault.ts';
import type { Bundle } from './bundle.ts';

/** Decides the bundle's own examples; what comes out otherwise than they say. Empty when there are none. */
export function selfTestFaults(bundle: Bundle): readonly Fault[] {
  const faults: Fault[] = [];
  if (bundle.tests === undefined) return faults;
  const program = prepareBundle(bundle);
  for (const [index, test] of bundle.tests.entries()) {
    const path = ['tests', index];
    const read = readInputs(test.inputs);
    if (!read.ok) {
      faults.push(...read.faults.map((found) => ({ ...found, path: [...path, 'inputs', ...found.path] })));
      continue;
    }
    const { decisions } = decideWith(program, read.inputs, { trace: false });
    for (const expected of test.expect) {
      const decision = decisions.find((candidate) => candidate.sku === expected.sku);
      const wrong = (detail: string): void =>
        void faults.push(fault('self-test-failed', path, `${test.name}: ${expected.sku} ${detail}`));
      if (decision === undefined) wrong('is not in the catalogue');
      else if (decision.priceMinor !== expected.priceMinor)
        wrong(`is priced ${decision.priceMinor}, not ${expected.priceMinor}`);
      else if (expected.ruleId !== undefined && decision.ruleId !== expected.ruleId)
        wrong(`is decided by ${decision.ruleId ?? 'no rule'}, not ${expected.ruleId ?? 'none'}`);
      else if (expected.boundBy !== undefined && expected.boundBy.join() !== decision.boundBy.join())
        wrong(`is bound by ${decision.boundBy.join(', ')}, not ${expected.boundBy.join(', ')}`);
    }
  }
  return faults;
}
