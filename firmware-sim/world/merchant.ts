import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import type { Bundle, Override } from '../../agent/pricing/bundle/bundle.ts';
import { canonicalBytes } from '../../agent/pricing/bundle/canonical.ts';
import type { PriceTruth } from './price-truth.ts';
import type { Scheduler } from './scheduler.ts';
import type { SeededChance } from './seeded-chance.ts';
import type { Trace } from './trace.ts';

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS#8. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Longer than any jump of the world's clocks: what is tried here is not expiry. */
const NOT_BEFORE = '1990-01-01T00:00:00Z';
const EXPIRES = '2090-01-01T00:00:00Z';

const SKUS = ['SKU-s1', 'SKU-s2', 'TEE-BLK-M'] as const;

export interface MerchantParts {
  readonly scheduler: Scheduler;
  readonly chance: SeededChance;
  readonly truth: PriceTruth;
  readonly trace: Trace;
  /** Puts a retained message where the kits of the merchant read. */
  readonly publish: (bundle: string) => void;
}

/** Whoever owns the shop: signs rules and publishes them, among others who would like to. */
export interface Merchant {
  /** What the kit is told to trust, PEM. */
  readonly publicKey: string;
  open(untilMs: number): void;
  /** The newest rules again, as the last word. */
  repeat(): void;
}

export function makeMerchant(parts: MerchantParts): Merchant {
  const { scheduler, chance, truth, trace } = parts;
  const key = keyOf(chance.bytes(32));
  const stranger = keyOf(chance.bytes(32));
  const published: string[] = [];

  const publish = (what: string, text: string): void => {
    trace.note('rules', what);
    parts.publish(text);
  };

  const renew = (): void => {
    const bundle = draw(chance, published.length + 1);
    const bytes = canonicalBytes(bundle);
    truth.publish(createHash('sha256').update(bytes).digest('hex'), bundle);
    published.push(envelope(bytes, key));
    publish(`version ${bundle.version}`, published.at(-1) ?? '');
  };

  /** What a kit must not take: an old version, a stranger's signature, a file that was cut. */
  const attack = (): void => {
    const newest = published.at(-1) ?? '';
    switch (chance.int(0, 2)) {
      case 0:
        publish('replay', chance.pick(published));
        return;
      case 1:
        publish('forged', envelope(canonicalBytes(draw(chance, published.length + 100)), stranger));
        return;
      default:
        publish('torn', newest.slice(0, chance.int(0, newest.length - 1)));
    }
  };

  return {
    publicKey: createPublicKey(key).export({ format: 'pem', type: 'spki' }) as string,
    open(untilMs) {
      const next = (): void => {
        if (scheduler.nowMs >= untilMs) return;
        if (published.length > 0 && chance.hit(0.3)) attack();
        else renew();
        scheduler.after(chance.int(15_000, 240_000), next);
      };
      scheduler.after(chance.int(500, 10_000), next);
    },
    repeat() {
      const newest = published.at(-1);
      if (newest !== undefined) publish('repeated', newest);
    },
  };
}

function keyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** The envelope as the public format describes it, made without the agent's own signer. */
function envelope(bytes: Uint8Array, key: KeyObject): string {
  const keyid = createHash('sha256')
    .update(createPublicKey(key).export({ format: 'der', type: 'spki' }))
    .digest('hex');
  return JSON.stringify({
    payload: Buffer.from(bytes).toString('base64'),
    signatures: [{ keyid, sig: sign(null, bytes, key).toString('base64') }],
  });
}

/** Rules as a merchant may write them: all sorts of caps, some of them tight. */
function draw(chance: SeededChance, version: number): Bundle {
  const catalog = SKUS.map((sku) => {
    const listMinor = chance.int(5, 60) * 100 - chance.pick([0, 1, 5]);
    return {
      sku,
      gtin: null,
      category: sku === 'TEE-BLK-M' ? 'tees' : 'shelf',
      listMinor,
      costMinor: Math.floor((listMinor * chance.int(10, 80)) / 100),
      mapMinor: chance.hit(0.2) ? Math.floor((listMinor * chance.int(60, 100)) / 100) : null,
      priorPriceMinor: chance.hit(0.7) ? listMinor : null,
    };
  });
  const cap = (): { maxDiscountBp: number } => ({ maxDiscountBp: chance.int(0, 6_000) });
  const rule = (id: string, fact: string, op: '>=' | '<=', value: number): Bundle['rules'][number] => ({
    id,
    rev: 1,
    owner: 'ops',
    approvedBy: 'm.lee',
    approvedAt: NOT_BEFORE,
    group: chance.pick(['markdown', 'demand']),
    priority: chance.int(1, 20),
    select: chance.pick([{ all: true } as const, { category: 'shelf' }, { sku: chance.pick(SKUS) }]),
    when: { op, fact, value },
    // oxlint-disable-next-line unicorn/no-thenable -- the format's own word
    then: { rung: chance.int(0, 3) },
    requires: fact === 'stock' && chance.hit(0.5) ? [{ fact: 'stock', maxAgeS: 60 }] : [],
    onStale: chance.pick(['hold', 'skip']),
  });
  return {
    format: 'barrow.rules/1',
    merchant: 'acme',
    version,
    issuedAt: NOT_BEFORE,
    notBefore: NOT_BEFORE,
    expires: EXPIRES,
    audience: {},
    rolloutBp: 10_000,
    currency: 'GBP',
    kill: chance.hit(0.1) ? chance.pick(['list', 'freeze']) : null,
    catalog,
    caps: {
      marginFloorBp: chance.int(0, 4_000),
      kit: { ...cap(), dayBudgetMinor: chance.pick([5_000, 1_000_000]) },
      category: chance.hit(0.5) ? { shelf: cap() } : {},
      sku: chance.hit(0.3) ? { 'TEE-BLK-M': cap() } : {},
      maxStepBp: chance.int(300, 4_000),
      maxChangesPerDay: chance.int(1, 40),
      cooldownMin: chance.int(0, 3),
      allowRaise: chance.hit(0.3),
    },
    ladder: [0, 800, 1_500, 4_000],
    rounding: chance.hit(0.4) ? { mode: 'charm', endings: [99, 49] } : { mode: 'none' },
    rules: [
      rule('few-left', 'stock', '<=', chance.int(5, 19)),
      rule('many-left', 'stock', '>=', chance.int(5, 19)),
      rule('sells', 'sold_today', '>=', chance.int(1, 10)),
    ],
    experiments: [],
    overrides: chance.hit(0.4) ? [override(chance, catalog)] : [],
  };
}

function override(chance: SeededChance, catalog: Bundle['catalog']): Override {
  const { sku, listMinor } = chance.pick(catalog);
  const said = { sku, actor: 'm.lee', reason: 'press day', until: EXPIRES };
  if (chance.hit(0.4)) return { ...said, block: true };
  return { ...said, pin: { priceMinor: Math.floor((listMinor * chance.int(5, 100)) / 100) } };
}
