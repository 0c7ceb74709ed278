import type { JsonObject } from '../../../drivers/api/reading.ts';
import { formatInstant } from '../decide/instant.ts';
import type { AuditRecord } from './leaf.ts';
import { readRecord } from './replay.ts';

/** The auditor's file of one month: what was used, what it came to, who stepped in, what bound. */
export interface MonthExport {
  readonly month: string;
  readonly decisions: number;
  /** Facts that decisions had before them, with how often each was known. None is about a person. */
  readonly factsUsed: Readonly<Record<string, { readonly offered: number; readonly known: number }>>;
  /** Decided prices by item and experiment cell. */
  readonly pricesByCell: readonly {
    readonly sku: string;
    readonly cell: string | null;
    readonly decisions: number;
    readonly lowestMinor: number;
    readonly highestMinor: number;
    readonly announced: number;
  }[];
  /** Overrides with their reasons, made on the spot or carried by bundles. */
  readonly overrides: readonly JsonObject[];
  /** How often each cap kept a price. */
  readonly capsThatBound: Readonly<Record<string, number>>;
  /** Bundles that came into force or were refused. */
  readonly rules: readonly JsonObject[];
}

/** Sums up the records whose time (UTC) lies in `YYYY-MM`. */
export function exportMonth(records: Iterable<AuditRecord>, month: string): MonthExport {
  let decisions = 0;
  const factsUsed = new Map<string, { offered: number; known: number }>();
  const cells = new Map<
    string,
    {
      sku: string;
      cell: string | null;
      decisions: number;
      lowestMinor: number;
      highestMinor: number;
      announced: number;
    }
  >();
  const bound = new Map<string, number>();
  const overrides: JsonObject[] = [];
  const rules: JsonObject[] = [];
  for (const record of records) {
    if (!formatInstant(record.wallMs).startsWith(month)) continue;
    const at = formatInstant(record.wallMs);
    if (record.type === 'barrow.override.v1')
      overrides.push({ at, sequence: record.sequence, ...objectOf(record.data) });
    if (record.type === 'barrow.rules.activated.v1' || record.type === 'barrow.rules.rejected.v1')
      rules.push({ at, sequence: record.sequence, type: record.type, ...objectOf(record.data) });
    if (record.type !== 'barrow.price.decided.v1') continue;
    const said = readRecord(record.data);
    if (said === null) continue;
    decisions += 1;
    for (const readings of Object.values(said.inputs.facts))
      for (const [fact, reading] of Object.entries(readings)) {
        const use = factsUsed.get(fact) ?? { offered: 0, known: 0 };
        use.offered += 1;
        if (reading.quality === 'ok' && reading.value !== null) use.known += 1;
        factsUsed.set(fact, use);
      }
    const { cell, boundBy, announce } = objectOf(record.data);
    const cellName = typeof cell === 'string' ? cell : null;
    const key = JSON.stringify([said.sku, cellName]);
    const sum = cells.get(key) ?? {
      sku: said.sku,
      cell: cellName,
      decisions: 0,
      lowestMinor: said.priceMinor,
      highestMinor: said.priceMinor,
      announced: 0,
    };
    sum.decisions += 1;
    sum.lowestMinor = Math.min(sum.lowestMinor, said.priceMinor);
    sum.highestMinor = Math.max(sum.highestMinor, said.priceMinor);
    if (announce === true) sum.announced += 1;
    cells.set(key, sum);
    for (const cap of Array.isArray(boundBy) ? boundBy : [])
      if (typeof cap === 'string') bound.set(cap, (bound.get(cap) ?? 0) + 1);
  }
  return {
    month,
    decisions,
    factsUsed: Object.fromEntries([...factsUsed].sort(byKey)),
    pricesByCell: [...cells.values()],
    overrides,
    capsThatBound: Object.fromEntries([...bound].sort(byKey)),
    rules,
  };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function objectOf(text: string): JsonObject {
  // Only called on records that `readRecord` or the ledger's own reader found to be objects.
  return JSON.parse(text) as JsonObject;
}
