import type { Rounding } from '../bundle/bundle.ts';

/** ⌊a/b⌋ of safe integers, a ≥ 0, b > 0. By the remainder, which is exact; a quotient of doubles may round up to the next. */
export function floorDiv(a: number, b: number): number {
  return (a - (a % b)) / b;
}

export function ceilDiv(a: number, b: number): number {
  const rest = a % b;
  return rest === 0 ? a / b : (a - rest) / b + 1;
}

/** The price after a discount, rounded down in the customer's favour. Money ≤ 9·10¹¹ keeps the product below 2⁵³. */
export function discounted(listMinor: number, bp: number): number {
  return floorDiv(listMinor * (10_000 - bp), 10_000);
}

/** The least price under a cap on the discount. */
export function leastUnderCap(listMinor: number, capBp: number): number {
  return ceilDiv(listMinor * (10_000 - capBp), 10_000);
}

/** The least price that leaves the margin. */
export function marginFloor(costMinor: number, marginBp: number): number {
  return ceilDiv(costMinor * 10_000, 10_000 - marginBp);
}

/** The discount in basis points, rounded down: never shown larger than it is. */
export function discountBp(listMinor: number, priceMinor: number): number {
  return listMinor === 0 ? 0 : floorDiv((listMinor - priceMinor) * 10_000, listMinor);
}

export interface CharmRange {
  /** No result below this. */
  readonly leastMinor: number;
  /** No result above this: the list price, or the standing price where the price is falling. */
  readonly mostMinor: number;
}

/**
 * The charm price of a price: the highest ending at or below it; where that passes the least price, the lowest ending
 * at or above that; where that is above `mostMinor`, the price as it is.
 */
export function charm(priceMinor: number, rounding: Rounding, { leastMinor, mostMinor }: CharmRange): number {
  if (rounding.mode === 'none') return priceMinor;
  const below = Math.max(...rounding.endings.map((ending) => priceMinor - mod(priceMinor - ending)));
  const result =
    below >= leastMinor ? below : Math.min(...rounding.endings.map((ending) => leastMinor + mod(ending - leastMinor)));
  return result > mostMinor ? priceMinor : result;
}

function mod(value: number): number {
  return ((value % 100) + 100) % 100;
}
