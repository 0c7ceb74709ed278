import { setMaxListeners } from 'node:events';
import type { SerialPort } from 'serialport';
import type { Clock } from '../../../drivers/api/clock.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { ByteLink } from '../../../drivers/api/transports.ts';
import { linkFailure } from '../../../drivers/lib/link-errors.ts';
import { boundedWrite } from './bounded-write.ts';
import { byteQueue } from './byte-queue.ts';
import { settle } from './settle.ts';

/**
 * serialport 13 loses about a quarter of the hang-ups under traffic: read() returns 0, it asks again for ever and
 * burns half a core (upstream bindings-cpp #162). A drain fails on a hung-up port within one call and costs a
 * healthy one nothing, so it is the probe.
 */
const PROBE_MS = 250;

/** A port that takes nothing for this long beyond the time that the bytes need on the line is lost. */
const WRITE_STALL_MS = 5_000;

/** How long a close may take before the port is left to the operating system. */
const CLOSE_MS = 2_000;

/** Start, 8 data, parity, 2 stop. */
const MOST_BITS_PER_BYTE = 12;

export interface SerialDeps {
  readonly clock: Clock;
  readonly log?: Log;
}

export interface SerialLink extends ByteLink {
  /** To be called once the port is open. */
  start(): void;
}

/** The link over one SerialPort object; `port` is opened after this call and never again after it closed. */
export function serialLink(
  port: SerialPort,
  deps: SerialDeps,
  line: { readonly path: string; readonly baudRate: number },
): SerialLink {
  const { clock } = deps;
  const queue = byteQueue(deps.clock);
  const ended = new AbortController();
  // One listener per write that waits: their number is bounded by their bytes.
  setMaxListeners(0, ended.signal);
  let closing: Promise<void> | undefined;

  // Without a listener the port would not flow, and a port that does not flow never notices a hang-up.
  port.on('data', (chunk: Buffer) => {
    queue.push(Uint8Array.from(chunk));
    // A slice of the library's pool, which would keep a swiped card until 64 KiB more have come.
    chunk.fill(0);
  });
  // A hang-up with a write in flight gives one error and two closes; only the first word counts.
  port.on('error', (error) => void end(linkFailure('port-lost', { detail: line.path, cause: error })));
  port.on(
    'close',
    (error?: Error | null) =>
      void end(linkFailure('port-lost', { detail: line.path, ...(error == null ? {} : { cause: error }) })),
  );

  const closePort = async (): Promise<void> => {
    const waited = new AbortController();
    const closed = new Promise<void>((resolve) => {
      if (port.isOpen) port.close(() => resolve());
      else if (port.closing) port.once('close', () => resolve());
      else resolve();
    });
    const late = clock.sleep(CLOSE_MS, waited.signal).catch(() => undefined);
    await Promise.race([closed, late]);
    waited.abort();
    port.removeAllListeners('data');
  };

  const end = (failure: Error | null): Promise<void> => {
    if (closing !== undefined) return closing;
    if (failure !== null) deps.log?.debug('serial-lost', { path: line.path });
    queue.end(failure);
    ended.abort(failure ?? linkFailure('port-lost', { detail: `${line.path} was closed` }));
    closing = closePort();
    return closing;
  };

  const probe = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await clock.sleep(PROBE_MS, ended.signal);
      await settle([ended.signal], (done) => port.drain(done));
    }
  };

  const write = boundedWrite({
    clock,
    ended: ended.signal,
    end,
    send: (bytes, done) => void port.write(Buffer.from(bytes), undefined, done),
    stallMs: (bytes) => WRITE_STALL_MS + Math.ceil((bytes * MOST_BITS_PER_BYTE * 1_000) / line.baudRate),
    full: () =>
      linkFailure('port-failed', { detail: `${line.path} takes bytes too slowly`, hint: 'Check baud and cable' }),
    lost: (because) =>
      'stalled' in because
        ? linkFailure('port-lost', { detail: `${line.path} takes no bytes` })
        : linkFailure('port-lost', { detail: line.path, cause: because.cause }),
  });

  return {
    start: () =>
      void probe().catch((error: unknown) => end(linkFailure('port-lost', { detail: line.path, cause: error }))),
    chunks: (signal) => queue.chunks(signal),
    write,
    get droppedBytes() {
      return queue.droppedBytes;
    },
    get chunkAtMono() {
      return queue.chunkAtMono;
    },
    close: () => end(null),
    [Symbol.asyncDispose]: () => end(null),
  };
}
