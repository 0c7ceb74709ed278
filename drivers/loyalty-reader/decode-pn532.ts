import { EXTENDED_MAX, SAK_ISO_DEP, TFI_CHIP, TFI_ERROR, TFI_HOST } from './pn532-protocol.ts';

export type Pn532Frame =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack' }
  | { readonly kind: 'command'; readonly code: number; readonly data: Uint8Array }
  | { readonly kind: 'response'; readonly code: number; readonly data: Uint8Array };

export type Pn532Fault =
  | 'no-frame'
  | 'truncated'
  | 'bad-length'
  | 'bad-checksum'
  | 'bad-postamble'
  | 'unknown-direction'
  | 'bad-response-code'
  | 'application-error';

export type Pn532Result =
  | { readonly ok: true; readonly frame: Pn532Frame; readonly end: number }
  | {
      readonly ok: false;
      readonly code: Pn532Fault;
      /** Where to look for the next frame: never back, and past what is certainly none. */
      readonly end: number;
    };

/** The first frame in the bytes, noise before it skipped. Pure, never throws, never reads past the end. */
export function decodePn532(bytes: Uint8Array): Pn532Result {
  for (let at = 0; at + 1 < bytes.length; at += 1)
    if (bytes[at] === 0x00 && bytes[at + 1] === 0xff) return frameAt(bytes, at);
  // A last 00 may be the first half of a start code.
  return { ok: false, code: 'no-frame', end: bytes.at(-1) === 0x00 ? bytes.length - 1 : bytes.length };
}

function frameAt(bytes: Uint8Array, start: number): Pn532Result {
  const at = start + 2;
  const truncated: Pn532Result = { ok: false, code: 'truncated', end: start };
  const refused = (code: Pn532Fault): Pn532Result => ({ ok: false, code, end: start + 2 });
  const length = bytes[at];
  const check = bytes[at + 1];
  if (length === undefined || check === undefined) return truncated;
  if (length === 0x00 && check === 0xff) return short('ack', bytes, at + 2, truncated, refused);
  if (length === 0xff && check === 0x00) return short('nack', bytes, at + 2, truncated, refused);
  if (length === 0xff && check === 0xff) {
    const high = bytes[at + 2];
    const low = bytes[at + 3];
    const sum = bytes[at + 4];
    if (high === undefined || low === undefined || sum === undefined) return truncated;
    if (((high + low + sum) & 0xff) !== 0) return refused('bad-length');
    return dataFrame(bytes, at + 5, high * 256 + low, truncated, refused);
  }
  if (((length + check) & 0xff) !== 0) return refused('bad-length');
  return dataFrame(bytes, at + 2, length, truncated, refused);
}

function short(
  kind: 'ack' | 'nack',
  bytes: Uint8Array,
  at: number,
  truncated: Pn532Result,
  refused: (code: Pn532Fault) => Pn532Result,
): Pn532Result {
  if (bytes[at] === undefined) return truncated;
  return bytes[at] === 0x00 ? { ok: true, frame: { kind }, end: at + 1 } : refused('bad-postamble');
}

function dataFrame(
  bytes: Uint8Array,
  at: number,
  length: number,
  truncated: Pn532Result,
  refused: (code: Pn532Fault) => Pn532Result,
): Pn532Result {
  if (length === 0 || length > EXTENDED_MAX) return refused('bad-length');
  const end = at + length + 2;
  if (bytes.length < end) return truncated;
  let sum = 0;
  for (let index = at; index < end - 1; index += 1) sum += bytes[index] ?? 0;
  if ((sum & 0xff) !== 0) return refused('bad-checksum');
  if (bytes[end - 1] !== 0x00) return refused('bad-postamble');
  const direction = bytes[at];
  const code = bytes[at + 1];
  if (direction === TFI_ERROR) return { ok: false, code: 'application-error', end };
  if (direction !== TFI_HOST && direction !== TFI_CHIP) return { ok: false, code: 'unknown-direction', end };
  if (length < 2 || code === undefined) return { ok: false, code: 'bad-length', end };
  // Commands are even, and each answer is its command's code plus one (UM0701-02, chapter 7).
  const response = direction === TFI_CHIP;
  if (response === (code % 2 === 0)) return { ok: false, code: 'bad-response-code', end };
  const data = bytes.subarray(at + 2, end - 2);
  return { ok: true, frame: { kind: response ? 'response' : 'command', code, data }, end };
}

/** A card of ISO/IEC 14443 type A in the field. */
export interface Target {
  readonly number: number;
  /** SENS_RES as the manual prints it, high byte first. */
  readonly atqa: number;
  readonly sak: number;
  readonly uid: Uint8Array;
}

/** The targets of an InListPassiveTarget answer (106 kbps type A); `null` when it is malformed. */
export function decodeTargets(data: Uint8Array): readonly Target[] | null {
  const count = data[0];
  if (count === undefined || count > 2) return null;
  const targets: Target[] = [];
  let at = 1;
  for (let index = 0; index < count; index += 1) {
    const header = data.subarray(at, at + 5);
    const [number = 0, high = 0, low = 0, sak = 0, length = 0] = header;
    if (header.length < 5 || ![4, 7, 10].includes(length)) return null;
    const uid = data.subarray(at + 5, at + 5 + length);
    if (uid.length < length) return null;
    at += 5 + length;
    if ((sak & SAK_ISO_DEP) !== 0 && at < data.length) {
      // The ATS counts its own length byte; a card may be listed without one.
      const atsLength = data[at] ?? 0;
      if (atsLength === 0 || at + atsLength > data.length) return null;
      at += atsLength;
    }
    targets.push({ number, atqa: high * 256 + low, sak, uid });
  }
  return at === data.length ? targets : null;
}
