import { connect, type Socket } from 'node:net';
import { h4Splitter } from './h4-framing.ts';

export type H4Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** First wait before a lost link is opened again; doubles up to {@link RECONNECT_MAX_MS}. */
export const RECONNECT_MS = 300;
export const RECONNECT_MAX_MS = 5_000;
/** Bytes that may wait for a controller that does not read; then the link is opened anew. */
export const WRITE_BACKLOG_BYTES = 1_048_576;

/** Packets that wait for their turn; beyond it the controller is not read from, and its own end holds back. */
export const WAITING_PACKETS = 1_024;

/** A controller behind a Unix socket or TCP that is opened again whenever it is lost. */
export interface H4Link {
  readonly connected: boolean;
  /** True once after each loss, so that a loss between two polls of the host stack is not overlooked. */
  takeLoss(): boolean;
  /** Opened links so far. */
  readonly opened: number;
  readonly framingFaults: number;
  /** Packets read and not handed on yet: at most {@link WAITING_PACKETS} and what one read of the socket holds. */
  readonly waiting: number;
  /** Bytes are dropped while the link is down: a command for another session must not reach the next. */
  write(bytes: Uint8Array): void;
  /** Ends this connection; the next is made at once. */
  reopen(): void;
  close(): void;
}

export interface H4Handlers {
  onPacket(packet: Uint8Array): void;
  onUp(): void;
  onDown(): void;
}

/** Begins to connect and keeps at it until closed. Packets come one per turn of the event loop. */
export function openH4Link(address: H4Address, handlers: H4Handlers): H4Link {
  let socket: Socket | undefined;
  let connected = false;
  let lost = false;
  let closed = false;
  let opened = 0;
  let framingFaults = 0;
  let waitMs = RECONNECT_MS;
  let timer: NodeJS.Timeout | undefined;
  let queue: Uint8Array[] = [];
  /** Packets before it have been handed on. */
  let head = 0;
  let draining = false;
  /** The socket is not read from until the queue is half empty. */
  let held = false;

  // One packet a turn: both nobles lose a promise when a request and the end of its link share one.
  const drain = (): void => {
    const packet = queue[head];
    if (packet === undefined) {
      queue = [];
      head = 0;
      draining = false;
      return;
    }
    head += 1;
    // Shifting an array of a thousand at every packet would cost more than the packet.
    if (head > WAITING_PACKETS) {
      queue = queue.slice(head);
      head = 0;
    }
    if (held && queue.length - head < WAITING_PACKETS / 2) {
      held = false;
      socket?.resume();
    }
    handlers.onPacket(packet);
    setImmediate(drain);
  };

  const open = (): void => {
    if (closed) return;
    const split = h4Splitter();
    const current = 'path' in address ? connect(address.path) : connect(address.port, address.host);
    socket = current;
    held = false;
    current.setNoDelay(true);
    current.on('connect', () => {
      connected = true;
      opened += 1;
      waitMs = RECONNECT_MS;
      handlers.onUp();
    });
    current.on('data', (chunk: Uint8Array) => {
      const { ok, packets } = split(chunk);
      for (const packet of packets) queue.push(packet);
      if (queue.length - head > WAITING_PACKETS) {
        held = true;
        current.pause();
      }
      if (!draining && queue.length > 0) {
        draining = true;
        drain();
      }
      if (ok) return;
      framingFaults += 1;
      current.destroy();
    });
    // 'close' follows every error and does what is to be done.
    current.on('error', () => current.destroy());
    current.on('close', () => {
      if (connected) {
        connected = false;
        lost = true;
        handlers.onDown();
      }
      if (closed) return;
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, RECONNECT_MAX_MS);
    });
  };

  open();
  return {
    get connected() {
      return connected;
    },
    get opened() {
      return opened;
    },
    get framingFaults() {
      return framingFaults;
    },
    get waiting() {
      return queue.length - head;
    },
    takeLoss: () => {
      const was = lost;
      lost = false;
      return was;
    },
    write: (bytes) => {
      if (socket === undefined || !connected) return;
      if (socket.writableLength > WRITE_BACKLOG_BYTES) socket.destroy();
      else socket.write(bytes);
    },
    reopen: () => {
      waitMs = RECONNECT_MS;
      socket?.destroy();
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}
