import type { StoredEvent } from '../core/event.ts';
import type { LedgerTx } from '../core/ledger.ts';
import type { CurrentPrice, LocalOverride, Pricing, QuoteRequestLine, RefusedBundle } from '../core/pricing.ts';
import { accept } from './acceptance.ts';
import { AuditLog } from './audit/audit-log.ts';
import { keptBundles } from './bundle/bundle-store.ts';
import { sha256Hex } from './bundle/canonical.ts';
import { Decider } from './decider.ts';
import { pricingFailure } from './errors.ts';
import { addLocal, localOverrides } from './local-overrides.ts';
import type { PricingParts } from './pricing-parts.ts';
import { quoteBasket, quoteIdOf } from './quote.ts';
import { recordActivation, recordRefusal, type Refusal } from './rules-events.ts';
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
import { Turns } from './turns.ts';

const OWNER = 'pricing';

/** Facts change with every sensor's word; prices are decided at most this often because of them. */
export const DECIDE_EVERY_MS = 1_000;

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
  readonly #decider: Decider;
  readonly #turns = new Turns();
  readonly #changed = new Set<string>();
  readonly #startMono: number;
  #rules: RulesInForce | null = null;
  #revision = -1;
  #begun = false;
  #refused: RefusedBundle | null = null;
  #onProbation = false;
  #passedMono = Number.NEGATIVE_INFINITY;
  #keptRoot = '';

  constructor(parts: PricingParts) {
    const { clock, kit, ledger, retainAckedMs, auditKey } = parts;
    this.#parts = parts;
    this.#startMono = clock.monoMs();
    this.#audit = new AuditLog({ kitId: kit.id, key: auditKey, clock, ledger, retainAckedMs });
    this.#decider = new Decider({
      ...parts,
      audit: this.#audit,
      skuOf: (gtin14) => this.#rules?.byGtin.get(gtin14),
      recorded: (tx, sku) => {
        this.#changed.add(sku);
        this.#bump(tx);
      },
      saved: (tx) => this.#bump(tx),
    });
  }

  prices(): readonly CurrentPrice[] {
    const rules = this.#current(this.#parts.ledger);
    return rules === null
      ? []
      : rules.program.items.map((item) => this.#decider.price(this.#parts.ledger, rules, item));
  }

  price(sku: string): CurrentPrice | undefined {
    const rules = this.#current(this.#parts.ledger);
    const item = rules?.items.get(sku);
    return rules === null || item === undefined ? undefined : this.#decider.price(this.#parts.ledger, rules, item);
  }

  quote(lines: readonly QuoteRequestLine[]): ReturnType<Pricing['quote']> {
    const { chance, kit, ledger } = this.#parts;
    const rules = this.#current(ledger);
    if (rules === null) throw pricingFailure('no-rules');
    return quoteBasket(lines, {
      currency: kit.currency,
      quoteId: quoteIdOf(chance.bytes(16)),
      find: ({ sku, gtin }) => {
        const named = sku ?? (gtin === undefined ? undefined : rules.byGtin.get(gtin.padStart(14, '0')));
        const item = named === undefined ? undefined : rules.items.get(named);
        return item === undefined ? undefined : { item, price: this.#decider.price(ledger, rules, item) };
      },
    });
  }

  refused(): RefusedBundle | null {
    return this.#refused;
  }

  noteUnreadable(refused: RefusedBundle): void {
    this.#refused = refused;
  }

  bundle(): ReturnType<Pricing['bundle']> {
    const rules = this.#current(this.#parts.ledger);
    return rules === null ? null : statusOf(rules, this.#parts.clock.wallMs());
  }

  observe(tx: LedgerTx, events: readonly StoredEvent[]): void {
    const decides = this.#enter(tx);
    const touched = this.#decider.observe(tx, events);
    if (touched && decides && this.#parts.clock.monoMs() - this.#passedMono >= DECIDE_EVERY_MS) this.#pass(tx);
  }

  tick(tx: LedgerTx): void {
    this.#keepHead(tx);
    if (this.#keptRoot !== '') this.#audit.kept(tx);
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
    this.#refused = null;
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
    this.#decider.decide(tx, renewed, [mine]);
    return this.#decider.price(tx, renewed, mine);
  }

  takeChangedPrices(): ReturnType<Pricing['takeChangedPrices']> {
    const rules = this.#current(this.#parts.ledger);
    if (rules === null) return [];
    const skus = [...this.#changed];
    this.#changed.clear();
    return skus.map((sku) => {
      const item = rules.items.get(sku);
      if (item === undefined) return { sku, message: null };
      const { priceMinor, listMinor, currency, discountBp, announce, decision } = this.#decider.price(
        this.#parts.ledger,
        rules,
        item,
      );
      return { sku, message: { priceMinor, listMinor, currency, discountBp, announce, decision } };
    });
  }

  keepHead(): void {
    this.#keepHead(this.#parts.ledger);
  }

  close(): void {
    this.keepHead();
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
  #keepHead(read: Read): void {
    const head = this.#audit.head(read);
    if (head !== null && head.root !== this.#keptRoot && this.#parts.keepHead(head)) this.#keptRoot = head.root;
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
    this.#decider.reset();
    const kept = keptBundles(read)[0];
    const found = loadKept(read, kept, trust);
    if (kept !== undefined && found === null)
      log.warn('rules-unreadable', { version: kept.version, keyId: kept.keyId });
    this.#rules =
      found === null ? null : putInForce(found.bundle, found.identity, localOverrides(read, clock.wallMs()));
    this.#turns.restart();
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

  #announceActivation(tx: LedgerTx, origin: string, previous: RulesInForce['identity'] | null): void {
    const rules = this.#rules;
    if (rules === null) return;
    recordActivation(tx, this.#audit, rules, { origin, previous });
    this.#turns.restart();
    for (const item of rules.program.items) this.#changed.add(item.item.sku);
    this.#bump(tx);
  }

  #refuse(tx: LedgerTx, refusal: Refusal): void {
    this.#refused = { code: refusal.code, message: refusal.detail };
    if (!recordRefusal(tx, this.#audit, refusal)) return;
    this.#parts.log.warn('rules-rejected', { code: refusal.code, origin: refusal.origin, version: refusal.version });
  }

  /** Decides the items whose turn it is. */
  #pass(tx: LedgerTx): void {
    const rules = this.#rules;
    if (rules === null) return;
    this.#passedMono = this.#parts.clock.monoMs();
    this.#decider.decide(tx, rules, this.#turns.next(rules.program.items));
  }
}
