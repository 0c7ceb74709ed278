import { describe, expect, it } from 'vitest';
import type { Bundle, Override, Rule } from '../bundle/bundle.ts';
import { sampleBundle, sampleInputs } from '../testing/samples.ts';
import { decide, type Decision } from './decide.ts';
import { readInputs, type FactReading, type Gathered, type Inputs, type ItemState } from './inputs.ts';
import { formatInstant } from './instant.ts';
import type { RuleTrace } from './trace.ts';

const SKU = 'TEE-BLK-M';
const START_MS = Date.parse('2026-11-27T10:00:00Z');
const [sampleRule] = sampleBundle.rules as readonly [Rule];

/** Full shelves begin it, an empty door ends it. */
const when: Rule['when'] = { op: '>=', fact: 'stock', value: 20 };
const exit: Rule['when'] = { op: '<', fact: 'footfall_in_60m', value: 10 };
const evidence = { windowMin: 15, atLeast: 2, of: 3 } as const;

/** Number of the window in which a minute since ten o'clock lies. */
const windowOf = (minute: number): number => Math.floor((START_MS / 60_000 + minute) / 15);

interface Said {
  readonly stock?: number | null;
  readonly door?: number | null;
  readonly stockAgeS?: number;
}

interface Seen extends Pick<Decision, 'priceMinor' | 'ruleId' | 'boundBy'> {
  readonly gathered: Gathered | undefined;
  readonly rule: RuleTrace;
}

/** One item under one rule, decided minute by minute from where it stands. */
class Shop {
  state: Readonly<Record<string, ItemState>> = {};
  readonly bundle: Bundle;

  constructor(rule: Partial<Rule>, more: Partial<Bundle> = {}) {
    const caps = { ...sampleBundle.caps, cooldownMin: 0, maxChangesPerDay: 100, allowRaise: true };
    this.bundle = { ...sampleBundle, caps, rules: [{ ...sampleRule, when, ...rule }], ...more };
  }

  at(minute: number, { stock = 25, door = 30, stockAgeS = 0 }: Said = {}, more: Partial<Inputs> = {}): Seen {
    const known = (value: number | null, ageS = 0): FactReading => ({ value, ageS, quality: 'ok' });
    const facts = { [SKU]: { stock: known(stock, stockAgeS), footfall_in_60m: known(door) } };
    const now = formatInstant(START_MS + minute * 60_000);
    const inputs: Inputs = { ...sampleInputs, now, facts, state: this.state, ...more };
    expect(readInputs(JSON.parse(JSON.stringify(inputs)))).toMatchObject({ ok: true });
    const { decisions, state } = decide(this.bundle, inputs);
    this.state = state;
    const { priceMinor, ruleId, boundBy, trace } = decisions[0]!;
    return { priceMinor, ruleId, boundBy, gathered: this.gathered(), rule: trace[0] as RuleTrace };
  }

  gathered(): Gathered | undefined {
    return this.state[SKU]?.evidence?.[sampleRule.id];
  }

  /** The same shop under a changed bundle. */
  under(more: Partial<Bundle>): Shop {
    const other = new Shop({}, { ...this.bundle, ...more });
    other.state = this.state;
    return other;
  }
}

describe('a rule with evidence', () => {
  it('goes on once enough of the windows before held, and not within them', () => {
    const shop = new Shop({ evidence });
    for (const minute of [0, 14, 15, 29]) expect(shop.at(minute)).toMatchObject({ priceMinor: 2500, ruleId: null });
    expect(shop.at(30)).toMatchObject({ priceMinor: 2250, ruleId: 'slow-tees' });
    expect(shop.gathered()).toEqual({ rev: 1, on: false, window: windowOf(30), held: [true, true, true] });
  });

  it('counts its windows from the hour on, not from the first decision on', () => {
    const shop = new Shop({ evidence });
    for (const minute of [14, 15]) expect(shop.at(minute)).toMatchObject({ ruleId: null });
    expect(shop.at(30)).toMatchObject({ ruleId: 'slow-tees' });
  });

  it.each<[string, Said]>([
    ['was not true', { stock: 19 }],
    ['was not known', { stock: null }],
    ['lacked a required fact', { stockAgeS: 301 }],
  ])('does not count a window in which its condition once %s', (_how, said) => {
    const shop = new Shop({ evidence, onStale: 'skip' });
    for (const minute of [0, 15]) shop.at(minute);
    shop.at(20, said);
    shop.at(21);
    expect(shop.at(30)).toMatchObject({ ruleId: null });
    expect(shop.at(45)).toMatchObject({ ruleId: 'slow-tees' });
  });

  it('does not count a window in which nothing was decided', () => {
    const shop = new Shop({ evidence });
    shop.at(0);
    expect(shop.at(30)).toMatchObject({ ruleId: null, gathered: { held: [true, false, true] } });
    expect(shop.at(45)).toMatchObject({ ruleId: 'slow-tees' });
    expect(shop.at(45 + 24 * 60)).toMatchObject({ ruleId: null, gathered: { held: [false, false, false, true] } });
  });

  it('fires without an exit only while its condition is true and the evidence suffices', () => {
    const shop = new Shop({ evidence });
    for (const minute of [0, 15, 30]) shop.at(minute);
    expect(shop.at(45, { stock: 19 })).toMatchObject({ ruleId: null, priceMinor: 2500 });
    expect(shop.at(46)).toMatchObject({ ruleId: 'slow-tees', gathered: { on: false } });
    expect(shop.at(60)).toMatchObject({ ruleId: 'slow-tees' });
    expect(shop.at(75, { stock: 19 })).toMatchObject({ ruleId: null });
    expect(shop.at(90)).toMatchObject({ ruleId: null, gathered: { held: [false, true, false, true] } });
  });

  it('remembers no more windows than it looks at, and the current one', () => {
    const shop = new Shop({ evidence: { windowMin: 1, atLeast: 12, of: 12 } });
    for (let minute = 0; minute < 12; minute += 1) expect(shop.at(minute)).toMatchObject({ ruleId: null });
    for (let minute = 12; minute < 40; minute += 1) expect(shop.at(minute)).toMatchObject({ ruleId: 'slow-tees' });
    expect(shop.gathered()!.held).toHaveLength(13);
  });

  it('starts anew for another revision, and where the clock went back behind its newest window', () => {
    const shop = new Shop({ evidence });
    for (const minute of [0, 15]) shop.at(minute);
    const revised = shop.under({ rules: [{ ...shop.bundle.rules[0]!, rev: 2 }] });
    expect(revised.at(30)).toMatchObject({ ruleId: null, gathered: { rev: 2, held: [true] } });
    shop.at(30);
    expect(shop.at(29)).toMatchObject({ ruleId: null, gathered: { window: windowOf(29), held: [true] } });
    expect(shop.at(28)).toMatchObject({ gathered: { window: windowOf(29), held: [true] } });
  });

  it('leaves nothing behind when it is gone', () => {
    const shop = new Shop({ evidence });
    shop.at(0);
    const renamed = shop.under({ rules: [{ ...shop.bundle.rules[0]!, id: 'other' }] });
    renamed.at(1);
    expect(Object.keys(renamed.state[SKU]!.evidence!)).toEqual(['other']);
    const plain = shop.under({ rules: [sampleRule] });
    plain.at(1);
    expect(plain.state[SKU]).not.toHaveProperty('evidence');
  });

  it('may be called constructor', () => {
    const shop = new Shop({ id: 'constructor', evidence: { windowMin: 1, atLeast: 1, of: 1 } });
    expect(shop.at(0)).toMatchObject({ ruleId: null });
    expect(shop.at(1)).toMatchObject({ ruleId: 'constructor' });
  });
});

describe('a rule with an exit', () => {
  it('goes on at once without evidence, and stays on whatever its condition says, until its exit is true', () => {
    const shop = new Shop({ exit });
    expect(shop.at(0, { stock: 19 })).toMatchObject({ ruleId: null, gathered: undefined });
    const on = { rev: 1, on: true, window: 0, held: [] };
    expect(shop.at(1)).toMatchObject({ ruleId: 'slow-tees', priceMinor: 2250, gathered: on });
    expect(shop.at(2, { stock: 1 })).toMatchObject({ ruleId: 'slow-tees', priceMinor: 2250, gathered: on });
    expect(shop.at(3, { door: 9 })).toMatchObject({ ruleId: null, priceMinor: 2500, gathered: undefined });
    expect(shop.at(4, { stock: 1 })).toMatchObject({ ruleId: null });
    expect(shop.at(5)).toMatchObject({ ruleId: 'slow-tees' });
  });

  it('neither fires nor goes off while its exit is unknown', () => {
    const shop = new Shop({ exit });
    shop.at(0);
    expect(shop.at(1, { door: null })).toMatchObject({ ruleId: null, gathered: { on: true } });
    expect(shop.at(2, { stock: 1 })).toMatchObject({ ruleId: 'slow-tees' });
  });

  it('neither fires nor goes off on a required fact that is too old, and goes off on another that is known', () => {
    const requires = [{ fact: 'stock', maxAgeS: 300 }];
    const ofStock = new Shop({ exit: { op: '<', fact: 'stock', value: 5 }, requires });
    ofStock.at(0);
    expect(ofStock.at(1, { stock: 1, stockAgeS: 301 })).toMatchObject({ ruleId: null, gathered: { on: true } });
    expect(ofStock.at(2, { stock: 6 })).toMatchObject({ ruleId: 'slow-tees' });
    const ofDoor = new Shop({ exit, requires });
    ofDoor.at(0);
    expect(ofDoor.at(1, { door: 1, stockAgeS: 301 })).toMatchObject({ ruleId: null, gathered: undefined });
  });

  it('goes on where its exit is unknown, fires when that is false, and does not go on where it is true', () => {
    const shop = new Shop({ exit });
    expect(shop.at(0, { door: 9 })).toMatchObject({ ruleId: null, gathered: undefined });
    expect(shop.at(1, { door: null })).toMatchObject({ ruleId: null, gathered: { on: true } });
    expect(shop.at(2, { stock: 1 })).toMatchObject({ ruleId: 'slow-tees' });
  });

  it('needs its evidence again once it went off, not counting the window in which that was', () => {
    const shop = new Shop({ evidence, exit });
    for (const minute of [0, 15, 30]) shop.at(minute);
    expect(shop.at(45, { stock: 1 })).toMatchObject({ ruleId: 'slow-tees' });
    expect(shop.at(50, { door: 1 })).toMatchObject({ ruleId: null, gathered: { on: false, held: [false] } });
    for (const minute of [51, 60, 75]) expect(shop.at(minute)).toMatchObject({ ruleId: null, gathered: { on: false } });
    expect(shop.at(90)).toMatchObject({ ruleId: 'slow-tees', gathered: { on: true } });
  });

  it('goes off where the clock went back behind the window in which it was on', () => {
    const shop = new Shop({ evidence, exit });
    for (const minute of [0, 15, 30]) shop.at(minute);
    expect(shop.gathered()).toMatchObject({ on: true });
    expect(shop.at(29)).toMatchObject({ ruleId: null, gathered: { on: false, held: [true] } });
  });
});

describe('what was gathered', () => {
  const frozen: readonly (readonly [string, Partial<Bundle>, Partial<Inputs>])[] = [
    ['the clock is not set', {}, { clocktrust: 'unset' }],
    ['the bundle is not in force yet', { notBefore: '2026-11-27T12:00:00Z' }, {}],
    ['the bundle has expired', { expires: '2026-11-27T10:00:00Z' }, {}],
  ];

  it.each(frozen)('stands while %s', (_why, bundle, inputs) => {
    const shop = new Shop({ evidence, exit });
    for (const minute of [0, 15]) shop.at(minute);
    const before = shop.gathered();
    const stopped = shop.under(bundle);
    expect(stopped.at(30, {}, inputs)).toMatchObject({ ruleId: null, gathered: before });
    expect(stopped.at(31, { stock: 1 }, inputs)).toMatchObject({ gathered: before });
    shop.at(32);
    expect(shop.gathered()).toMatchObject({ on: true });
    const on = shop.gathered();
    const still = shop.under(bundle);
    expect(still.at(33, { door: 1 }, inputs)).toMatchObject({ ruleId: null, gathered: on });
    expect(still.at(34, {}, inputs)).toMatchObject({ ruleId: 'slow-tees', gathered: on });
  });

  it.each(frozen)('never begins while %s, for a rule without evidence neither', (_why, bundle, inputs) => {
    for (const rule of [{ exit }, { evidence }, { evidence, exit }])
      expect(new Shop(rule, bundle).at(0, {}, inputs)).toMatchObject({ ruleId: null, gathered: undefined });
  });

  it.each<[string, Partial<Bundle>]>([
    ['a kill switch', { kill: 'list' }],
    ['a block', { overrides: [override({ block: true })] }],
    ['a pin', { overrides: [override({ pin: { priceMinor: 2400 } })] }],
  ])('goes on growing under %s', (_what, bundle) => {
    const shop = new Shop({ evidence, exit }, bundle);
    for (const minute of [0, 15, 30]) shop.at(minute);
    expect(shop.gathered()).toEqual({ rev: 1, on: true, window: windowOf(30), held: [true, true, true] });
    shop.at(31, { door: 1 });
    expect(shop.gathered()).toMatchObject({ on: false, held: [false] });
  });
});

function override(what: { readonly block: true } | { readonly pin: { readonly priceMinor: number } }): Override {
  return { sku: SKU, ...what, actor: 'm.lee', reason: 'r', until: '2026-11-28T00:00:00Z' };
}

describe('a missing fact of a rule that holds the price', () => {
  const stale = { stockAgeS: 301 } as const;

  it('is named only where the rule could fire if it came: not while it gathers, but once its evidence suffices', () => {
    const shop = new Shop({ evidence });
    expect(shop.at(0, stale)).toMatchObject({ boundBy: [] });
    for (const minute of [15, 30]) shop.at(minute);
    expect(shop.at(45, stale)).toMatchObject({ ruleId: null, boundBy: ['stale'] });
  });

  it('is named while the rule is on and its exit may be false, whatever the condition says', () => {
    const shop = new Shop({ exit, when: { op: '==', fact: 'footfall_in_60m', value: 30 } });
    expect(shop.at(0, { ...stale, door: 29 })).toMatchObject({ boundBy: [] });
    expect(shop.at(1)).toMatchObject({ ruleId: 'slow-tees' });
    const rung = { ...shop.state[SKU]!, rung: 0, priceMinor: 2500 };
    const again = (said: Said): readonly string[] => {
      shop.state = { [SKU]: rung };
      return shop.at(2, said).boundBy;
    };
    expect(again({ ...stale, door: 29 })).toEqual(['stale']);
    expect(again({ ...stale, door: null })).toEqual(['stale']);
    expect(again({ ...stale, door: 9 })).toEqual([]);
  });
});

describe('the trace of a rule with evidence or an exit', () => {
  it('says how far its evidence is, whether it is on, and what its exit compared', () => {
    const shop = new Shop({ evidence, exit, onStale: 'skip' });
    const tells = (minute: number, said?: Said): Pick<RuleTrace, 'outcome' | 'evidence'> => {
      const { outcome, evidence: told } = shop.at(minute, said).rule;
      return { outcome, evidence: told! };
    };
    const progress = (held: number, on: boolean): RuleTrace['evidence'] => ({ held, of: 3, atLeast: 2, on });
    expect(tells(0)).toEqual({ outcome: 'gathering', evidence: progress(0, false) });
    expect(tells(15)).toEqual({ outcome: 'gathering', evidence: progress(1, false) });
    expect(tells(16, { stock: 1 })).toEqual({ outcome: 'no-match', evidence: progress(1, false) });
    expect(tells(17, { stock: null })).toEqual({ outcome: 'stale', evidence: progress(1, false) });
    tells(30);
    expect(tells(45)).toEqual({ outcome: 'wins', evidence: progress(2, true) });
    expect(tells(46, { door: null })).toEqual({ outcome: 'unknown', evidence: progress(2, true) });
    expect(tells(47, { door: 1 })).toEqual({ outcome: 'exit', evidence: progress(2, false) });
    const { rule } = shop.at(48);
    expect(rule.exit).toEqual([{ fact: 'footfall_in_60m', op: '<', value: 10, actual: 30, result: false }]);
    expect(rule.conditions).toEqual([{ fact: 'stock', op: '>=', value: 20, actual: 25, result: true }]);
  });

  it('has of both keys what applies', () => {
    expect(new Shop({ evidence }).at(0).rule.evidence).toEqual({ held: 0, of: 3, atLeast: 2 });
    expect(new Shop({ exit }).at(0).rule.evidence).toEqual({ on: true });
    expect(new Shop({ exit }).at(0, { door: 1 }).rule).toMatchObject({ outcome: 'exit', evidence: { on: false } });
    expect(new Shop({ evidence }).at(0).rule).not.toHaveProperty('exit');
    expect(new Shop({}).at(0).rule).not.toHaveProperty('evidence');
  });

  it('names who went further', () => {
    const deeper: Rule = { ...sampleRule, id: 'deeper', group: 'g2', when, then: { rung: 2 } };
    const shop = new Shop({}, { rules: [{ ...sampleRule, when, exit }, deeper] });
    expect(shop.at(0).rule).toMatchObject({ outcome: 'outranked', by: 'deeper', evidence: { on: true } });
  });
});

describe('a bundle without either', () => {
  it('decides to the same bytes as before there were any', () => {
    const decided = decide(sampleBundle, sampleInputs);
    expect(JSON.stringify(decided.state)).toBe(
      '{"TEE-BLK-M":{"rung":1,"priceMinor":2250,"changedAt":"2026-11-27T10:00:00Z","changesToday":1}}',
    );
    expect(JSON.stringify(decided.decisions[0]!.trace[0])).toBe(
      '{"step":"rule","rule":"slow-tees","group":"markdown","priority":10,"rung":1,"outcome":"wins","conditions":[' +
        '{"fact":"stock","op":">=","value":20,"actual":25,"result":true},' +
        '{"fact":"footfall_in_60m","op":">=","value":30,"actual":40,"result":true},' +
        '{"fact":"minutes_left","op":"<=","value":1440,"actual":1000,"result":true}]}',
    );
  });
});
