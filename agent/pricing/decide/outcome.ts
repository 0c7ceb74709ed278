import type { Override, PinOverride } from '../bundle/bundle.ts';
import { charm, discounted, floorDiv, leastUnderCap } from './arithmetic.ts';
import type { ItemState } from './inputs.ts';
import type { Match } from './match.ts';
import { isPin, type Bound, type ItemProgram, type Least, type Program } from './program.ts';
import type { TraceStep } from './trace.ts';

/** One item at the moment of its decision. */
export interface Situation {
  readonly program: Program;
  readonly item: ItemProgram;
  readonly state: ItemState;
  readonly match: Match;
  readonly addRungs: number;
  readonly cell: string | null;
  readonly nowMs: number;
  /** Why no price may fall now: bundle not in force, clock unset. */
  readonly timeHolds: readonly Bound[];
  /** Milliseconds since the item's last change; null when it never changed. */
  readonly sinceChangeMs: number | null;
  readonly budgetSpent: boolean;
}

export interface Outcome {
  readonly priceMinor: number;
  readonly rung: number;
  readonly bounds: ReadonlySet<Bound>;
  readonly steps: readonly TraceStep[];
  readonly ruled: boolean;
}

/** The ladder's word, and what the rules wanted had nothing held them. */
interface LadderOutcome extends Outcome {
  readonly goalMinor: number;
}

/**
 * The price of one item: kill, block and pin before the rules; the caps that hold for every output last.
 * The one exception is a pin that a second person approved.
 */
export function outcomeOf(situation: Situation): Outcome {
  const ladder = ladderOutcome(situation);
  const override = overrideOutcome(situation);
  if (override === null) return ladder;
  const bounds = new Set(override.bounds);
  if (override.priceMinor === ladder.goalMinor && override.priceMinor === ladder.priceMinor)
    bounds.delete(override.kind);
  return { ...override, bounds };
}

/** The standing price as far as the floors and the list price let it stand. */
function standingOf({ item, state }: Situation): number {
  return Math.min(item.item.listMinor, Math.max(state.priceMinor, item.floorMinor));
}

function overrideOutcome(situation: Situation): (Outcome & { readonly kind: 'kill' | 'block' | 'pin' }) | null {
  const { program, item, state, nowMs } = situation;
  const listMinor = item.item.listMinor;
  const { kill } = program.bundle;
  if (kill !== null) {
    const step = { step: 'override' as const, kind: 'kill' as const, actor: null, reason: kill, until: null };
    if (kill === 'list') return fixed('kill', listMinor, 0, [], [{ ...step, wantedMinor: listMinor }]);
    const floors = item.floors.filter((floor) => floor.leastMinor > state.priceMinor).map((floor) => floor.name);
    return fixed('kill', standingOf(situation), state.rung, floors, [{ ...step, wantedMinor: state.priceMinor }]);
  }
  const active = activeOverrides(item, nowMs);
  const block = active.find((override) => !isPin(override));
  if (block !== undefined) {
    const { actor, reason, until } = block;
    return fixed(
      'block',
      listMinor,
      0,
      [],
      [{ step: 'override', kind: 'block', actor, reason, until, wantedMinor: listMinor }],
    );
  }
  const pin = active.find(isPin);
  if (pin === undefined) return null;
  const {
    actor,
    reason,
    until,
    pin: { priceMinor: wantedMinor },
  } = pin;
  const step: TraceStep = { step: 'override', kind: 'pin', actor, reason, until, wantedMinor };
  const approved = isApproved(pin);
  const floors = approved ? [] : item.floors.filter((floor) => floor.leastMinor > wantedMinor);
  const price = Math.min(listMinor, Math.max(wantedMinor, approved ? 0 : item.floorMinor));
  const caps = floors.map(({ name, leastMinor }): TraceStep => ({ step: 'cap', by: name, leastMinor, binds: true }));
  const standing = standingOf(situation);
  if (price < standing && situation.timeHolds.length > 0)
    return fixed(
      'pin',
      standing,
      state.rung,
      [...floors.map((floor) => floor.name), ...situation.timeHolds],
      [
        step,
        ...caps,
        ...situation.timeHolds.map((by): TraceStep => ({
          step: 'hold',
          by,
          wantedMinor: price,
          standingMinor: standing,
        })),
      ],
    );
  return fixed(
    'pin',
    price,
    state.rung,
    floors.map((floor) => floor.name),
    [step, ...caps],
  );
}

function fixed(
  kind: 'kill' | 'block' | 'pin',
  priceMinor: number,
  rung: number,
  bounds: readonly Bound[],
  steps: readonly TraceStep[],
): Outcome & { readonly kind: 'kill' | 'block' | 'pin' } {
  return { kind, priceMinor, rung, bounds: new Set([kind, ...bounds]), steps, ruled: false };
}

function activeOverrides(item: ItemProgram, nowMs: number): readonly Override[] {
  return item.overrides.filter(({ untilMs }) => nowMs < untilMs).map(({ override }) => override);
}

/** Whether a pin that a second person approved sets the item's price: the one that may lie below the floors. */
export function isApprovedPinActive({ bundle }: Program, item: ItemProgram, nowMs: number): boolean {
  const active = activeOverrides(item, nowMs);
  const pin = active.find(isPin);
  return bundle.kill === null && active.every(isPin) && pin !== undefined && isApproved(pin);
}

function isApproved({ actor, secondApprovedBy }: PinOverride): boolean {
  return secondApprovedBy !== undefined && !samePerson(secondApprovedBy, actor);
}

/** Two spellings of one name are one person. */
function samePerson(a: string, b: string): boolean {
  const plain = (name: string): string => name.normalize('NFKC').trim().toLowerCase();
  return plain(a) === plain(b);
}

function ladderOutcome(situation: Situation): LadderOutcome {
  const { program, item, state, match, addRungs, cell } = situation;
  const { ladder } = program.bundle;
  const { winner } = match;
  const target = winner === null ? 0 : Math.min(ladder.length - 1, winner.rung + addRungs);
  const deeper = winner !== null && target > state.rung;
  const aim = deeper ? state.rung + 1 : target;
  const wantedMinor = discounted(item.item.listMinor, ladder[aim] ?? 0);
  const ladderStep: TraceStep = { step: 'ladder', from: state.rung, target, to: aim, cell, addRungs, wantedMinor };
  const aimed = { wantedMinor, aim, shallower: winner === null || target < state.rung };
  const standing = standingOf(situation);
  const moved =
    wantedMinor < standing
      ? fall(situation, aimed)
      : wantedMinor > standing
        ? rise(situation, aimed)
        : rest(situation, aimed);
  const bounds = new Set(moved.bounds);
  const stale = staleHolds(situation, standing);
  if (stale && moved.priceMinor === standing) bounds.add('stale');
  return { ...moved, bounds, steps: [ladderStep, ...moved.steps], ruled: winner !== null };
}

interface Aimed {
  readonly wantedMinor: number;
  readonly aim: number;
  readonly shallower: boolean;
}

/** A rule that lacks a fact might have gone below the standing price. */
function staleHolds({ program, match, state, item, addRungs }: Situation, standing: number): boolean {
  if (match.heldRung < 0) return false;
  const { ladder } = program.bundle;
  const target = Math.min(ladder.length - 1, match.heldRung + addRungs);
  const aim = Math.min(target, state.rung + 1);
  return target >= state.rung && discounted(item.item.listMinor, ladder[aim] ?? 0) < standing;
}

function rest(situation: Situation, { wantedMinor, aim, shallower }: Aimed): LadderOutcome {
  const stays = (shallower && situation.program.bundle.caps.allowRaise !== true) || holdsOf(situation).length > 0;
  const rung = stays ? situation.state.rung : aim;
  return { priceMinor: wantedMinor, goalMinor: wantedMinor, rung, bounds: new Set(), steps: [], ruled: false };
}

function fall(situation: Situation, { wantedMinor, aim, shallower }: Aimed): LadderOutcome {
  const { program, item, state } = situation;
  const { caps, rounding } = program.bundle;
  const listMinor = item.item.listMinor;
  const standing = standingOf(situation);
  const steps: TraceStep[] = [];
  const bounds = new Set<Bound>();
  const holds = holdsOf(situation);
  // Only where the item stands lower than its rung says: the rules then want a shallower rung, which is no way down.
  if (shallower && caps.allowRaise !== true) holds.push('noRaise');
  for (const by of holds) {
    bounds.add(by);
    steps.push({ step: 'hold', by, wantedMinor, standingMinor: standing });
  }
  let leastMinor = 0;
  for (const { name, leastMinor: least } of [...item.floors, ...fallLimits(situation)]) {
    const binds = least > wantedMinor;
    if (binds) bounds.add(name);
    steps.push({ step: 'cap', by: name, leastMinor: least, binds });
    leastMinor = Math.max(leastMinor, least);
  }
  const capped = Math.min(listMinor, Math.max(wantedMinor, leastMinor));
  const goalMinor = charm(wantedMinor, rounding, { leastMinor: 0, mostMinor: Math.min(listMinor, standing) });
  if (capped >= standing || holds.length > 0) {
    const reached = bounds.size === 0;
    return { priceMinor: standing, goalMinor, rung: reached ? aim : state.rung, bounds, steps, ruled: true };
  }
  const priceMinor = charm(capped, rounding, { leastMinor, mostMinor: Math.min(listMinor, standing) });
  if (priceMinor !== capped) steps.push({ step: 'rounding', fromMinor: capped, toMinor: priceMinor });
  const stuck = priceMinor === standing && bounds.size > 0;
  return { priceMinor, goalMinor, rung: stuck ? state.rung : aim, bounds, steps, ruled: true };
}

/** What keeps a price from falling at all, whatever the rules want. */
function holdsOf({ program, state, match, timeHolds, sinceChangeMs, budgetSpent }: Situation): Bound[] {
  const { caps } = program.bundle;
  const holds: Bound[] = [...timeHolds];
  if (match.held) holds.push('stale');
  if (sinceChangeMs !== null && sinceChangeMs < caps.cooldownMin * 60_000) holds.push('cooldown');
  if (state.changesToday >= caps.maxChangesPerDay) holds.push('maxChangesPerDay');
  if (budgetSpent) holds.push('dayBudget');
  return holds;
}

/** Limits on how far a price falls, which never lift one. */
function fallLimits({ program, item, state, match }: Situation): readonly Least[] {
  const listMinor = item.item.listMinor;
  const own = match.winner?.rule.caps;
  const stepMinor = floorDiv(listMinor * program.bundle.caps.maxStepBp, 10_000);
  return [
    ...(own === undefined ? [] : [{ name: 'rule' as const, leastMinor: leastUnderCap(listMinor, own.maxDiscountBp) }]),
    { name: 'maxStep', leastMinor: state.priceMinor - stepMinor },
  ];
}

function rise(situation: Situation, { wantedMinor, aim, shallower }: Aimed): LadderOutcome {
  const { program, item, state, timeHolds } = situation;
  const { caps, rounding } = program.bundle;
  const listMinor = item.item.listMinor;
  const standing = standingOf(situation);
  const leastMinor = item.floorMinor;
  const capped = Math.min(listMinor, Math.max(wantedMinor, leastMinor));
  const charmed = charm(capped, rounding, { leastMinor, mostMinor: listMinor });
  // A charm price below the standing one would turn a rise into a fall that no limit has seen.
  const goalMinor = charmed < standing ? capped : charmed;
  if (goalMinor === standing) return rest(situation, { wantedMinor: standing, aim, shallower });
  const holds: Bound[] = caps.allowRaise === true ? [...timeHolds] : [...timeHolds, 'noRaise'];
  if (holds.length > 0) {
    const steps = holds.map((by): TraceStep => ({ step: 'hold', by, wantedMinor, standingMinor: standing }));
    return { priceMinor: standing, goalMinor, rung: state.rung, bounds: new Set(holds), steps, ruled: true };
  }
  const bounds = new Set<Bound>();
  const steps: TraceStep[] = [];
  for (const { name, leastMinor: least } of item.floors) {
    const binds = least > wantedMinor;
    if (binds) bounds.add(name);
    steps.push({ step: 'cap', by: name, leastMinor: least, binds });
  }
  if (goalMinor !== capped) steps.push({ step: 'rounding', fromMinor: capped, toMinor: goalMinor });
  return { priceMinor: goalMinor, goalMinor, rung: aim, bounds, steps, ruled: true };
}
