import type { Chance } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { eventId, type StoredEvent } from '../core/event.ts';
import type { KitClock } from '../core/host.ts';
import type { Ledger, LedgerTx } from '../core/ledger.ts';
import type { CurrentPrice, LocalOverride, Pricing, QuoteRequestLine } from '../core/pricing.ts';
import { accept } from './acceptance.ts';
import { AuditLog, type AuditHead } from './audit/audit-log.ts';
import type { KitKey } from './audit/kit-key.ts';
import { keptBundles } from './bundle/bundle-store.ts';
import { sha256Hex } from './bundle/canonical.ts';
import type { TrustedKey } from './bundle/sign.ts';
import { discountBp } from './decide/arithmetic.ts';
import { decideWith, type Decision } from './decide/decide.ts';
import type { Inputs, ItemState } from './decide/inputs.ts';
import { formatInstant, localTime } from './decide/instant.ts';
import type { ItemProgram } from './decide/program.ts';
import { decisionData, factsHash, RECORDED_RULES } from './decision-record.ts';
import { pricingFailure } from './errors.ts';
import { FactBook } from './facts/fact-book.ts';
import { SalesBook } from './facts/sales-book.ts';
import { isNews, ItemBook } from './item-book.ts';
import { addLocal, localOverrides } from './local-overrides.ts';
import { quoteBasket } from './quote.ts';
import {
  countStart,
  endProbation,
  highestVersion,
  identityOf,
  keepAccepted,
  loadKept,
  payloadHash,
  PROBATION_MS,
  probationOf,
  putInForce,
  statusOf,
  type RulesInForce,
} from './rules-in-force.ts';

const OWNER = 'pricing';

/** Facts change with every sensor's word; prices are decided at most this often because of them. */
export const DECIDE_EVERY_MS = 1_000;

/**
 * Rules that one pass evaluates at most, 20,000 being some 4 ms here: a sale waits for no more than one pass. A larger
 * catalogue is decided over several, in turn.
 */
export const RULES_PER_PASS = 20_000;

/** Newest events of a stream that are folded again at a start: more than the last hour of a busy door. */
const REFOLDED_ROWS = 5_000;

/** Refusals that are remembered, so that a retained message that is refused at each connection is told once. */
const MAX_REFUSALS = 32;

export interface PricingParts {
  readonly kit: {
    readonly id: string;
    readonly group?: string | undefined;
    readonly currency: string;
    readonly timezone: string;
    readonly opens?: string | undefined;
    readonly closes?: string | undefined;
  };
  readonly trust: readonly TrustedKey[];
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  readonly ledger: Pick<Ledger, 'epoch' | 'range' | 'depth' | 'saved'>;
  readonly auditKey: KitKey;
  /** As the ledger was opened with: delivered records may go after that long. */
  readonly retainAckedMs: number;
  /** The agent's version, for the records. */
  readonly version: string;
  /** Ids of the drivers that count people. */
  readonly counters: readonly string[];
  /**
   * Keeps the log's head outside of the database, so that an older database in its place is noticed; called while idle.
   * Returns whether it lies there now.
   */
  readonly keepHead: (head: AuditHead) => boolean;
}

/**
 * Prices decided on the kit. What it remembers lies in the ledger, written in the same transaction as the event that
 * tells of it; memory is only a copy, dropped whenever the ledger's revision is another than the copy's.
 */
export function createPricing(parts: PricingParts): Pricing {
  return new LedgerPricing(parts);
}

type Read = Pick<LedgerTx, 'saved'>;

class LedgerPricing implements Pricing {
  readonly #parts: PricingParts;
  readonly #audit: AuditLog;
  readonly #facts: FactBook;
  readonly #sales: SalesBook;
  readonly #items = new ItemBook();
  readonly #changed = new Set<string>();
  readonly #startMono: number;
  #rules: RulesInForce | null = null;
  #revision = -1;
  #begun = false;
  #onProbation = false;
  #passedMono = Number.NEGATIVE_INFINITY;
  #cursor = 0;
  #keptRoot = '';

  constructor(parts: PricingParts) {
    const { clock, kit, ledger, retainAckedMs, auditKey } = parts;
    this.#parts = parts;
    this.#startMono = clock.monoMs();
    this.#audit = new AuditLog({ kitId: kit.id, key: auditKey, clock, ledger, retainAckedMs });
    this.#facts = new FactBook({ clock, kit, counters: parts.counters });
    this.#sales = new SalesBook({
      skuOf: (gtin14) => this.#rules?.byGtin.get(gtin14),
      find: (id) => findEvent(ledger, id),
      today: () => this.#today(),
    });
    for (const depth of ledger.depth().streams) {
      if (depth.stream !== 'shelf' && depth.stream !== 'footfall' && depth.stream !== 'agent') continue;
      const from = Math.max(1, depth.last - REFOLDED_ROWS + 1);
      for (const event of ledger.range(depth.stream, from, depth.last, REFOLDED_ROWS)) this.#facts.fold(event);
    }
  }

  prices(): readonly CurrentPrice[] {
    const rules = this.#current(this.#parts.ledger);
    return rules === null ? [] : rules.program.items.map((item) => this.#priceOf(this.#parts.ledger, rules, item));
  }

  price(sku: string): CurrentPrice | undefined {
    const rules = this.#current(this.#parts.ledger);
    const item = rules?.items.get(sku);
    return rules === null || item === undefined ? undefined : this.#priceOf(this.#parts.ledger, rules, item);
  }

  quote(lines: readonly QuoteRequestLine[]): ReturnType<Pricing['quote']> {
    const { chance, kit, ledger } = this.#parts;
    const rules = this.#current(ledger);
    if (rules === null) throw pricingFailure('no-rules');
    return quoteBasket(lines, {
      currency: kit.currency,
      quoteId: uuid(chance.bytes(16)),
      find: ({ sku, gtin }) => {
        const named = sku ?? (gtin === undefined ? undefined : rules.byGtin.get(gtin.padStart(14, '0')));
        const item = named === undefined ? undefined : rules.items.get(named);
        return item === undefined ? undefined : { item, price: this.#priceOf(ledger, rules, item) };
      },
    });
  }

  bundle(): ReturnType<Pricing['bundle']> {
    const rules = this.#current(this.#parts.ledger);
    return rules === null ? null : statusOf(rules, this.#parts.clock.wallMs());
  }

  observe(tx: LedgerTx, events: readonly StoredEvent[]): void {
    const decides = this.#enter(tx);
    let touched = false;
    for (const event of events) {
      if (event.stream === 'sale' && this.#sales.fold(tx, event).length > 0) touched = true;
      if (this.#facts.fold(event)) touched = true;
    }
    if (touched && decides && this.#parts.clock.monoMs() - this.#passedMono >= DECIDE_EVERY_MS) this.#pass(tx);
  }

  tick(tx: LedgerTx): void {
    if (this.#keepHead(tx)) this.#audit.kept(tx);
    const decides = this.#enter(tx);
    if (this.#onProbation && this.#parts.clock.monoMs() - this.#startMono >= PROBATION_MS) {
      endProbation(tx);
      this.#onProbation = false;
      this.#bump(tx);
    }
    if (decides) {
      const local = localOverrides(tx, this.#parts.clock.wallMs());
      if (this.#rules !== null && local.length !== this.#rules.local.length) this.#renew(tx);
      this.#pass(tx);
    }
    this.#audit.tick(tx);
  }

  offer(tx: LedgerTx, bytes: Uint8Array, origin: string): string | null {
    this.#enter(tx);
    const { kit, trust, clock, log } = this.#parts;
    const known = payloadHash(bytes);
    if (known !== null && known === this.#rules?.identity.hash) return null;
    const accepted = accept(bytes, {
      kit,
      trust,
      nowMs: clock.wallMs(),
      clockTrust: clock.trust(),
      highest: (keyId) => highestVersion(tx, keyId),
    });
    if (!accepted.ok) {
      const { code, message } = accepted.fault;
      this.#refuse(tx, { code, detail: message, origin, version: accepted.version, hash: known ?? sha256Hex(bytes) });
      return code;
    }
    const { loaded, keyId } = accepted;
    const identity = identityOf(loaded.bundle, sha256Hex(loaded.bytes), keyId);
    const previous = this.#rules?.identity ?? null;
    keepAccepted(tx, loaded, identity);
    for (const sku of this.#rules?.items.keys() ?? []) this.#changed.add(sku);
    this.#onProbation = true;
    this.#rules = putInForce(loaded.bundle, identity, localOverrides(tx, clock.wallMs()));
    this.#announceActivation(tx, origin, previous);
    log.info('rules-activated', { merchant: identity.merchant, version: identity.version, origin });
    this.#pass(tx);
    return null;
  }

  override(tx: LedgerTx, override: LocalOverride): CurrentPrice {
    this.#enter(tx);
    const rules = this.#rules;
    if (rules === null) throw pricingFailure('no-rules');
    const item = rules.items.get(override.sku);
    if (item === undefined) throw pricingFailure('unknown-sku', { detail: override.sku });
    addLocal(tx, override, this.#parts.clock.wallMs());
    const { sku, action, actor, reason, until, secondApprovedBy } = override;
    const second = secondApprovedBy === undefined ? {} : { secondApprovedBy };
    this.#audit.append(tx, {
      type: 'barrow.override.v1',
      subject: sku,
      data: { sku, ...action, actor, reason, until, ...second, origin: 'local' },
    });
    this.#renew(tx);
    const renewed = this.#rules;
    const mine = renewed?.items.get(sku);
    if (renewed === null || mine === undefined) throw new TypeError('rules vanished while they were renewed');
    this.#decideItems(tx, renewed, [mine]);
    return this.#priceOf(tx, renewed, mine);
  }

  takeChangedPrices(): ReturnType<Pricing['takeChangedPrices']> {
    const rules = this.#current(this.#parts.ledger);
    if (rules === null) return [];
    const skus = [...this.#changed];
    this.#changed.clear();
    return skus.map((sku) => {
      const item = rules.items.get(sku);
      if (item === undefined) return { sku, message: null };
      const { priceMinor, listMinor, currency, discountBp, announce, decision } = this.#priceOf(
        this.#parts.ledger,
        rules,
        item,
      );
      return { sku, message: { priceMinor, listMinor, currency, discountBp, announce, decision } };
    });
  }

  close(): void {
    this.#keepHead(this.#parts.ledger);
  }

  /** Brings memory to the ledger's word; on the first call counts the start. Returns whether prices may be decided now. */
  #enter(tx: LedgerTx): boolean {
    this.#current(tx);
    if (this.#begun) return true;
    this.#begun = true;
    const failed = countStart(tx);
    if (failed !== null) {
      const { hash, version } = failed;
      this.#refuse(tx, {
        code: 'crash-loop',
        detail: 'the agent did not stay up with it',
        origin: 'crash-loop',
        version,
        hash,
      });
      this.#bump(tx);
      this.#reload(tx);
      this.#announceActivation(tx, 'crash-loop', null);
      this.#parts.log.warn('rules-returned', { version });
    }
    this.#onProbation = probationOf(tx) !== null;
    // A start that is being counted must be on disk before the bundle decides again.
    return !this.#onProbation;
  }

  /** Outside of a transaction and at the beginning of one the head is what is on disk: the copy never runs ahead of it. */
  #keepHead(read: Read): boolean {
    const head = this.#audit.head(read);
    if (head === null || head.root === this.#keptRoot || !this.#parts.keepHead(head)) return false;
    this.#keptRoot = head.root;
    return true;
  }

  #current(read: Read): RulesInForce | null {
    const revision = read.saved(OWNER, 'revision');
    if ((typeof revision === 'number' ? revision : 0) !== this.#revision) this.#reload(read);
    return this.#rules;
  }

  #reload(read: Read): void {
    const { trust, clock, log } = this.#parts;
    const revision = read.saved(OWNER, 'revision');
    this.#revision = typeof revision === 'number' ? revision : 0;
    this.#items.reset();
    const kept = keptBundles(read)[0];
    const found = loadKept(read, kept, trust);
    if (kept !== undefined && found === null)
      log.warn('rules-unreadable', { version: kept.version, keyId: kept.keyId });
    this.#rules =
      found === null ? null : putInForce(found.bundle, found.identity, localOverrides(read, clock.wallMs()));
    this.#cursor = 0;
    for (const item of this.#rules?.program.items ?? []) this.#changed.add(item.item.sku);
    // What the bundle before this one priced and this one does not may still lie on the broker.
    for (const { sku } of loadKept(read, keptBundles(read)[1], trust)?.bundle.catalog ?? []) this.#changed.add(sku);
  }

  /** Marks that the ledger has moved on, together with this copy of it. */
  #bump(tx: LedgerTx): void {
    this.#revision += 1;
    tx.save(OWNER, 'revision', this.#revision);
  }

  #renew(tx: LedgerTx): void {
    if (this.#rules === null) return;
    const { bundle, identity } = this.#rules;
    this.#rules = putInForce(bundle, identity, localOverrides(tx, this.#parts.clock.wallMs()));
    this.#bump(tx);
  }

  #announceActivation(
    tx: LedgerTx,
    origin: string,
    previous: { readonly version: number; readonly hash: string } | null,
  ): void {
    const rules = this.#rules;
    if (rules === null) return;
    const { bundle, identity } = rules;
    const { issuedAt, notBefore, expires, rolloutBp, kill } = bundle;
    this.#audit.append(tx, {
      type: 'barrow.rules.activated.v1',
      subject: 'rules',
      data: {
        ...identity,
        origin,
        issuedAt,
        notBefore,
        expires,
        rolloutBp,
        kill,
        rules: bundle.rules.length,
        skus: bundle.catalog.length,
        overrides: bundle.overrides.map((override) => ({ ...override })),
        previous: previous === null ? null : { version: previous.version, hash: previous.hash },
        facts: factsHash,
      } as unknown as JsonObject,
    });
    this.#cursor = 0;
    for (const item of rules.program.items) this.#changed.add(item.item.sku);
    this.#bump(tx);
  }

  #refuse(
    tx: LedgerTx,
    refusal: {
      readonly code: string;
      readonly detail: string;
      readonly origin: string;
      readonly version: number | null;
      readonly hash: string;
    },
  ): void {
    const mark = `${refusal.code} ${refusal.hash}`;
    // Written by this method alone.
    const known = (tx.saved(OWNER, 'refusals') as readonly string[] | undefined) ?? [];
    if (known.includes(mark)) return;
    tx.save(OWNER, 'refusals', [...known, mark].slice(-MAX_REFUSALS));
    this.#audit.append(tx, { type: 'barrow.rules.rejected.v1', subject: 'rules', data: { ...refusal } });
    this.#parts.log.warn('rules-rejected', { code: refusal.code, origin: refusal.origin, version: refusal.version });
  }

  /** Decides the next items in turn, as many as one pass allows; those with overrides come first after a change. */
  #pass(tx: LedgerTx): void {
    const rules = this.#rules;
    if (rules === null) return;
    this.#passedMono = this.#parts.clock.monoMs();
    const { items } = rules.program;
    const due: ItemProgram[] = this.#cursor === 0 ? items.filter((item) => item.overrides.length > 0) : [];
    let left = RULES_PER_PASS;
    let taken = 0;
    for (; taken < items.length && left > 0; taken += 1) {
      const item = items[(this.#cursor + taken) % items.length];
      if (item === undefined) break;
      left -= item.rules.all.length + 1;
      if (!(this.#cursor === 0 && item.overrides.length > 0)) due.push(item);
    }
    this.#cursor = taken >= items.length ? 0 : (this.#cursor + taken) % items.length;
    this.#decideItems(tx, rules, due);
  }

  #decideItems(tx: LedgerTx, rules: RulesInForce, items: readonly ItemProgram[]): void {
    const inputs = this.#inputs(tx, rules, items);
    const program = { ...rules.program, items };
    const { decisions, state } = decideWith(program, inputs, { trace: false });
    for (const [index, decision] of decisions.entries()) {
      const item = items[index];
      const next = Object.hasOwn(state, decision.sku) ? state[decision.sku] : undefined;
      if (item === undefined || next === undefined) continue;
      if (isNews(this.#items.find(tx, decision.sku), decision, next)) this.#record(tx, rules, item, inputs);
    }
  }

  #record(tx: LedgerTx, rules: RulesInForce, item: ItemProgram, all: Inputs): void {
    const { sku, priorPriceMinor } = item.item;
    const inputs: Inputs = { ...all, state: only(all.state, sku), facts: only(all.facts, sku) };
    const program = { ...rules.program, items: [item] };
    const decided = decideWith(program, inputs, { maxRules: RECORDED_RULES });
    const decision: Decision | undefined = decided.decisions[0];
    const stateAfter: ItemState | undefined = Object.hasOwn(decided.state, sku) ? decided.state[sku] : undefined;
    if (decision === undefined || stateAfter === undefined) throw new TypeError('one item gives one decision');
    const stored = this.#audit.append(tx, {
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
    const { ruleId, cell, boundBy, announce } = decision;
    const date = this.#today();
    this.#items.put(tx, sku, { state: stateAfter, date, ruleId, cell, boundBy, announce, decision: eventId(stored) });
    this.#changed.add(sku);
    this.#bump(tx);
  }

  #inputs(tx: LedgerTx, rules: RulesInForce, items: readonly ItemProgram[]): Inputs {
    const { clock, kit } = this.#parts;
    const today = this.#today();
    const dayBudgetUsedMinor = this.#sales.budgetUsedMinor(tx);
    const budgetLeftMinor = Math.max(0, rules.bundle.caps.kit.dayBudgetMinor - dayBudgetUsedMinor);
    const state: [string, ItemState][] = [];
    const facts: [string, Inputs['facts'][string]][] = [];
    for (const { item } of items) {
      const known = this.#items.state(tx, item.sku, today);
      if (known !== null) state.push([item.sku, known]);
      const standing = known ?? { rung: 0, priceMinor: item.listMinor, changedAt: null, changesToday: 0 };
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

  #priceOf(read: Read, rules: RulesInForce, { item }: ItemProgram): CurrentPrice {
    const record = this.#items.find(read, item.sku);
    const { sku, gtin, listMinor, priorPriceMinor } = item;
    // A list price lowered since the last decision holds at once: nobody pays above it.
    const priceMinor = Math.min(listMinor, record?.state.priceMinor ?? listMinor);
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

  #today(): string {
    return localTime(this.#parts.clock.wallMs(), this.#parts.kit.timezone).date;
  }
}

function only<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  return value === undefined ? {} : Object.fromEntries([[key, value]]);
}

function findEvent(ledger: Pick<Ledger, 'epoch' | 'range'>, id: string): StoredEvent | undefined {
  const match = /^(.+)\/sale\/(\d{1,15})$/.exec(id);
  if (match === null || match[1] !== ledger.epoch) return undefined;
  const sequence = Number(match[2]);
  return ledger.range('sale', sequence, sequence, 1)[0];
}

/** RFC 9562 version 4. */
function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(
    bytes.map((byte, index) => (index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte)),
  ).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
