import type { ByteLink } from '../../../drivers/api/transports.ts';
import { linkFailure } from '../../../drivers/lib/link-errors.ts';
import { untilWoken } from '../../../drivers/lib/until-woken.ts';
import type { DeviceLine } from '../device-line.ts';
import { PulledPlug } from './line.ts';

/** Chunks that one side has not read yet; a line holds no more. */
const PIPE_CHUNKS = 4_096;

interface Pipe {
  put(bytes: Uint8Array): void;
  read(signal: AbortSignal, ended: () => void): AsyncIterable<Uint8Array>;
  wake(): void;
}

/** A serial line in memory, without a process or a PTY: for worlds whose time is simulated. */
export class MemoryPort {
  #cable: { readonly toTill: Pipe; readonly toTerminal: Pipe; pulled: boolean } | null = null;

  /** Plugs the terminal in; its end of the line. */
  plug(): DeviceLine {
    this.pull();
    const cable = { toTill: pipe(), toTerminal: pipe(), pulled: false };
    this.#cable = cable;
    return {
      write: async (bytes) => {
        if (cable.pulled) throw new PulledPlug();
        cable.toTill.put(bytes);
      },
      chunks: (signal) =>
        cable.toTerminal.read(signal, () => {
          if (cable.pulled) throw new PulledPlug();
        }),
    };
  }

  /** Pulls the plug: what is on the line is lost. */
  pull(): void {
    const cable = this.#cable;
    this.#cable = null;
    if (cable === null) return;
    cable.pulled = true;
    cable.toTill.wake();
    cable.toTerminal.wake();
  }

  /** The till opens the port. */
  open(): Promise<ByteLink> {
    const cable = this.#cable;
    if (cable === null) return Promise.reject(linkFailure('port-missing'));
    let closed = false;
    const close = async (): Promise<void> => {
      closed = true;
      cable.toTill.wake();
    };
    return Promise.resolve({
      droppedBytes: 0,
      chunks: (signal: AbortSignal) =>
        cable.toTill.read(signal, () => {
          if (cable.pulled) throw linkFailure('port-lost');
          if (closed) throw linkFailure('port-lost', { detail: 'closed' });
        }),
      write: async (bytes: Uint8Array) => {
        if (cable.pulled || closed) throw linkFailure('port-lost');
        cable.toTerminal.put(bytes);
      },
      close,
      [Symbol.asyncDispose]: close,
    });
  }
}

function pipe(): Pipe {
  const chunks: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  return {
    put(bytes) {
      if (chunks.length < PIPE_CHUNKS) chunks.push(Uint8Array.from(bytes));
      wake?.();
    },
    wake: () => wake?.(),
    async *read(signal, ended) {
      while (!signal.aborted) {
        ended();
        const chunk = chunks.shift();
        if (chunk !== undefined) yield chunk;
        else await untilWoken((resume) => (wake = resume), signal);
      }
    },
  };
}
