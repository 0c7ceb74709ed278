import type { Clock } from '../../../drivers/api/clock.ts';
import { crc16Kermit } from '../../../drivers/lib/crc.ts';
import type { DeviceLine } from '../device-line.ts';
import type { TerminalFaults } from './customer.ts';

/** APDUs over one plug, as the terminal handles them. */
export interface TerminalLine {
  /** True when the till has it. */
  send(apdu: Uint8Array): Promise<boolean>;
  /** The next APDU; `null` after `ms`. Rejects when the plug is pulled. */
  next(ms: number): Promise<Uint8Array | null>;
  run(): Promise<void>;
}

export interface LineParts {
  readonly plug: DeviceLine;
  readonly clock: Clock;
  readonly faults: TerminalFaults;
  readonly framing: 'serial' | 'tcp';
  readonly signal: AbortSignal;
  /** Shortened by tests; 5,000 as the specification has it. */
  readonly answerMs: number;
  /** A good block has come and is not acknowledged yet: a plug pulled now leaves the two sides with different truths. */
  readonly heard: (apdu: Uint8Array) => void;
}

const SENDS = 3;

/** The till is no longer there: whatever went on ends. */
export class PulledPlug extends Error {
  override readonly name = 'PulledPlug';
}

/** The terminal's end of the wire, written from the specification alone. */
export function terminalLine(parts: LineParts): TerminalLine {
  const { plug, clock, faults, signal } = parts;
  const serial = parts.framing === 'serial';
  const received: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  let acknowledged: ((byte: number) => void) | undefined;
  let pulled = false;

  const accept = async (apdu: Uint8Array): Promise<void> => {
    if (serial && faults.nak > 0) {
      faults.nak -= 1;
      return plug.write(Uint8Array.of(0x15));
    }
    received.push(apdu);
    parts.heard(apdu);
    wake?.();
    if (serial) await plug.write(Uint8Array.of(0x06));
  };

  const frame = (apdu: Uint8Array): Uint8Array => {
    if (!serial) return apdu;
    let crc = crc16Kermit(Uint8Array.of(...apdu, 0x03));
    if (faults.wrongCrc > 0) {
      faults.wrongCrc -= 1;
      crc ^= 0x0101;
    }
    const stuffed = [...apdu].flatMap((byte) => (byte === 0x10 ? [0x10, 0x10] : [byte]));
    return Uint8Array.of(0x10, 0x02, ...stuffed, 0x10, 0x03, crc & 0xff, crc >> 8);
  };

  const waitFor = async (ms: number, arm: (done: () => void) => void): Promise<void> => {
    const timer = new AbortController();
    const cancel = (): void => timer.abort();
    signal.addEventListener('abort', cancel, { once: true });
    const slept = clock.sleep(ms, timer.signal).catch((error: unknown) => {
      if (!timer.signal.aborted) throw error;
    });
    await Promise.race([new Promise<void>(arm), slept]);
    timer.abort();
    signal.removeEventListener('abort', cancel);
  };

  const ended = (): boolean => pulled || signal.aborted;

  return {
    async send(apdu) {
      for (let sends = 0; sends < SENDS; sends += 1) {
        if (ended()) throw new PulledPlug();
        let answer: number | undefined;
        const answered = waitFor(parts.answerMs, (done) => {
          acknowledged = (byte) => {
            answer = byte;
            done();
          };
        });
        await plug.write(frame(apdu));
        if (!serial) {
          acknowledged?.(0x06);
          await answered;
          return true;
        }
        await answered;
        acknowledged = undefined;
        if (answer === 0x06) return true;
      }
      return false;
    },
    async next(ms) {
      if (received.length === 0 && !ended()) await waitFor(ms, (done) => (wake = done));
      wake = undefined;
      // What was acknowledged on the line has been received, also when the plug is pulled right after it.
      const apdu = received.shift();
      if (apdu === undefined && ended()) throw new PulledPlug();
      return apdu ?? null;
    },
    async run() {
      const scan = serial ? serialScanner() : tcpScanner();
      try {
        for await (const chunk of plug.chunks(signal))
          for (const item of scan(chunk)) {
            if (typeof item === 'number') acknowledged?.(item);
            else if (item === 'bad') await plug.write(Uint8Array.of(0x15));
            else await accept(item);
          }
      } finally {
        pulled = true;
        wake?.();
        acknowledged?.(0);
      }
    },
  };
}

type Scanned = number | 'bad' | Uint8Array;

/** Finds blocks by looking at all that has come and is not used up yet. */
function serialScanner(): (chunk: Uint8Array) => readonly Scanned[] {
  let held: number[] = [];
  return (chunk) => {
    held.push(...chunk);
    const found: Scanned[] = [];
    while (held.length > 0) {
      if (held[0] !== 0x10) {
        const byte = held.shift() ?? 0;
        if (byte === 0x06 || byte === 0x15) found.push(byte);
        continue;
      }
      if (held.length < 2) break;
      if (held[1] !== 0x02) {
        held.shift();
        continue;
      }
      const end = blockEnd(held);
      if (end === null) break;
      const block = held.slice(2, end);
      const [low, high] = [held[end + 2] ?? 0, held[end + 3] ?? 0];
      held = held.slice(end + 4);
      const apdu = unstuffed(block);
      const good = crc16Kermit(Uint8Array.of(...apdu, 0x03)) === low + high * 256;
      found.push(good ? Uint8Array.from(apdu) : 'bad');
    }
    return found;
  };
}

/** Index of the DLE that ends the block, when its ETX and both CRC bytes are there too. */
function blockEnd(bytes: readonly number[]): number | null {
  for (let at = 2; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== 0x10) continue;
    if (bytes[at + 1] === 0x03) return at + 3 < bytes.length ? at : null;
    at += 1;
  }
  return null;
}

function unstuffed(bytes: readonly number[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    out.push(bytes[at] ?? 0);
    if (bytes[at] === 0x10) at += 1;
  }
  return out;
}

function tcpScanner(): (chunk: Uint8Array) => readonly Scanned[] {
  let held: number[] = [];
  return (chunk) => {
    held.push(...chunk);
    const found: Scanned[] = [];
    for (;;) {
      const head = held[2] === 0xff ? 5 : 3;
      if (held.length < head) return found;
      const total = head + (held[2] === 0xff ? (held[3] ?? 0) + (held[4] ?? 0) * 256 : (held[2] ?? 0));
      if (held.length < total) return found;
      found.push(Uint8Array.from(held.slice(0, total)));
      held = held.slice(total);
    }
  };
}
