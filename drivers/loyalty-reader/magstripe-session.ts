import type { MonoMs } from '../api/clock.ts';
import type { Log } from '../api/driver.ts';
import type { Reading } from '../api/reading.ts';
import { lineSplitter } from '../lib/line-splitter.ts';
import { hear, type Reopening } from '../lib/reopening-link.ts';
import { decodeSwipe } from './decode-magstripe.ts';
import type { Identity } from './identity.ts';
import { CR, END_SENTINEL, ETX, LF, MAX_SWIPE_BYTES, START_SENTINELS, STX } from './magstripe-protocol.ts';

/** A reader sends a swipe in one go; half of one this old lost its end. */
const STALE_MS = 500;

/** A reader that is set to end its swipes without CR has said everything when it is quiet behind an end sentinel. */
const QUIET_MS = 150;

export interface MagstripeOptions {
  readonly port: Reopening;
  readonly identity: Identity;
  readonly log: Log;
  /** Sent after each open: a port-powered reader forgets its set-up when DTR drops (MagTek 99875094, table 3-2). */
  readonly setup: Uint8Array | undefined;
}

/** Swipes of an ASCII reader as readings, whatever happens to its cable. Every buffer that held a swipe is wiped. */
export async function* magstripeReadings(
  options: MagstripeOptions,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const { identity } = options;
  const lines = lineSplitter({ terminators: [STX, ETX, CR, LF], maxBytes: MAX_SWIPE_BYTES, staleMs: STALE_MS });
  for await (const heard of hear({ ...options.port, quietMs: QUIET_MS }, signal)) {
    switch (heard.kind) {
      case 'up':
        lines.reset();
        if (options.setup !== undefined) await sendSetup(heard.link, options.setup, signal);
        yield identity.resting();
        break;
      case 'down':
        yield { kind: 'state', state: 'failed', code: heard.code, detail: heard.detail };
        break;
      case 'bytes': {
        if (heard.gap) lines.gap();
        const swipes = lines.push(heard.bytes, heard.atMono);
        heard.bytes.fill(0);
        for (const line of swipes) yield* readingsOf(line, heard.atMono, options);
        break;
      }
      case 'quiet': {
        const line = lines.takeHalf(endsSwipe);
        if (line !== null) yield* readingsOf(line, heard.atMono, options);
        break;
      }
    }
  }
}

/** An end sentinel last, or before a card sensor or an LRC; a start sentinel there means that another track comes. */
function endsSwipe(half: Uint8Array): boolean {
  const last = half.at(-1) ?? 0;
  return last === END_SENTINEL || (half.at(-2) === END_SENTINEL && !START_SENTINELS.has(last));
}

function* readingsOf(line: Uint8Array, atMono: MonoMs, options: MagstripeOptions): Generator<Reading, void, undefined> {
  const result = decodeSwipe(line);
  if (result.ok) yield* options.identity.present(result.swipe.id, atMono);
  else if (result.code === 'payment-card') yield* options.identity.paymentCard(atMono);
  else if (result.code !== 'sensor-only') options.log.info('swipe-refused', { code: result.code });
  line.fill(0);
}

async function sendSetup(
  link: { write(bytes: Uint8Array, signal: AbortSignal): Promise<void> },
  setup: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    await link.write(setup, signal);
  } catch (error) {
    // A link that is lost already says so to its reader, which comes next.
    if (!(error instanceof Error)) throw error;
  }
}
