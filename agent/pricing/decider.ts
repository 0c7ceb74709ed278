import { eventId, type StoredEvent } from '../core/event.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { CurrentPrice } from '../core/pricing.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { discountBp } from './decide/arithmetic.ts';
import { decideWith } from './decide/decide.ts';
import type { Inputs, ItemState } from './decide/inputs.ts';
import { formatInstant, localTime } from './decide/instant.ts';
import { isApprovedPinActive } from './decide/outcome.ts';
import type { ItemProgram } from './decide/program.ts';
import { decisionData, RECORDED_RULES } from './decision-record.ts';
import { FactBook } from './facts/fact-book.ts';
import { newestEvents } from './facts/refold.ts';
import { SalesBook } from './facts/sales-book.ts';
import { isNews, ItemBook, untouched } from './item-book.ts';
import type { PricingParts } from './pricing-parts.ts';
import type { RulesInForce } from './rules-in-force.ts';

type Read = Pick<LedgerTx, 'saved'>;

export interface DeciderParts extends Pick<PricingParts, 'clock' | 'kit' | 'ledger' | 'counters' | 'version'> {
  readonly audit: AuditLog;
  readonly skuOf: (gtin14: string) => string | undefined;
  /** A decision was recorded: called within its transaction, before anything else is written. */
  readonly recorded: (tx: LedgerTx, sku: string) => void;
  /** Items were saved without a decision: called within their transaction. */
  readonly saved: (tx: LedgerTx) => void;
}

/** Facts in, decisions out: what the kit's events say of each item, where it stands, and the record of each change. */
export class Decider {
  readonly #parts: DeciderParts;
  readonly #facts: FactBook;
  readonly #sales: SalesBook;
  readonly #items = new ItemBook();

  constructor(parts: DeciderParts) {
    const { clock, kit, ledger, counters, skuOf } = parts;
    this.#parts = parts;
    this.#facts = new FactBook({ clock, kit, counters });
    this.#sales = new SalesBook({ skuOf, find: (id) => this.#findEvent(id), today: () => this.#today() });
    for (const event of newestEvents(ledger)) this.#facts.fold(event);
  }

  /** Forgets what is in memory of the items: the ledger knows better. */
  reset(): void {
    this.#items.reset();
  }

  /** Takes events in. Returns whether a fact may have changed. */
  observe(tx: LedgerTx, events: readonly StoredEvent[]): boolean {
    let touched = false;
    for (const event of events) {
      if (event.stream === 'sale' && this.#sales.fold(tx, event).length > 0) touched = true;
      if (this.#facts.fold(event)) touched = true;
    }
    return touched;
  }

  /**
   * Decides some items, and records those of which there is anything new to say. What was gathered for rules with
   * evidence is saved without a record: no price was decided by it yet. The decision that comes from it carries it in
   * its inputs.
   */
  decide(tx: LedgerTx, rules: RulesInForce, items: readonly ItemProgram[]): void {
    const inputs = this.#inputs(tx, rules, items);
    const program = { ...rules.program, items };
    const { decisions, state } = decideWith(program, inputs, { trace: false });
    let gathered = false;
    for (const [index, decision] of decisions.entries()) {
      const item = items[index];
      const next = Object.hasOwn(state, decision.sku) ? state[decision.sku] : undefined;
      if (item === undefined || next === undefined) continue;
      if (isNews(this.#items.find(tx, decision.sku), decision, next)) this.#record(tx, rules, item, inputs);
      else if (this.#items.gather(tx, decision.sku, decision, next)) gathered = true;
    }
    if (gathered) this.#parts.saved(tx);
  }

  /** What an item costs now. */
  price(read: Read, rules: RulesInForce, program: ItemProgram): CurrentPrice {
    const { sku, gtin, listMinor, priorPriceMinor } = program.item;
    const record = this.#items.find(read, sku);
    // A list price or a floor that came since the last decision holds at once, though the item's turn may be some passes away.
    const leastMinor = isApprovedPinActive(rules.program, program, this.#parts.clock.wallMs()) ? 0 : program.floorMinor;
    const priceMinor = Math.min(listMinor, Math.max(leastMinor, this.#items.standingMinor(read, sku) ?? listMinor));
    const announce = priorPriceMinor !== null && priceMinor < priorPriceMinor;
    return {
      sku,
      gtin,
      priceMinor,
      listMinor,
      currency: rules.bundle.currency,
      discountBp: discountBp(listMinor, priceMinor),
      announce,
      priorPriceMinor: announce ? priorPriceMinor : null,
      ruleId: record?.ruleId ?? null,
      boundBy: record?.boundBy ?? [],
      decision: record?.decision ?? null,
    };
  }

  #record(tx: LedgerTx, rules: RulesInForce, item: ItemProgram, all: Inputs): void {
    const { sku, priorPriceMinor } = item.item;
    const inputs: Inputs = { ...all, state: only(all.state, sku), facts: only(all.facts, sku) };
    const program = { ...rules.program, items: [item] };
    const decided = decideWith(program, inputs, { maxRules: RECORDED_RULES });
    const [decision] = decided.decisions;
    const stateAfter: ItemState | undefined = Object.hasOwn(decided.state, sku) ? decided.state[sku] : undefined;
    if (decision === undefined || stateAfter === undefined) throw new TypeError('one item gives one decision');
    const stored = this.#parts.audit.append(tx, {
      type: 'barrow.price.decided.v1',
      subject: sku,
      data: decisionData({
        decision,
        inputs,
        stateAfter,
        overrides: item.overrides.map(({ override }) => override),
        bundle: rules.identity,
        currency: rules.bundle.currency,
        priorPriceMinor,
        version: this.#parts.version,
      }),
    });
    this.#parts.recorded(tx, sku);
    const { ruleId, cell, boundBy, announce } = decision;
    const date = this.#today();
    this.#items.put(tx, sku, { state: stateAfter, date, ruleId, cell, boundBy, announce, decision: eventId(stored) });
  }

  #inputs(tx: LedgerTx, rules: RulesInForce, items: readonly ItemProgram[]): Inputs {
    const { clock, kit } = this.#parts;
    const today = this.#today();
    const dayBudgetUsedMinor = this.#sales.budgetUsedMinor(tx);
    const budgetLeftMinor = Math.max(0, rules.bundle.caps.kit.dayBudgetMinor - dayBudgetUsedMinor);
    const state: [string, ItemState][] = [];
    const facts: [string, Inputs['facts'][string]][] = [];
    for (const { item } of items) {
      const known = this.#items.state(tx, item, today);
      if (known !== null) state.push([item.sku, known]);
      const standing = known ?? untouched(item.listMinor);
      const sales = this.#sales.count(tx, item.sku);
      const soldToday = this.#sales.soldToday(tx, item.sku);
      facts.push([item.sku, this.#facts.readings(item.sku, { state: standing, sales, soldToday, budgetLeftMinor })]);
    }
    return {
      now: formatInstant(clock.wallMs()),
      clocktrust: clock.trust(),
      kit: { id: kit.id, timezone: kit.timezone },
      state: Object.fromEntries(state),
      dayBudgetUsedMinor,
      facts: Object.fromEntries(facts),
    };
  }

  #today(): string {
    return localTime(this.#parts.clock.wallMs(), this.#parts.kit.timezone).date;
  }

  #findEvent(id: string): StoredEvent | undefined {
    const { ledger } = this.#parts;
    const match = /^(.+)\/sale\/(\d{1,15})$/.exec(id);
    if (match === null || match[1] !== ledger.epoch) return undefined;
    const sequence = Number(match[2]);
    return ledger.range('sale', sequence, sequence, 1)[0];
  }
}

function only<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  return value === undefined ? {} : Object.fromEntries([[key, value]]);
}
