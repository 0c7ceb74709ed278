/**
 * Pairs rows with columns so that the sum of the costs is least (Hungarian method with potentials, O(n³)).
 * A cost of `Infinity` forbids a pair; rows or columns may stay alone.
 * @param costs one array per row, all of one length
 * @param aloneCost what a row costs that stays alone: a good pair is not given up for two that together cost more than
 *   the good one and this. Absent: as many pairs as possible.
 * @returns the column of each row, -1 where it stays alone
 * @see J. Munkres, Algorithms for the Assignment and Transportation Problems, 1957
 */
export function assign(costs: readonly (readonly number[])[], aloneCost?: number): readonly number[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (rows === 0 || columns === 0) return costs.map(() => -1);
  // Staying alone is a pair with a column of one's own; by default it costs more than all honest pairs together.
  let largest = 0;
  for (const row of costs) for (const cost of row) if (Number.isFinite(cost)) largest = Math.max(largest, cost);
  const forbidden = (Math.max(largest, aloneCost ?? 0) + 1) * 2 * (rows + columns + 1);
  const alone = aloneCost ?? (largest + 1) * (Math.min(rows, columns) + 1);
  const width = columns + rows;
  const cost = (row: number, column: number): number => {
    if (column >= columns) return alone;
    const value = costs[row]?.[column] ?? Infinity;
    return Number.isFinite(value) ? value : forbidden;
  };
  const rowOf = solve(rows, width, cost);
  const found = costs.map(() => -1);
  rowOf.forEach((row, column) => {
    if (row >= 0 && column < columns && Number.isFinite(costs[row]?.[column] ?? Infinity)) found[row] = column;
  });
  return found;
}

/** Row of each column, -1 when free; `rows` ≤ `columns`. Index 0 of the work arrays stands for “none”. */
function solve(rows: number, columns: number, cost: (row: number, column: number) => number): readonly number[] {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const matched = new Int32Array(columns + 1);
  const previous = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row += 1) {
    const slack = new Float64Array(columns + 1).fill(Infinity);
    const visited = new Uint8Array(columns + 1);
    let column = 0;
    matched[0] = row;
    do {
      visited[column] = 1;
      const current = matched[column] as number;
      let delta = Infinity;
      let next = 0;
      for (let to = 1; to <= columns; to += 1) {
        if (visited[to] === 1) continue;
        const reduced = cost(current - 1, to - 1) - (rowPotential[current] as number) - (columnPotential[to] as number);
        if (reduced < (slack[to] as number)) {
          slack[to] = reduced;
          previous[to] = column;
        }
        if ((slack[to] as number) < delta) {
          delta = slack[to] as number;
          next = to;
        }
      }
      for (let to = 0; to <= columns; to += 1)
        if (visited[to] === 1) {
          rowPotential[matched[to] as number] = (rowPotential[matched[to] as number] as number) + delta;
          columnPotential[to] = (columnPotential[to] as number) - delta;
        } else slack[to] = (slack[to] as number) - delta;
      column = next;
    } while (matched[column] !== 0);
    while (column !== 0) {
      const from = previous[column] as number;
      matched[column] = matched[from] as number;
      column = from;
    }
  }
  return Array.from(matched.subarray(1), (row) => row - 1);
}
