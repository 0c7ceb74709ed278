import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';

/** How far the wall clock is to be believed: synchronised · carried over or floored · never set since boot. */
export type ClockTrust = 'synced' | 'estimated' | 'unset';

/** An event before the ledger gave it its identity. */
export interface PendingEvent {
  readonly type: string;
  readonly stream: Stream;
  readonly subject: string;
  readonly data: JsonObject;
  readonly atMono: MonoMs;
}

/** An event as the ledger holds it. `sequence` counts from 1 per stream, gapless within the epoch. */
export interface StoredEvent extends PendingEvent {
  readonly epoch: string;
  readonly sequence: number;
  readonly bootId: string;
  readonly wallMs: WallMs;
  readonly clockTrust: ClockTrust;
  /** `data` as JSON, byte for byte as it lies in the ledger; where it was read for delivery. */
  readonly dataText?: string;
}

/** A CloudEvents 1.0 event in JSON, as published; extensions as in the public surface §3. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly epoch: string;
  readonly stream: Stream;
  readonly sequence: string;
  readonly bootid: string;
  /** Whole milliseconds: CloudEvents knows no fractions. */
  readonly monoms: number;
  readonly clocktrust: ClockTrust;
  readonly node?: string;
  readonly data: JsonObject;
}

/** `<epoch>/<stream>/<sequence>`: with `source` the key by which a consumer drops duplicates. */
export function eventId(event: Pick<StoredEvent, 'epoch' | 'stream' | 'sequence'>): string {
  return `${event.epoch}/${event.stream}/${event.sequence}`;
}

/** Puts a stored event into its public envelope. */
export function toCloudEvent(
  event: StoredEvent,
  kit: { readonly id: string; readonly node?: string | undefined },
): CloudEvent {
  return {
    specversion: '1.0',
    id: eventId(event),
    source: `/kits/${kit.id}`,
    type: event.type,
    subject: event.subject,
    time: new Date(event.wallMs).toISOString(),
    datacontenttype: 'application/json',
    epoch: event.epoch,
    stream: event.stream,
    sequence: String(event.sequence),
    bootid: event.bootId,
    monoms: Math.floor(event.atMono),
    clocktrust: event.clockTrust,
    ...(kit.node === undefined ? {} : { node: kit.node }),
    data: event.data,
  };
}
