import type { Stream } from '../../drivers/api/reading.ts';
import { eventId, type StoredEvent } from '../core/event.ts';
import type { KitTopics } from './topics.ts';

/** Largest payload of one batch (public surface of the batch topic), unless the broker takes less. */
export const BATCH_BYTES_MAX: number = 64 * 1024;

/** Fixed header, topic length, packet identifier and properties around topic and payload (MQTT 5 §3.3). */
const PACKET_OVERHEAD_BYTES = 64;

/** One message with the rows it carries. */
export interface Outgoing {
  readonly stream: Stream;
  readonly epoch: string;
  readonly topic: string;
  readonly payload: string;
  readonly contentType: string;
  readonly packetBytes: number;
  /** Ascending. */
  readonly sequences: readonly number[];
}

export interface Kit {
  readonly id: string;
  readonly node?: string | undefined;
}

/** One row as one message on `event/<stream>`. */
export function single(row: StoredEvent, kit: Kit, topics: KitTopics): Outgoing {
  const payload = eventText(row, kit);
  const topic = topics.event(row.stream);
  return {
    stream: row.stream,
    epoch: row.epoch,
    topic,
    payload,
    contentType: 'application/cloudevents+json',
    packetBytes: packetBytes(topic, payload),
    sequences: [row.sequence],
  };
}

/**
 * As many of the first rows as fit into one message on `batch/<stream>`: a JSON array, ascending, one stream and one
 * epoch. `null` when not even the first fits.
 */
export function batch(
  rows: readonly StoredEvent[],
  kit: Kit,
  topics: KitTopics,
  packetBytesMax: number,
): Outgoing | null {
  const [head] = rows;
  if (head === undefined) return null;
  const topic = topics.batch(head.stream);
  const room = Math.min(BATCH_BYTES_MAX, packetBytesMax - PACKET_OVERHEAD_BYTES - topic.length);
  const texts: string[] = [];
  const sequences: number[] = [];
  let bytes = 2;
  for (const row of rows) {
    if (row.stream !== head.stream || row.epoch !== head.epoch) break;
    const text = eventText(row, kit);
    const cost = utf8Bytes(text) + 1;
    if (bytes + cost > room) break;
    bytes += cost;
    texts.push(text);
    sequences.push(row.sequence);
  }
  if (texts.length === 0) return null;
  const payload = `[${texts.join(',')}]`;
  return {
    stream: head.stream,
    epoch: head.epoch,
    topic,
    payload,
    contentType: 'application/cloudevents-batch+json',
    packetBytes: bytes + topic.length + PACKET_OVERHEAD_BYTES,
    sequences,
  };
}

/**
 * The JSON of `toCloudEvent`, byte for byte, put together from texts: an object of 15 members a row and its
 * serialisation cost more than all else that is made of a row. What people or devices can name is quoted properly; the
 * rest (identifiers of our own, times, numbers) has nothing in it to escape.
 */
export function eventText(row: StoredEvent, kit: Kit): string {
  const node = kit.node === undefined ? '' : `"node":${quoted(kit.node)},`;
  return (
    `{"specversion":"1.0","id":"${eventId(row)}","source":${quoted(`/kits/${kit.id}`)},` +
    `"type":${quoted(row.type)},"subject":${quoted(row.subject)},"time":"${timeText(row.wallMs)}",` +
    `"datacontenttype":"application/json","epoch":"${row.epoch}","stream":"${row.stream}",` +
    `"sequence":"${row.sequence}","bootid":${quoted(row.bootId)},"monoms":${Math.floor(row.atMono)},` +
    `"clocktrust":"${row.clockTrust}",${node}"data":${row.dataText ?? JSON.stringify(row.data)}}`
  );
}

/** Names that are kept quoted: a kit has a few dozen types and devices. */
const QUOTED_MAX = 256;
const quotes = new Map<string, string>();

function quoted(name: string): string {
  const known = quotes.get(name);
  if (known !== undefined) return known;
  if (quotes.size >= QUOTED_MAX) quotes.clear();
  const text = JSON.stringify(name);
  quotes.set(name, text);
  return text;
}

/** Rows of one burst share their millisecond, and a date object a row is the dearest part of its envelope. */
let lastTime = { wallMs: 0, text: new Date(0).toISOString() };

function timeText(wallMs: number): string {
  if (lastTime.wallMs !== wallMs) lastTime = { wallMs, text: new Date(wallMs).toISOString() };
  return lastTime.text;
}

function packetBytes(topic: string, payload: string): number {
  return utf8Bytes(topic) + utf8Bytes(payload) + PACKET_OVERHEAD_BYTES;
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}
