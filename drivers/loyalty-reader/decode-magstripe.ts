import { hasPaymentIssuerAt, isPaymentPanAt } from '../lib/payment-card.ts';
import {
  CR,
  END_SENTINEL,
  ESC,
  ETX,
  FAILED_TRACK,
  FORMAT_BANK,
  LF,
  MAX_SWIPE_BYTES,
  SEPARATOR_1,
  SEPARATOR_2,
  START_SENTINELS,
  STX,
  TRACK_MAX,
} from './magstripe-protocol.ts';

type TrackNumber = 1 | 2 | 3;

/** A view into the swipe: nothing is copied, so that wiping the swipe wipes it all. */
interface Track {
  readonly number: TrackNumber;
  /** Between the sentinels; `null` when the reader could not read it. */
  readonly data: Uint8Array | null;
}

interface Swipe {
  readonly tracks: readonly Track[];
  /** What identifies the customer: a view into the swipe. */
  readonly id: Uint8Array;
  /** An insertion reader's card sensor, where it is sent. */
  readonly cardInside: boolean | null;
}

export type SwipeFault =
  'empty' | 'sensor-only' | 'too-long' | 'unframed' | 'bad-character' | 'bad-lrc' | 'unread' | 'no-id' | 'payment-card';

export type SwipeResult =
  { readonly ok: true; readonly swipe: Swipe } | { readonly ok: false; readonly code: SwipeFault };

const ZERO = 0x30;
const NINE = 0x39;
const isDigit = (code: number | undefined): boolean => code !== undefined && code >= ZERO && code <= NINE;

/**
 * Reads one message of an ASCII magnetic stripe reader, framed or not. Pure, never throws, makes no string of what it
 * reads. A payment card is refused before anything else is looked at: by its bank format on track 1, by a number of a
 * card scheme that passes Luhn anywhere in the message, or by the layout number = expiry, service code on track 2.
 */
export function decodeSwipe(bytes: Uint8Array): SwipeResult {
  if (holdsPaymentCard(bytes)) return { ok: false, code: 'payment-card' };
  const message = firstMessage(bytes);
  if (message.length === 0) return { ok: false, code: 'empty' };
  if (message.length > MAX_SWIPE_BYTES) return { ok: false, code: 'too-long' };
  const insertion = message[0] === ESC;
  let end = message.length;
  let cardInside: boolean | null = null;
  if (insertion) {
    const sensor = message[end - 1];
    if (sensor !== 0x30 && sensor !== 0x31) return { ok: false, code: 'unframed' };
    cardInside = sensor === 0x31;
    end -= 1;
    if (end === 1) return { ok: false, code: 'sensor-only' };
  }
  const tracks = readTracks(message.subarray(insertion ? 1 : 0, end));
  if (typeof tracks === 'string') return { ok: false, code: tracks };
  if (tracks.every((track) => track.data === null)) return { ok: false, code: 'unread' };
  const id = findId(tracks);
  return id === null ? { ok: false, code: 'no-id' } : { ok: true, swipe: { tracks, id, cardInside } };
}

function firstMessage(bytes: Uint8Array): Uint8Array {
  const isFrame = (byte: number | undefined): boolean => byte === CR || byte === LF || byte === ETX || byte === STX;
  let start = 0;
  while (start < bytes.length && isFrame(bytes[start])) start += 1;
  let end = start;
  while (end < bytes.length && !isFrame(bytes[end])) end += 1;
  return bytes.subarray(start, end);
}

function readTracks(message: Uint8Array): readonly Track[] | SwipeFault {
  const tracks: Track[] = [];
  let at = 0;
  while (at < message.length) {
    const number = START_SENTINELS.get(message[at] ?? 0);
    if (number === undefined || number <= (tracks.at(-1)?.number ?? 0)) return 'unframed';
    const end = message.indexOf(END_SENTINEL, at);
    if (end === -1) return 'unframed';
    if (end + 1 - at > TRACK_MAX[number]) return 'too-long';
    const fault = trackFault(number, message.subarray(at + 1, end));
    if (fault !== null) return fault;
    const failed = end - at === 2 && message[at + 1] === FAILED_TRACK;
    tracks.push({ number, data: failed ? null : message.subarray(at + 1, end) });
    const next = message[end + 1];
    const hasLrc = next !== undefined && !START_SENTINELS.has(next);
    if (hasLrc && !failed && next !== lrc(number, message.subarray(at, end + 1))) return 'bad-lrc';
    at = end + (hasLrc ? 2 : 1);
  }
  return tracks;
}

/** Track 1 has 64 characters from space on, tracks 2 and 3 sixteen from `0` on (ISO/IEC 7811-2 tables 4 and 5). */
function trackFault(number: TrackNumber, data: Uint8Array): SwipeFault | null {
  if (data.length === 1 && data[0] === FAILED_TRACK) return null;
  const first = number === 1 ? 0x20 : 0x30;
  const last = number === 1 ? 0x5f : 0x3f;
  return data.every((byte) => byte >= first && byte <= last) ? null : 'bad-character';
}

/** The exclusive or of all characters without parity, both sentinels included, as a reader spells it. */
function lrc(number: TrackNumber, characters: Uint8Array): number {
  const base = number === 1 ? 0x20 : 0x30;
  const mask = number === 1 ? 0x3f : 0x0f;
  return characters.reduce((sum, character) => sum ^ ((character - base) & mask), 0) + base;
}

/** Track 2 before track 1 before track 3: digits up to the separator, on track 1 whatever stands before it. */
function findId(tracks: readonly Track[]): Uint8Array | null {
  for (const number of [2, 1, 3] as const) {
    const data = tracks.find((track) => track.number === number)?.data ?? null;
    if (data === null) continue;
    const separator = data.indexOf(number === 1 ? SEPARATOR_1 : SEPARATOR_2);
    const id = separator === -1 ? data : data.subarray(0, separator);
    if (id.length > 0 && (number === 1 || id.every(isDigit))) return id;
  }
  return null;
}

/** Looks at the bare message, whole or not: half a swipe holds a whole number as well. */
export function holdsPaymentCard(message: Uint8Array): boolean {
  let runStart = 0;
  for (let at = 0; at <= message.length; at += 1) {
    if (isDigit(message[at])) continue;
    if (at > runStart && isPaymentRun(message, runStart, at)) return true;
    runStart = at + 1;
  }
  return isBankTrack(message);
}

function isPaymentRun(message: Uint8Array, start: number, end: number): boolean {
  // Track 3 of a bank card has a two-digit format code before the number (ISO/IEC 4909).
  if (isPaymentPanAt(message, start, end) || isPaymentPanAt(message, start + 2, end)) return true;
  // A misread digit breaks Luhn, not the layout: number = YYMM, service code.
  return message[end] === SEPARATOR_2 && hasPaymentIssuerAt(message, start, end) && isExpiry(message, end + 1);
}

function isExpiry(message: Uint8Array, at: number): boolean {
  for (let digit = at; digit < at + 7; digit += 1) if (!isDigit(message[digit])) return false;
  const month = ((message[at + 2] ?? 0) - ZERO) * 10 + (message[at + 3] ?? 0) - ZERO;
  return month >= 1 && month <= 12;
}

function isBankTrack(message: Uint8Array): boolean {
  for (let at = 0; at + 2 < message.length; at += 1)
    if (START_SENTINELS.get(message[at] ?? 0) === 1 && message[at + 1] === FORMAT_BANK && isDigit(message[at + 2]))
      return true;
  return false;
}
