import type { Chance, Clock } from '../../drivers/api/clock.ts';

/** One product on one shelf. */
export interface ShopProduct {
  readonly sku: string;
  readonly gtin: string;
  /** The shelf sensor under it; `null` where none is. */
  readonly sensorId: string | null;
  readonly stock: number;
}

/** What shoppers and the assistant can do with the devices. The simulated devices and the till stand behind it. */
export interface ShopHands {
  take(sensorId: string, count: number): void;
  putBack(sensorId: string, count: number): void;
  scan(text: string): void;
  swipeLoyalty(memberId: string): void;
  /** Quote, payment and sale at the till; true when the customer paid. */
  checkout(basket: readonly BasketLine[]): Promise<boolean>;
}

export interface BasketLine {
  readonly sku: string;
  readonly gtin: string;
  readonly qty: number;
}

export interface ShopOptions {
  readonly products: readonly ShopProduct[];
  readonly shoppersPerMin: number;
  /** Share of shoppers who show a loyalty card. */
  readonly loyaltyShare: number;
}

/** What really happened: the oracle's side of every comparison. */
export interface ShopTruth {
  shoppers: number;
  taken: number;
  putBack: number;
  scans: number;
  loyalty: number;
  checkouts: number;
  paid: number;
  /** Units still on the shelf, by SKU. */
  readonly stock: Map<string, number>;
}

/** People at one time in a kiosk this small. */
const MAX_SHOPPERS = 8;

/** A small shop: shoppers come at random, lift items, put some back, scan, show a card, pay and go. */
export class Shop {
  readonly truth: ShopTruth;
  readonly #options: ShopOptions;
  readonly #hands: ShopHands;
  readonly #clock: Clock;
  readonly #chance: Chance;
  /** One till: shoppers queue. */
  #till: Promise<unknown> = Promise.resolve();

  constructor(options: ShopOptions, hands: ShopHands, clock: Clock, chance: Chance) {
    this.#options = options;
    this.#hands = hands;
    this.#clock = clock;
    this.#chance = chance;
    this.truth = {
      shoppers: 0,
      taken: 0,
      putBack: 0,
      scans: 0,
      loyalty: 0,
      checkouts: 0,
      paid: 0,
      stock: new Map(options.products.map((product) => [product.sku, product.stock])),
    };
  }

  /** Opens the shop until `closing` fires, then lets who is paying finish; everybody else puts everything back and goes. `signal` ends it at once. */
  async run(closing: AbortSignal, signal: AbortSignal): Promise<void> {
    const inside = new Set<Promise<void>>();
    const doors = AbortSignal.any([closing, signal]);
    while (!doors.aborted) {
      if (inside.size < MAX_SHOPPERS) {
        const visit = this.#visit(doors, signal).finally(() => inside.delete(visit));
        inside.add(visit);
      }
      await this.#pause((-Math.log(1 - this.#chance.float()) * 60_000) / this.#options.shoppersPerMin, doors);
    }
    await Promise.all(inside);
  }

  async #visit(doors: AbortSignal, signal: AbortSignal): Promise<void> {
    this.truth.shoppers += 1;
    const basket = new Map<ShopProduct, number>();
    // The first customer of the day knows what she wants: a short demonstration sees a whole sale.
    const first = this.truth.shoppers === 1;
    const wishes = first ? 1 : 1 + Math.floor(this.#chance.float() * 3);
    for (let wish = 0; wish < wishes && !doors.aborted; wish += 1) {
      await this.#pause(1_500 + this.#chance.float() * 3_000, doors);
      const product = this.#pick();
      if (product !== undefined && !doors.aborted) await this.#lift(product, basket, first, doors);
    }
    if (basket.size === 0 || signal.aborted) return;
    const mine = this.#till.then(() => (doors.aborted ? this.#leave(basket) : this.#pay(basket, signal)));
    this.#till = mine.catch(() => undefined);
    await mine;
  }

  async #lift(
    product: ShopProduct,
    basket: Map<ShopProduct, number>,
    certain: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    this.#move(product, -1);
    if (!certain && this.#chance.float() < 0.2) {
      await this.#pause(4_000 + this.#chance.float() * 3_000, signal);
      this.#move(product, 1);
      return;
    }
    basket.set(product, (basket.get(product) ?? 0) + 1);
  }

  async #pay(basket: ReadonlyMap<ShopProduct, number>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    for (const [product, qty] of basket) {
      for (let unit = 0; unit < qty; unit += 1) {
        await this.#pause(700, signal);
        this.#hands.scan(product.gtin);
        this.truth.scans += 1;
      }
    }
    if (this.truth.loyalty === 0 || this.#chance.float() < this.#options.loyaltyShare) {
      this.#hands.swipeLoyalty(`98260000${1_000 + Math.floor(this.#chance.float() * 9_000)}`);
      this.truth.loyalty += 1;
    }
    this.truth.checkouts += 1;
    const lines = [...basket].map(([{ sku, gtin }, qty]) => ({ sku, gtin, qty }));
    if (await this.#hands.checkout(lines)) this.truth.paid += 1;
    else this.#leave(basket);
  }

  /** Puts everything back and goes. */
  #leave(basket: ReadonlyMap<ShopProduct, number>): void {
    for (const [product, qty] of basket) this.#move(product, qty);
  }

  #pick(): ShopProduct | undefined {
    const left = this.#options.products.filter((product) => (this.truth.stock.get(product.sku) ?? 0) > 0);
    return left[Math.floor(this.#chance.float() * left.length)];
  }

  #move(product: ShopProduct, count: number): void {
    this.truth.stock.set(product.sku, (this.truth.stock.get(product.sku) ?? 0) + count);
    if (count < 0) this.truth.taken -= count;
    else this.truth.putBack += count;
    if (product.sensorId === null) return;
    if (count < 0) this.#hands.take(product.sensorId, -count);
    else this.#hands.putBack(product.sensorId, count);
  }

  /** Waits; a closing door wakes the sleeper without an error. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
