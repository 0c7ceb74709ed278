import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bundle, EvidenceRule, Rule } from '../bundle/bundle.ts';
import { referenceDecide } from '../testing/reference.ts';
import { bundleArb, inputsArb, NOW_MS, sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide } from './decide.ts';
import { readInputs, type Inputs, type ItemState } from './inputs.ts';
import { formatInstant } from './instant.ts';

const MINUTE_MS = 60_000;

/** From one decision to the next: on within a window, over some, over many unwatched ones, and back. */
const stepMsArb = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1_000, max: 4 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 10 * MINUTE_MS, max: 200 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: -30 * MINUTE_MS, max: 0 }) },
);
const trustArb = fc.constantFrom<Inputs['clocktrust']>('synced', 'synced', 'synced', 'estimated', 'unset');

describe('rules with evidence and exits over successive decisions', () => {
  it('come out as a slow decider says that was written from the format’s words', () => {
    let went = { on: 0, off: 0, gathering: 0 };
    const decisionsArb = fc.array(fc.record({ stepMs: stepMsArb, trust: trustArb }), { minLength: 1, maxLength: 6 });
    const walkArb = fc.array(fc.record({ decisions: decisionsArb, inputs: inputsArb }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(bundleArb, walkArb, (made, walk) => {
        const bundle: Bundle = {
          ...made,
          notBefore: formatInstant(NOW_MS - 5 * MINUTE_MS),
          expires: formatInstant(NOW_MS + 120 * MINUTE_MS),
        };
        let [nowMs, state] = [NOW_MS, walk[0]?.inputs.state ?? {}];
        // The same facts for some decisions, or hardly any window would hold.
        const moments = walk.flatMap(({ decisions, inputs }) => decisions.map((one) => ({ ...one, drawn: inputs })));
        for (const { stepMs, trust, drawn } of moments) {
          const facts = { ...everywhere(bundle, drawn), ...drawn.facts };
          const inputs: Inputs = { ...drawn, facts, now: formatInstant(nowMs), clocktrust: trust, state };
          const decided = decide(bundle, inputs);
          for (const [index, item] of bundle.catalog.entries()) {
            const { state: after, ...expected } = referenceDecide(bundle, inputs, item);
            expect(decided.decisions[index]).toMatchObject(expected);
            // To the byte: what comes out is what the next decision, and a replay, goes in with.
            expect(JSON.stringify(decided.state[item.sku])).toBe(JSON.stringify(after));
            went = counted(went, Object.hasOwn(state, item.sku) ? state[item.sku] : undefined, after);
          }
          expect(readInputs(JSON.parse(JSON.stringify({ ...inputs, state: decided.state })))).toMatchObject({
            ok: true,
          });
          state = decided.state;
          nowMs += stepMs;
        }
      }),
      { numRuns: 250 },
    );
    // A walk in which nothing happens would agree with anything.
    for (const count of Object.values(went)) expect(count).toBeGreaterThan(5);
  });

  it('never go on unless enough of the windows before held, by a history that was kept apart', () => {
    let wentOn = 0;
    const evidenceArb: fc.Arbitrary<EvidenceRule> = fc
      .record({ windowMin: fc.constantFrom(1, 5, 15), of: fc.integer({ min: 1, max: 12 }), share: fc.nat({ max: 11 }) })
      .map(({ windowMin, of, share }) => ({ windowMin, atLeast: 1 + (share % of), of }));
    const stockArb = fc.oneof(
      { weight: 12, arbitrary: fc.constant({ value: 25, ageS: 10, quality: 'ok' as const }) },
      { weight: 1, arbitrary: fc.constant({ value: 1, ageS: 10, quality: 'ok' as const }) },
      { weight: 1, arbitrary: fc.constant({ value: 25, ageS: 301, quality: 'ok' as const }) },
      { weight: 1, arbitrary: fc.constant({ value: 25, ageS: 10, quality: 'suspect' as const }) },
      { weight: 1, arbitrary: fc.constant(null) },
    );
    const walkArb = fc.array(fc.record({ stepMs: stepMsArb, trust: trustArb, stock: stockArb, exit: fc.boolean() }), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(evidenceArb, fc.boolean(), walkArb, (evidence, latches, walk) => {
        const [rule] = sampleBundle.rules as readonly [Rule];
        const staged: Rule = {
          ...rule,
          when: { op: '>=', fact: 'stock', value: 20 },
          evidence,
          ...(latches ? { exit: { op: '==', fact: 'rung', value: 9 } } : {}),
        };
        const [bundle, sku] = [{ ...sampleBundle, rules: [staged] }, sampleBundle.catalog[0]!.sku];
        let [nowMs, state, newest]: [number, Readonly<Record<string, ItemState>>, number] = [NOW_MS, {}, -1];
        const history = new Map<number, boolean>();
        for (const { stepMs, trust, stock, exit } of walk) {
          const rung = { value: exit && stepMs % 5 === 0 ? 9 : 0, ageS: 0, quality: 'ok' as const };
          const facts = { [sku]: { rung, ...(stock === null ? {} : { stock }) } };
          const wasOn = state[sku]?.evidence?.[staged.id]?.on === true;
          const inputs = { ...sampleInputs, now: formatInstant(nowMs), clocktrust: trust, state, facts };
          const { decisions, state: after } = decide(bundle, inputs);
          const window = Math.floor(nowMs / MINUTE_MS / evidence.windowMin);
          const holds = stock?.value === 25 && stock.ageS <= 300 && stock.quality === 'ok';
          if (trust !== 'unset') {
            // What was seen of a time to come is of no worth once the clock went back.
            if (window < newest) history.clear();
            newest = window;
            history.set(window, (history.get(window) ?? true) && holds);
            const before = Array.from({ length: evidence.of }, (_, back) => history.get(window - 1 - back) === true);
            const goesOn = latches
              ? !wasOn && after[sku]?.evidence?.[staged.id]?.on === true
              : decisions[0]!.ruleId === staged.id;
            if (goesOn) {
              wentOn += 1;
              expect(holds).toBe(true);
              expect(before.filter(Boolean).length).toBeGreaterThanOrEqual(evidence.atLeast);
            }
          }
          state = after;
          nowMs += stepMs;
        }
      }),
      { numRuns: 600 },
    );
    expect(wentOn).toBeGreaterThan(200);
  });
});

/** Facts for every item: one that knows nothing never goes on. */
function everywhere({ catalog }: Bundle, { facts }: Inputs): Inputs['facts'] {
  const [some = {}] = Object.values(facts);
  return Object.fromEntries(catalog.map(({ sku }) => [sku, some]));
}

interface Went {
  readonly on: number;
  readonly off: number;
  readonly gathering: number;
}

function counted({ on, off, gathering }: Went, before: ItemState | undefined, after: ItemState): Went {
  const was = Object.entries(before?.evidence ?? {});
  const is = new Map(Object.entries(after.evidence ?? {}));
  const wasOn = new Set(was.filter(([, entry]) => entry.on).map(([id]) => id));
  return {
    on: on + [...is].filter(([id, entry]) => entry.on && !wasOn.has(id)).length,
    off: off + [...wasOn].filter((id) => is.get(id)?.on === false).length,
    gathering: gathering + [...is.values()].filter(({ held }) => held.includes(true)).length,
  };
}
