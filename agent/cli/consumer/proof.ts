import type { Stream } from '../../../drivers/api/reading.ts';
import { RangeSet } from '../../ledger/range-set.ts';
import type { Consumed, ConsumedEvent, ConsumedManifest } from './read-event.ts';

/** Separate holes that are listed; all of them are counted. */
const HOLES_LISTED = 20;

export interface MissingRange {
  readonly stream: Stream;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
}

/** What a consumer knows of one stream in one epoch. */
export interface StreamProof {
  readonly stream: Stream;
  readonly epoch: string;
  /** The range that had to arrive; 0 and 0 when the kit gave out nothing. */
  readonly first: number;
  readonly last: number;
  readonly received: number;
  /** Sequences that are missing and were not declared lost. */
  readonly gaps: number;
  readonly missing: readonly { readonly from: number; readonly to: number }[];
  readonly duplicates: number;
  /** Sequences that the kit declared lost. */
  readonly losses: number;
  /** The kit's manifest speaks of this epoch, so that the end is known. */
  readonly manifest: boolean;
}

export interface Proof {
  readonly ok: boolean;
  /** Why it is not ok: `nothing-heard`, `gaps`, `no-manifest`, `malformed`; `null` when it is. */
  readonly reason: 'nothing-heard' | 'gaps' | 'no-manifest' | 'malformed' | null;
  readonly online: boolean | null;
  readonly malformed: number;
  readonly streams: readonly StreamProof[];
}

interface Known {
  readonly stream: Stream;
  readonly epoch: string;
  readonly seen: RangeSet;
  readonly lost: RangeSet;
  received: number;
  duplicates: number;
  lowest: number;
  highest: number;
  manifest: ConsumedManifest | null;
}

/** Collects what one kit published and tells whether it is complete. Memory grows with holes, not with events. */
export class Collector {
  readonly #kit: string;
  readonly #known = new Map<string, Known>();
  #malformed = 0;
  #online: boolean | null = null;
  #heard = false;

  constructor(kit: string) {
    this.#kit = kit;
  }

  take(consumed: Consumed): void {
    switch (consumed.kind) {
      case 'events':
        this.#malformed += consumed.malformed;
        for (const event of consumed.events) if (event.kit === this.#kit) this.#event(event);
        return;
      case 'manifest':
        if (consumed.kit === this.#kit) this.#manifest(consumed.manifest);
        return;
      case 'state':
        if (consumed.kit === this.#kit) this.#online = consumed.online;
        return;
      case 'other':
        return;
    }
  }

  proof(): Proof {
    const streams = [...this.#known.values()].map((known) => streamProof(known));
    return {
      ok: this.#reason(streams) === null,
      reason: this.#reason(streams),
      online: this.#online,
      malformed: this.#malformed,
      streams,
    };
  }

  /** What could be asked for again: holes of streams whose manifest is known. */
  missing(): readonly MissingRange[] {
    return [...this.#known.values()].flatMap((known) =>
      known.manifest === null
        ? []
        : holes(known).map(([from, to]) => ({ stream: known.stream, epoch: known.epoch, from, to })),
    );
  }

  #reason(streams: readonly StreamProof[]): Proof['reason'] {
    if (!this.#heard) return 'nothing-heard';
    if (this.#malformed > 0) return 'malformed';
    if (streams.some((stream) => stream.gaps > 0)) return 'gaps';
    const proved = new Set(streams.filter((stream) => stream.manifest).map((stream) => stream.stream));
    return streams.every((stream) => proved.has(stream.stream)) ? null : 'no-manifest';
  }

  #event(event: ConsumedEvent): void {
    this.#heard = true;
    const known = this.#of(event.stream, event.epoch);
    const { sequence } = event;
    if (known.seen.has(sequence)) known.duplicates += 1;
    else {
      known.seen.add(sequence, sequence);
      known.received += 1;
    }
    known.lowest = Math.min(known.lowest, sequence);
    known.highest = Math.max(known.highest, sequence);
    const { from, to } = event.data;
    if (event.type === 'barrow.loss.v1' && typeof from === 'number' && typeof to === 'number') known.lost.add(from, to);
  }

  #manifest(manifest: ConsumedManifest): void {
    this.#heard = true;
    const known = this.#of(manifest.stream, manifest.epoch);
    known.manifest = manifest;
    for (const loss of manifest.losses) known.lost.add(loss.from, loss.to);
  }

  #of(stream: Stream, epoch: string): Known {
    const key = `${epoch}/${stream}`;
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const fresh: Known = {
      stream,
      epoch,
      seen: new RangeSet(),
      lost: new RangeSet(),
      received: 0,
      duplicates: 0,
      lowest: Number.POSITIVE_INFINITY,
      highest: 0,
      manifest: null,
    };
    this.#known.set(key, fresh);
    return fresh;
  }
}

/** From the first that was seen or can still be had, to the last that was seen or given out. */
function bounds(known: Known): { readonly first: number; readonly last: number } {
  const last = Math.max(known.highest, known.manifest?.last ?? 0);
  const first = Math.min(known.lowest, known.manifest?.first ?? Number.POSITIVE_INFINITY);
  return { first: Math.min(first, last), last };
}

function holes(known: Known): readonly (readonly [number, number])[] {
  const { first, last } = bounds(known);
  if (last === 0) return [];
  return [...known.seen.gaps(Math.max(1, first), last)].flatMap(([from, to]) => [...known.lost.gaps(from, to)]);
}

function streamProof(known: Known): StreamProof {
  const { first, last } = bounds(known);
  const open = holes(known);
  return {
    stream: known.stream,
    epoch: known.epoch,
    first,
    last,
    received: known.received,
    gaps: count(open),
    missing: open.slice(0, HOLES_LISTED).map(([from, to]) => ({ from, to })),
    duplicates: known.duplicates,
    losses: count(known.lost.ranges),
    manifest: known.manifest !== null,
  };
}

function count(ranges: readonly (readonly [number, number])[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}
