import { createHash } from 'node:crypto';
import type { Cell, Experiment } from '../bundle/bundle.ts';

/**
 * The bucket, 0 … 9,999, of one unit: the first four bytes of SHA-256(salt ‖ 0x00 ‖ unit), big endian, mod 10000.
 * The zero byte keeps ("ab", "c") and ("a", "bc") apart. @see experiment-vectors.json for conformance vectors
 */
export function bucketOf(salt: string, unit: string): number {
  const digest = createHash('sha256').update(salt, 'utf8').update(Buffer.of(0)).update(unit, 'utf8').digest();
  return digest.readUInt32BE(0) % 10_000;
}

/** A kit, a category and a local day see one price: never one shopper another. */
export function unitOf(kitId: string, category: string, date: string): string {
  return `${kitId}/${category}/${date}`;
}

/** The cell that a unit falls into: cells take [0,w1), [w1,w1+w2) … in order. */
export function cellOf(experiment: Experiment, unit: string): Cell {
  const bucket = bucketOf(experiment.salt, unit);
  let upTo = 0;
  for (const cell of experiment.cells) {
    upTo += cell.weightBp;
    if (bucket < upTo) return cell;
  }
  throw new RangeError(`the cells of ${experiment.id} do not cover bucket ${bucket}`);
}

export interface Assignment {
  /** The cell's name; several experiments' cells joined by `+` in the bundle's order; null without experiments. */
  readonly cell: string | null;
  readonly addRungs: number;
}

export function assign(experiments: readonly Experiment[], unit: string): Assignment {
  const cells = experiments.map((experiment) => cellOf(experiment, unit));
  return {
    cell: cells.length === 0 ? null : cells.map((cell) => cell.name).join('+'),
    addRungs: cells.reduce((sum, cell) => sum + (cell.addRungs ?? 0), 0),
  };
}
