import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign } from './assignment.ts';

/** Most pairs first, then least cost: what the method must find, by trying everything. */
function best(costs: readonly (readonly number[])[]): { readonly pairs: number; readonly cost: number } {
  const columns = costs[0]?.length ?? 0;
  let found = { pairs: 0, cost: 0 };
  const go = (row: number, used: number, pairs: number, cost: number): void => {
    if (row === costs.length) {
      if (pairs > found.pairs || (pairs === found.pairs && cost < found.cost)) found = { pairs, cost };
      return;
    }
    go(row + 1, used, pairs, cost);
    for (let column = 0; column < columns; column += 1)
      if ((used & (1 << column)) === 0 && Number.isFinite(costs[row]![column]!))
        go(row + 1, used | (1 << column), pairs + 1, cost + costs[row]![column]!);
  };
  go(0, 0, 0, 0);
  return found;
}

describe('assignment', () => {
  test('prefers the pairing that is best together over the best single pair', () => {
    expect(assign([[1, 2], [1.1, 9]])).toEqual([1, 0]); // prettier-ignore
  });

  test('leaves alone what no pair is allowed for', () => {
    expect(assign([[Infinity, Infinity], [0.5, Infinity]])).toEqual([-1, 0]); // prettier-ignore
    expect(assign([])).toEqual([]);
    expect(assign([[], []])).toEqual([-1, -1]);
  });

  test('gives no good pair up for two bad ones that cost more than one alone', () => {
    const costs = [[0.15, 0.8], [0.9, Infinity]]; // prettier-ignore
    expect(assign(costs)).toEqual([1, 0]);
    expect(assign(costs, 1.5)).toEqual([0, -1]);
    expect(assign(costs, 1.6)).toEqual([1, 0]);
  });

  test('finds what trying every pairing finds', () => {
    const cost = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }).map((value) => value / 100) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    const table = fc
      .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(cost, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
      );
    fc.assert(
      fc.property(table, (costs) => {
        const columns = assign(costs);
        const taken = columns.filter((column) => column >= 0);
        expect(new Set(taken).size).toBe(taken.length);
        const sum = columns.reduce((total, column, row) => total + (column < 0 ? 0 : costs[row]![column]!), 0);
        const wanted = best(costs);
        expect(taken.length).toBe(wanted.pairs);
        expect(sum).toBeCloseTo(wanted.cost, 9);
      }),
      { numRuns: 300 },
    );
  });
});
