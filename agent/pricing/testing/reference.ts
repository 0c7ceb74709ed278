import { createHash } from 'node:crypto';
import type { Bundle, CatalogItem, Rule } from '../bundle/bundle.ts';
import type { FactReadings, Gathered, Inputs, ItemState } from '../decide/inputs.ts';
import type { Tree } from '../language/tree.ts';
import { referenceStage, type RuleStage } from './reference-staged.ts';

/** What the reference says of one item. */
export interface Reference {
  readonly priceMinor: number;
  readonly discountBp: number;
  readonly announce: boolean;
  readonly ruleId: string | null;
  readonly cell: string | null;
  readonly boundBy: readonly string[];
  readonly state: ItemState;
}

/**
 * A second, slow decider written from the words of the format alone: rationals as BigInt, prices found by search instead
 * of by formula, dates by `Date`. It shares nothing with the engine but the types.
 */
export function referenceDecide(bundle: Bundle, inputs: Inputs, item: CatalogItem): Reference {
  const list = item.listMinor;
  const before: ItemState = Object.entries(inputs.state).find(([sku]) => sku === item.sku)?.[1] ?? {
    rung: 0,
    priceMinor: list,
    changedAt: null,
    changesToday: 0,
  };
  const readings = Object.entries(inputs.facts).find(([sku]) => sku === item.sku)?.[1] ?? {};
  const now = new Date(inputs.now).getTime();
  const caps: { name: string; allows: (price: number) => boolean }[] = [];
  const cap = (name: string, bp: number | undefined): void => {
    if (bp !== undefined) caps.push({ name, allows: (price) => big(price) * 10_000n >= big(list) * big(10_000 - bp) });
  };
  caps.push({
    name: 'marginFloor',
    allows: (price) => big(price) * big(10_000 - bundle.caps.marginFloorBp) >= big(item.costMinor) * 10_000n,
  });
  caps.push({ name: 'map', allows: (price) => item.mapMinor === null || price >= item.mapMinor });
  cap('kit', bundle.caps.kit.maxDiscountBp);
  cap('category', new Map(Object.entries(bundle.caps.category)).get(item.category)?.maxDiscountBp);
  cap('sku', new Map(Object.entries(bundle.caps.sku)).get(item.sku)?.maxDiscountBp);
  const lift = (price: number): number =>
    lowestFrom(price, list, (candidate) => caps.every((one) => one.allows(candidate)));
  const standing = before.priceMinor >= list ? list : lift(before.priceMinor);

  const cells = bundle.experiments.map((experiment) => {
    const date = new Intl.DateTimeFormat('sv-SE', { timeZone: inputs.kit.timezone }).format(now);
    const text = `${experiment.salt}\0${inputs.kit.id}/${item.category}/${date}`;
    const bucket = Number(BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 8)}`) % 10_000n);
    let sum = 0;
    return experiment.cells.find((cell) => (sum += cell.weightBp) > bucket);
  });
  const addRungs = cells.reduce((sum, cell) => sum + (cell?.addRungs ?? 0), 0);
  const cell = cells.length === 0 ? null : cells.map((one) => one?.name).join('+');

  const mine = bundle.rules.filter(
    (rule) =>
      ('all' in rule.select && rule.select.all) ||
      ('sku' in rule.select && rule.select.sku === item.sku) ||
      ('category' in rule.select && rule.select.category === item.category),
  );
  const ready = mine.filter((rule) =>
    (rule.requires ?? []).every(({ fact, maxAgeS }) => fresh(readings, fact, maxAgeS)),
  );
  const holding = mine.filter((rule) => !ready.includes(rule) && rule.onStale !== 'skip');
  const time: string[] = [];
  if (inputs.clocktrust === 'unset') time.push('clock');
  if (now < new Date(bundle.notBefore).getTime()) time.push('notYetValid');
  if (now >= new Date(bundle.expires).getTime()) time.push('expired');
  const stages = new Map<Rule, RuleStage>();
  const gathered: [string, Gathered][] = [];
  for (const rule of mine.filter((one) => one.evidence !== undefined || one.exit !== undefined)) {
    const former = Object.entries(before.evidence ?? {}).find(([id]) => id === rule.id)?.[1];
    const known = relied(rule, readings);
    const stage = referenceStage(rule, former, {
      now,
      frozen: time.length > 0,
      met: ready.includes(rule),
      when: truth(rule.when, known),
      exit: rule.exit === undefined ? null : truth(rule.exit, known),
    });
    stages.set(rule, stage);
    if (stage.after !== undefined) gathered.push([rule.id, stage.after]);
  }
  const firing = ready.filter((rule) => stages.get(rule)?.fires ?? truth(rule.when, readings) === true);
  const groupWinners = [...new Set(firing.map((rule) => rule.group))].map((group) =>
    best(
      firing.filter((rule) => rule.group === group),
      (rule) => rule.priority,
    ),
  );
  const winner = groupWinners.length === 0 ? null : best(groupWinners, (rule) => rule.then.rung);

  const last = bundle.ladder.length - 1;
  const target = winner === null ? 0 : Math.min(winner.then.rung + addRungs, last);
  const aim = target > before.rung ? before.rung + 1 : target;
  const atRung = (rung: number): number => Number((big(list) * big(10_000 - (bundle.ladder[rung] ?? 0))) / 10_000n);
  const wanted = atRung(aim);
  const raiseAllowed = bundle.caps.allowRaise === true;
  const shallower = winner === null || target < before.rung;

  const noFall = [...time];
  if (holding.length > 0) noFall.push('stale');
  if (before.changedAt !== null && now < new Date(before.changedAt).getTime() + bundle.caps.cooldownMin * 60_000)
    noFall.push('cooldown');
  if (before.changesToday >= bundle.caps.maxChangesPerDay) noFall.push('maxChangesPerDay');
  if (inputs.dayBudgetUsedMinor >= bundle.caps.kit.dayBudgetMinor) noFall.push('dayBudget');

  const bound = new Set<string>();
  let price = standing;
  let rung = before.rung;
  let goal = wanted;
  if (wanted < standing) {
    goal = charmed(bundle, wanted, () => true, Math.min(list, standing));
    for (const hold of noFall) bound.add(hold);
    if (shallower && !raiseAllowed) bound.add('noRaise');
    const held = bound.size > 0;
    const fallCaps = [...caps];
    const ownCap = winner?.caps?.maxDiscountBp;
    if (ownCap !== undefined)
      fallCaps.push({ name: 'rule', allows: (p) => big(p) * 10_000n >= big(list) * big(10_000 - ownCap) });
    fallCaps.push({
      name: 'maxStep',
      allows: (p) => big(before.priceMinor - p) <= (big(list) * big(bundle.caps.maxStepBp)) / 10_000n,
    });
    for (const one of fallCaps) if (!one.allows(wanted)) bound.add(one.name);
    const allowed = (p: number): boolean => fallCaps.every((one) => one.allows(p));
    const capped = lowestFrom(wanted, list, allowed);
    if (!held && capped < standing) price = charmed(bundle, capped, allowed, Math.min(list, standing));
    rung = price < standing || bound.size === 0 ? aim : before.rung;
  } else {
    const capped = lift(wanted);
    const rounded = charmed(bundle, capped, (p) => caps.every((one) => one.allows(p)), list);
    goal = wanted === standing ? standing : rounded < standing ? capped : rounded;
    if (goal > standing) {
      const holds = raiseAllowed ? time : [...time, 'noRaise'];
      for (const hold of holds) bound.add(hold);
      if (holds.length === 0) {
        price = goal;
        rung = aim;
        for (const one of caps) if (!one.allows(wanted)) bound.add(one.name);
      }
    } else if ((!shallower || raiseAllowed) && noFall.length === 0) rung = aim;
  }
  if (price === standing) {
    const mayWant = holding.some((rule) => {
      const to = Math.min(rule.then.rung + addRungs, last);
      const mayFire = stages.get(rule)?.mayFire ?? truth(rule.when, relied(rule, readings)) !== false;
      return mayFire && to >= before.rung && atRung(Math.min(to, before.rung + 1)) < standing;
    });
    if (mayWant) bound.add('stale');
  }

  let ruleId = winner?.id ?? null;
  const force = (kind: string, to: number, toRung: number, more: readonly string[]): void => {
    const same = to === goal && to === price;
    bound.clear();
    if (!same) bound.add(kind);
    for (const one of more) bound.add(one);
    price = to;
    rung = toRung;
    ruleId = null;
  };
  const active = bundle.overrides.filter((one) => one.sku === item.sku && now < new Date(one.until).getTime());
  const pin = active.flatMap((one) => ('pin' in one ? [one] : []))[0];
  if (bundle.kill === 'list') force('kill', list, 0, []);
  else if (bundle.kill === 'freeze')
    force(
      'kill',
      standing,
      before.rung,
      caps.filter((one) => !one.allows(before.priceMinor)).map((one) => one.name),
    );
  else if (active.some((one) => 'block' in one)) force('block', list, 0, []);
  else if (pin !== undefined) {
    const seconded =
      pin.secondApprovedBy !== undefined && pin.secondApprovedBy.toLowerCase() !== pin.actor.toLowerCase();
    const asked = pin.pin.priceMinor;
    const to = seconded ? Math.min(asked, list) : asked >= list ? list : lift(asked);
    const floors = seconded ? [] : caps.filter((one) => !one.allows(asked)).map((one) => one.name);
    if (to < standing && time.length > 0) force('pin', standing, before.rung, [...floors, ...time]);
    else force('pin', to, before.rung, floors);
  }
  const changed = price !== before.priceMinor;
  return {
    priceMinor: price,
    discountBp: list === 0 ? 0 : Number((big(list - price) * 10_000n) / big(list)),
    announce: item.priorPriceMinor !== null && price < item.priorPriceMinor,
    ruleId,
    cell,
    boundBy: [...bound].sort(),
    state: {
      rung,
      priceMinor: price,
      changedAt: changed ? inputs.now : before.changedAt,
      changesToday: before.changesToday + (changed ? 1 : 0),
      ...(gathered.length === 0 ? {} : { evidence: Object.fromEntries(gathered) }),
    },
  };
}

function big(value: number): bigint {
  return BigInt(value);
}

/** The lowest price from one on that passes, by bisection (what passes keeps passing upwards); the list price when none does. */
function lowestFrom(from: number, list: number, allows: (price: number) => boolean): number {
  if (from >= list || !allows(list)) return list;
  let [low, high] = [from, list];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (allows(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function charmed(bundle: Bundle, price: number, allows: (price: number) => boolean, most: number): number {
  const { rounding } = bundle;
  if (rounding.mode === 'none') return price;
  const ends = (candidate: number): boolean => rounding.endings.includes(candidate % 100);
  for (let candidate = price; candidate >= 0 && candidate > price - 100; candidate -= 1)
    if (ends(candidate)) {
      if (allows(candidate)) return candidate;
      break;
    }
  let candidate = Math.max(0, price - 100);
  while (!(allows(candidate) && ends(candidate)) && candidate <= most) candidate += 1;
  return candidate > most ? price : candidate;
}

/** What is known but for required facts that are too old: they may be anything by now. */
function relied(rule: Rule, readings: FactReadings): FactReadings {
  return Object.fromEntries(
    Object.entries(readings).filter(([fact]) =>
      (rule.requires ?? []).every((one) => one.fact !== fact || fresh(readings, fact, one.maxAgeS)),
    ),
  );
}

function fresh(readings: FactReadings, fact: string, maxAgeS: number): boolean {
  const reading = readings[fact];
  return reading !== undefined && reading.quality === 'ok' && reading.value !== null && reading.ageS <= maxAgeS;
}

/** true, false, or null where it depends on a fact that is not known. */
function truth(tree: Tree, readings: FactReadings): boolean | null {
  if ('args' in tree) {
    const parts = tree.args.map((arg) => truth(arg, readings));
    const decisive = tree.op === 'or';
    if (parts.includes(decisive)) return decisive;
    return parts.includes(null) ? null : !decisive;
  }
  if ('arg' in tree) {
    const part = truth(tree.arg, readings);
    return part === null ? null : !part;
  }
  const reading = readings[tree.fact];
  if (reading === undefined || reading.quality !== 'ok' || reading.value === null) return null;
  const actual = reading.value;
  if (tree.op === 'in') return tree.value.includes(actual);
  const order = actual === tree.value ? 0 : actual < tree.value ? -1 : 1;
  const passes = {
    '==': order === 0,
    '!=': order !== 0,
    '<': order < 0,
    '<=': order <= 0,
    '>': order > 0,
    '>=': order >= 0,
  };
  return passes[tree.op];
}

function best(rules: readonly Rule[], score: (rule: Rule) => number): Rule {
  const [first] = [...rules].sort((a, b) => score(b) - score(a) || (a.id < b.id ? -1 : 1));
  if (first === undefined) throw new RangeError('no rule to choose from');
  return first;
}
