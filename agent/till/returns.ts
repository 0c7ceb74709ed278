import type { BasketInput, LineInput } from './till-schema.ts';
import type { BookedLine } from './sums.ts';
import type { Original, Originals } from './originals.ts';
import { tillFailure } from './errors.ts';

type OriginalLine = Original['lines'][number];

/** Which original each line of a return goes back to; `null` where it names none or one that is not remembered. */
export interface ReturnLinks {
  /** The refund of an unpriced line: its share of what the original line cost, rounded down. */
  priceOf(line: LineInput): number | null;
  linkedOf(line: BookedLine): { readonly eventId: string; readonly lineNo: number } | null;
  /** True when each line is linked. */
  allLinked(lines: readonly BookedLine[]): boolean;
  /** Every reference that was named and not found. */
  readonly unknown: readonly string[];
}

/**
 * Finds the originals of a return. Lines name theirs with `originalEventId` and `originalLineNo`; without a line number
 * the line of the same number of the original is meant. Throws `original-voided`, `return-exceeds-sale`.
 */
export function linkReturn(input: BasketInput, memory: Originals): ReturnLinks {
  const header = input.originalEventId ?? input.correctsEventId;
  const unknown = new Set<string>();
  const found = (reference: string | null | undefined): ReturnType<Originals['find']> => {
    if (reference === null || reference === undefined) return undefined;
    const hit = memory.find(reference);
    if (hit === undefined) unknown.add(reference);
    else if (hit.original.voided) throw tillFailure('original-voided', { detail: reference });
    else if (hit.original.kind !== 'sale') throw tillFailure('original-unknown', { detail: `${reference} is no sale` });
    return hit;
  };
  for (const reference of [header, ...input.lines.map((line) => line.originalEventId)]) found(reference);
  const lineOf = (reference: string | null | undefined, lineNo: number): OriginalLine | undefined => {
    const hit = found(reference);
    if (hit === undefined) return undefined;
    const line = hit.original.lines.find(([number]) => number === lineNo);
    if (line === undefined)
      throw tillFailure('return-exceeds-sale', { detail: `${hit.eventId} has no line ${lineNo}` });
    return line;
  };
  return {
    priceOf: (line) => {
      const index = input.lines.indexOf(line);
      const original = lineOf(line.originalEventId ?? header, line.originalLineNo ?? line.lineNo ?? index + 1);
      return original === undefined ? null : Math.floor((original[3] * line.qty) / original[1]);
    },
    linkedOf: (line) => {
      const hit = found(line.originalEventId ?? header);
      if (hit === undefined) return null;
      const lineNo = line.originalLineNo ?? line.lineNo;
      lineOf(hit.eventId, lineNo);
      return { eventId: hit.eventId, lineNo };
    },
    allLinked: (lines) => lines.every((line) => found(line.originalEventId ?? header) !== undefined),
    get unknown() {
      return [...unknown];
    },
  };
}

/** Books the returned quantities on their originals. Throws `return-exceeds-sale`. */
export function giveBack(
  memory: Originals,
  given: readonly (readonly [eventId: string, lineNo: number, qty: number])[],
  sign: 1 | -1,
): void {
  for (const [eventId, lineNo, qty] of given) {
    const hit = memory.find(eventId);
    if (hit === undefined) continue;
    const lines = hit.original.lines.map((line): OriginalLine => {
      if (line[0] !== lineNo) return line;
      const returned = line[2] + sign * qty;
      if (returned > line[1])
        throw tillFailure('return-exceeds-sale', {
          detail: `line ${lineNo} of ${eventId}: ${returned} of ${line[1]}`,
        });
      return [line[0], line[1], Math.max(0, returned), line[3]];
    });
    memory.update(eventId, { ...hit.original, lines });
  }
}
