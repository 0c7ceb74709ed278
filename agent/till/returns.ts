import type { Catalogue } from './catalogue.ts';
import { tillFailure } from './errors.ts';
import { toGtin14 } from './gtin.ts';
import type { Original, Originals } from './originals.ts';
import type { BasketInput, LineInput } from './till-schema.ts';

type OriginalLine = Original['lines'][number];

export interface LinkedReturn {
  /** The return with everything filled in that its originals tell: SKU, original line and, without a price, the refund. */
  readonly input: BasketInput;
  /** Every reference that was named and not found. */
  readonly unknown: readonly string[];
}

/**
 * Finds the originals of a return. Lines name theirs with `originalEventId` (or the head does) and `originalLineNo`;
 * without a line number the original's line of the same article is meant. An unpriced line is worth its share of what
 * the original cost, rounded down. Throws `original-voided`, `original-unknown`, `return-exceeds-sale`.
 */
export function linkReturn(input: BasketInput, memory: Originals, catalogue: Catalogue): LinkedReturn {
  const header = input.originalEventId ?? input.correctsEventId;
  const unknown = new Set<string>();
  const lines = input.lines.map((line): LineInput => {
    const reference = line.originalEventId ?? header;
    if (reference === undefined) return line;
    const hit = memory.find(reference);
    if (hit === undefined) {
      unknown.add(reference);
      return line;
    }
    if (hit.original.voided) throw tillFailure('original-voided', { detail: reference });
    if (hit.original.kind !== 'sale') throw tillFailure('original-unknown', { detail: `${reference} is no sale` });
    const sold = soldLine(line, hit.original, catalogue);
    if (sold === undefined) throw tillFailure('return-exceeds-sale', { detail: `no such line in ${hit.eventId}` });
    const [lineNo, qty, , netMinor, article] = sold;
    const priced = line.netMinor !== undefined || line.unitMinor !== undefined || line.listUnitMinor !== undefined;
    return {
      ...line,
      originalEventId: hit.eventId,
      originalLineNo: lineNo,
      ...(line.sku === undefined && line.gtin === undefined && line.gtin14 === undefined ? named(article) : {}),
      ...(priced ? {} : { netMinor: Math.floor((netMinor * line.qty) / qty) }),
    };
  });
  return { input: { ...input, lines }, unknown: [...unknown] };
}

/** The line of the sale that is meant; one whose article differs from the return's is none. */
function soldLine(line: LineInput, original: Original, catalogue: Catalogue): OriginalLine | undefined {
  const gtin14 = toGtin14(line.gtin14 ?? line.gtin ?? '');
  const article = line.sku ?? (gtin14 === null ? undefined : (catalogue.byGtin14(gtin14)?.sku ?? gtin14));
  const fitting = original.lines.filter(([, , , , sold]) => article === undefined || sold === article);
  if (line.originalLineNo !== undefined) return fitting.find(([lineNo]) => lineNo === line.originalLineNo);
  if (article === undefined) return fitting.find(([lineNo]) => lineNo === line.lineNo);
  return fitting.find(([, qty, returned]) => qty - returned >= line.qty) ?? fitting[0];
}

function named(article: string): Pick<LineInput, 'sku' | 'gtin14'> {
  return /^\d{14}$/.test(article) ? { gtin14: article } : { sku: article };
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
      return [line[0], line[1], Math.max(0, returned), line[3], line[4]];
    });
    memory.update(eventId, { ...hit.original, lines });
  }
}
