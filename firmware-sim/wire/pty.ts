import { constants, closeSync, openSync, write } from 'node:fs';
import { ReadStream } from 'node:tty';
import { setTimeout as wait } from 'node:timers/promises';
import koffi from 'koffi';
import { untilWoken } from '../../drivers/lib/until-woken.ts';

/** Room for any libc's `struct termios` (60 bytes on Linux). */
const TERMIOS_BYTES = 256;
const PATH_BYTES = 128;
const TCSANOW = 0;

/** Start bit, 8 data bits, stop bits. */
const BITS_8N1 = 10;

/** The kernel's PTY buffer takes 4 KiB at a time. */
const WRITE_CHUNK_BYTES = 4_096;

/** How often a full line is tried again, and how finely a paced one is cut. */
const TICK_MS = 2;

/** A device keeps this much of what the host wrote; beyond it the oldest is dropped. */
const RECEIVE_CHUNKS = 4_096;

interface Libc {
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname_r(fd: number, into: Buffer, length: number): number;
  tcgetattr(fd: number, into: Buffer): number;
  cfmakeraw(termios: Buffer): void;
  tcsetattr(fd: number, when: number, termios: Buffer): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const library = koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6');
  loaded = {
    grantpt: library.func('int grantpt(int fd)'),
    unlockpt: library.func('int unlockpt(int fd)'),
    ptsname_r: library.func('int ptsname_r(int fd, void *into, size_t length)'),
    tcgetattr: library.func('int tcgetattr(int fd, void *into)'),
    cfmakeraw: library.func('void cfmakeraw(void *termios)'),
    tcsetattr: library.func('int tcsetattr(int fd, int when, void *termios)'),
  };
  return loaded;
}

function succeed(result: number, call: string): void {
  if (result !== 0) throw new Error(`${call} failed on a pseudo terminal`);
}

export interface PtyOptions {
  /** Paces what the device sends, as a PTY itself knows no speed. Absent: as fast as the host takes it. */
  readonly baudRate?: number;
  /** Bits on the line for one byte: 10 for 8N1 (default), 11 for 8N2. */
  readonly bitsPerByte?: number;
}

/**
 * The device's end of a virtual serial line. The host opens `path`. Disposing it is pulling the plug: the host's side
 * hangs up, and bytes that it had not read are lost, as on a real one.
 */
export interface Pty extends AsyncDisposable {
  readonly path: string;
  readonly open: boolean;
  /** Sends to the host, at the line's speed; resolves when the last byte is in the host's kernel. Rejects after the plug is pulled. */
  write(bytes: Uint8Array): Promise<void>;
  /** What the host wrote. One reader. Ends with the plug or the signal. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Makes a virtual serial line in raw mode: cooked, it would echo what a device says before the host has opened it.
 * Both ends carry close-on-exec (Node's own `open` sets it): a child that inherited the device's end would keep the
 * line up, and the host would never see the plug pulled.
 */
export function openPty(options: PtyOptions = {}): Pty {
  const c = libc();
  const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const name = Buffer.alloc(PATH_BYTES);
  succeed(c.grantpt(master), 'grantpt');
  succeed(c.unlockpt(master), 'unlockpt');
  succeed(c.ptsname_r(master, name, name.length), 'ptsname_r');
  const path = name.toString('latin1', 0, name.indexOf(0));
  // Held open for the line's life: with no opener at all the device's end would report a hang-up in an endless loop.
  const slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  const termios = Buffer.alloc(TERMIOS_BYTES);
  succeed(c.tcgetattr(slave, termios), 'tcgetattr');
  c.cfmakeraw(termios);
  succeed(c.tcsetattr(slave, TCSANOW, termios), 'tcsetattr');
  return ptyOver(path, master, slave, options);
}

function ptyOver(path: string, master: number, slave: number, options: PtyOptions): Pty {
  const received: Uint8Array[] = [];
  let open = true;
  let wake: (() => void) | undefined;
  let tail: Promise<void> = Promise.resolve();
  // Waits in epoll, not in a thread of the pool: a dozen idle devices cost nothing.
  const reader = new ReadStream(master);
  reader.on('data', (chunk: Buffer) => {
    received.push(Uint8Array.from(chunk));
    if (received.length > RECEIVE_CHUNKS) received.shift();
    wake?.();
  });
  reader.on('error', () => void close());
  const closed = new Promise<void>((resolve) => void reader.once('close', () => resolve()));

  const close = async (): Promise<void> => {
    if (open) {
      open = false;
      wake?.();
      // The stream owns the descriptor; a write that is still in the pool must be done with it before it is closed.
      await tail;
      reader.destroy();
      await closed;
      closeSync(slave);
    }
    await closed;
  };

  const send = async (bytes: Uint8Array): Promise<void> => {
    const bytesPerMs =
      options.baudRate === undefined ? null : options.baudRate / (options.bitsPerByte ?? BITS_8N1) / 1_000;
    const startMs = performance.now();
    let sent = 0;
    while (sent < bytes.length) {
      if (!open) throw new Error('the virtual line is unplugged');
      const due =
        bytesPerMs === null
          ? bytes.length
          : Math.min(bytes.length, Math.floor((performance.now() - startMs) * bytesPerMs));
      const part = bytes.subarray(sent, Math.min(due, sent + WRITE_CHUNK_BYTES));
      const wrote = part.length === 0 ? 0 : await writeSome(master, part);
      sent += wrote;
      if (wrote === 0) await wait(TICK_MS);
    }
  };

  return {
    path,
    get open() {
      return open;
    },
    write(bytes) {
      const sending = tail.then(() => send(bytes));
      tail = sending.catch(() => undefined);
      return sending;
    },
    async *chunks(signal) {
      while (!signal.aborted) {
        const chunk = received.shift();
        if (chunk !== undefined) yield chunk;
        else if (!open) return;
        else await untilWoken((resume) => (wake = resume), signal);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Bytes that the line took; 0 when it is full. */
function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, wrote) => {
      if (error === null) resolve(wrote);
      else if (error.code === 'EAGAIN') resolve(0);
      else reject(error);
    });
  });
}
