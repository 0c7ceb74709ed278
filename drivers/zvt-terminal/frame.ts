import { crc16Kermit } from '../lib/crc.ts';
import { ACK, DLE, ETX, MAX_APDU_BYTES, NAK, STX } from './protocol.ts';

/** What the serial line said. A `bad` block is answered with NAK. */
export type Token =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak' }
  | { readonly kind: 'block'; readonly apdu: Uint8Array }
  | { readonly kind: 'bad'; readonly why: 'crc' | 'stray-dle' | 'too-long' };

export interface FrameReader {
  /** Takes bytes as they come and returns what they completed. */
  push(bytes: Uint8Array): readonly Token[];
  /** A block, or the rest of a lost one, is on the line: the gap timer T1 is running. */
  readonly midBlock: boolean;
  /**
   * The line was silent for longer than T1: true when a block was cut by it. What still comes of that block before the
   * next silence is skipped, for a 06 or 15 in it would be taken for an answer.
   */
  gap(): boolean;
  /** Bytes outside every block that were neither ACK nor NAK. */
  readonly noiseBytes: number;
}

/** `skip` is the rest of a block that is lost: its bytes are no ACK and no NAK, whatever they look like. */
type State = 'idle' | 'dle' | 'body' | 'body-dle' | 'crc-low' | 'crc-high' | 'skip' | 'skip-dle';

/** Puts an APDU on the serial line (T 3.1): the CRC runs over the unstuffed APDU and ETX, and is never stuffed itself. */
export function encodeFrame(apdu: Uint8Array): Uint8Array {
  const out: number[] = [DLE, STX];
  for (const byte of apdu) {
    out.push(byte);
    if (byte === DLE) out.push(DLE);
  }
  const crc = frameCrc(apdu);
  out.push(DLE, ETX, crc & 0xff, crc >> 8);
  return Uint8Array.from(out);
}

function frameCrc(apdu: Uint8Array): number {
  const covered = new Uint8Array(apdu.length + 1);
  covered.set(apdu);
  covered[apdu.length] = ETX;
  return crc16Kermit(covered);
}

/** A decoder of the serial line that finds back after any garbage; at most one block is held. */
export function createFrameReader(): FrameReader {
  let state: State = 'idle';
  let noiseBytes = 0;
  let crcLow = 0;
  let length = 0;
  let buffer = new Uint8Array(256);

  const keep = (byte: number): void => {
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length * 4, MAX_APDU_BYTES));
      larger.set(buffer);
      buffer = larger;
    }
    buffer[length] = byte;
    length += 1;
  };

  const literal = (byte: number): Token | undefined => {
    if (length >= MAX_APDU_BYTES) {
      state = 'skip';
      return { kind: 'bad', why: 'too-long' };
    }
    keep(byte);
    state = 'body';
    return undefined;
  };

  const begin = (): undefined => {
    length = 0;
    state = 'body';
    return undefined;
  };

  const idle = (byte: number): Token | undefined => {
    state = byte === DLE ? 'dle' : 'idle';
    if (byte === ACK) return { kind: 'ack' };
    if (byte === NAK) return { kind: 'nak' };
    if (byte !== DLE) noiseBytes += 1;
    return undefined;
  };

  const afterDle = (byte: number): Token | undefined => {
    if (byte === STX) return begin();
    noiseBytes += 1;
    return idle(byte);
  };

  const insideAfterDle = (byte: number): Token | undefined => {
    if (byte === DLE) return literal(DLE);
    // A block that begins inside another one is the sender's repeat: the first one is lost.
    if (byte === STX) return begin();
    state = byte === ETX ? 'crc-low' : 'skip';
    return byte === ETX ? undefined : { kind: 'bad', why: 'stray-dle' };
  };

  const ended = (crcHigh: number): Token => {
    state = 'idle';
    const apdu = buffer.slice(0, length);
    return frameCrc(apdu) === (crcHigh << 8) + crcLow ? { kind: 'block', apdu } : { kind: 'bad', why: 'crc' };
  };

  const step = (byte: number): Token | undefined => {
    switch (state) {
      case 'idle':
        return idle(byte);
      case 'dle':
        return afterDle(byte);
      case 'body':
        if (byte !== DLE) return literal(byte);
        state = 'body-dle';
        return undefined;
      case 'body-dle':
        return insideAfterDle(byte);
      case 'crc-low':
        crcLow = byte;
        state = 'crc-high';
        return undefined;
      case 'crc-high':
        return ended(byte);
      case 'skip':
        noiseBytes += 1;
        if (byte === DLE) state = 'skip-dle';
        return undefined;
      case 'skip-dle':
        if (byte === STX) return begin();
        noiseBytes += 1;
        // DLE DLE inside the lost block is one literal 10, and no begin.
        state = 'skip';
        return undefined;
    }
  };

  return {
    push(bytes) {
      const tokens: Token[] = [];
      for (const byte of bytes) {
        const token = step(byte);
        if (token !== undefined) tokens.push(token);
      }
      return tokens;
    },
    get midBlock() {
      return state !== 'idle';
    },
    gap() {
      const cut = state !== 'idle' && state !== 'dle' && state !== 'skip' && state !== 'skip-dle';
      state = cut ? 'skip' : 'idle';
      return cut;
    },
    get noiseBytes() {
      return noiseBytes;
    },
  };
}
