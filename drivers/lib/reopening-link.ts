import { AgentError } from '../api/agent-error.ts';
import type { Clock, MonoMs } from '../api/clock.ts';
import type { DriverIo } from '../api/driver.ts';
import type { ByteLink, SerialOptions } from '../api/transports.ts';

/** First and longest pause between two tries; the longest bounds how late a device that is back is found. */
export const FIRST_PAUSE_MS = 50;
export const LONGEST_PAUSE_MS = 500;

/** A link that lived this long was a good one: the next pause starts small again. Only one that dies at once backs off. */
export const GOOD_LINK_MS = 250;

/** How long one try waits at the port itself, where the file system wakes it the moment the device is back. */
const WAIT_AT_PORT_MS = 1_000;

export interface Reopening {
  /** Makes a fresh connection; throws AgentError. */
  readonly open: (signal: AbortSignal) => Promise<ByteLink>;
  readonly clock: Clock;
}

/** `up`: the link to use until it ends. `down`: why there is none now, said once per reason. */
export type LinkChange =
  | { readonly kind: 'up'; readonly link: ByteLink }
  | { readonly kind: 'down'; readonly code: string; readonly detail: string };

/** A {@link Reopening} that knows the link it made last. */
export interface HeldReopening extends Reopening {
  /** Closes that link, if it is open: for a session's dispose, which must not leave the device to a reader that went away. */
  close(): Promise<void>;
}

/** Keeps the newest link at hand so that it can be closed from outside the reading loop. */
export function holdLinks(options: Reopening): HeldReopening {
  let held: ByteLink | undefined;
  return {
    clock: options.clock,
    open: async (signal) => {
      held = await options.open(signal);
      return held;
    },
    close: async () => held?.close(),
  };
}

/** Opens a serial port again and again for {@link linkChanges}. */
export function reopenSerial(io: Pick<DriverIo, 'serial' | 'clock'>, options: SerialOptions): HeldReopening {
  // The first answer comes at once: a port that is missing at the start must not look like one that is being opened.
  let waitMs = 0;
  return holdLinks({
    clock: io.clock,
    open: (signal) => {
      const attempt = io.serial({ waitMs, ...options }, signal);
      waitMs = WAIT_AT_PORT_MS;
      return attempt;
    },
  });
}

/**
 * One connection after the other, for as long as the signal allows. The consumer uses an `up` link until it ends, then
 * asks for the next change; the old link is closed before the next one is opened, so no device ever has two. A link
 * that is simply closed by its consumer is opened again too.
 *
 * A lost device is back within 1.5 s of its return, at once where the host wakes the opener.
 * Bugs (anything but an AgentError) are thrown.
 */
export async function* linkChanges(
  options: Reopening,
  signal: AbortSignal,
): AsyncGenerator<LinkChange, void, undefined> {
  const { clock } = options;
  let pauseMs = FIRST_PAUSE_MS;
  let said: string | undefined;
  while (!signal.aborted) {
    const link = await tryOpen(options.open, signal);
    if (link === 'stopped') return;
    if (link instanceof AgentError) {
      if (said !== link.code) yield { kind: 'down', code: link.code, detail: link.message };
      said = link.code;
    } else {
      const upMono = clock.monoMs();
      said = undefined;
      try {
        yield { kind: 'up', link };
      } finally {
        await link.close();
      }
      if (clock.monoMs() - upMono >= GOOD_LINK_MS) pauseMs = FIRST_PAUSE_MS;
    }
    if (!(await paused(clock, pauseMs, signal))) return;
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

async function tryOpen(open: Reopening['open'], signal: AbortSignal): Promise<ByteLink | AgentError | 'stopped'> {
  try {
    const link = await open(signal);
    if (!signal.aborted) return link;
    await link.close();
    return 'stopped';
  } catch (error) {
    if (signal.aborted) return 'stopped';
    if (error instanceof AgentError) return error;
    throw error;
  }
}

/** False when the signal fired meanwhile. */
async function paused(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/**
 * What a reader that only listens sees of its device. `gap`: bytes were dropped between the chunk before and this one.
 * `quiet`: nothing came for the time that was asked for; said once after bytes.
 */
export type HeardSignal =
  | { readonly kind: 'up'; readonly link: ByteLink }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly gap: boolean; readonly atMono: MonoMs }
  | { readonly kind: 'quiet'; readonly atMono: MonoMs }
  | { readonly kind: 'down'; readonly code: string; readonly detail: string };

export interface Hearing extends Reopening {
  /** Say `quiet` when nothing came for this long after bytes. Absent: never. */
  readonly quietMs?: number;
}

/** The bytes of a device that may go and come back: {@link linkChanges} and each link's chunks in one sequence. */
export async function* hear(options: Hearing, signal: AbortSignal): AsyncGenerator<HeardSignal, void, undefined> {
  for await (const change of linkChanges(options, signal)) {
    yield change;
    if (change.kind === 'down') continue;
    try {
      yield* hearLink(change.link, options, signal);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      yield { kind: 'down', code: error.code, detail: error.message };
    }
  }
}

async function* hearLink(
  link: ByteLink,
  options: Hearing,
  signal: AbortSignal,
): AsyncGenerator<HeardSignal, void, undefined> {
  const { clock, quietMs } = options;
  let dropped = link.droppedBytes;
  const chunks = link.chunks(signal)[Symbol.asyncIterator]();
  let next = chunks.next();
  let listening = false;
  for (;;) {
    const got = listening && quietMs !== undefined ? await within(next, quietMs, clock) : await next;
    if (got === null) {
      listening = false;
      yield { kind: 'quiet', atMono: clock.monoMs() };
      continue;
    }
    if (got.done === true) return;
    const gap = link.droppedBytes !== dropped;
    dropped = link.droppedBytes;
    // A reader that waits for a disk must not take its own delay for the device's.
    const atMono = (link.chunkAtMono ?? clock.monoMs()) as MonoMs;
    yield { kind: 'bytes', bytes: got.value, gap, atMono };
    listening = true;
    // Only now: the link's counters belong to the chunk that it handed out last.
    next = chunks.next();
  }
}

/** What the promise gives, or `null` when it takes longer; the promise goes on and can be waited for again. */
async function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, clock.sleep(ms, timer.signal).then(() => null)]);
  } finally {
    timer.abort();
  }
}
