import { describe, expect, test } from 'vitest';
import { virtualPn532, type VirtualPn532 } from '../../firmware-sim/devices/loyalty-reader/pn532.ts';
import type { Clock, MonoMs, WallMs } from '../api/clock.ts';
import type { ByteLink } from '../api/transports.ts';
import { pn532Chip, TRIES, type Pn532Chip } from './pn532-chip.ts';
import { COMMAND, WAKE_UP } from './pn532-protocol.ts';

/** Time that passes once everybody else has had their turn: a timeout can only fire where nothing else happens. */
function patientClock(): Clock {
  let now = 0;
  return {
    wallMs: () => 0 as WallMs,
    monoMs: () => now as MonoMs,
    sleep: async (ms, signal) => {
      for (let turn = 0; turn < 200; turn += 1) {
        await Promise.resolve();
        signal.throwIfAborted();
      }
      now += ms;
    },
  };
}

interface Pipe {
  put(bytes: Uint8Array): void;
  end(): void;
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array>;
}

function pipe(): Pipe {
  const waiting: Uint8Array[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  return {
    put: (bytes) => {
      waiting.push(Uint8Array.from(bytes));
      wake?.();
    },
    end: () => {
      ended = true;
      wake?.();
    },
    async *chunks(signal) {
      while (!signal.aborted) {
        const chunk = waiting.shift();
        if (chunk !== undefined) yield chunk;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function bench(): { device: VirtualPn532; chip: Pn532Chip; link: ByteLink; toHost: Pipe; stop: AbortController } {
  const toDevice = pipe();
  const toHost = pipe();
  const stop = new AbortController();
  const device = virtualPn532();
  void device.serve(
    { write: async (bytes) => toHost.put(bytes), chunks: (signal) => toDevice.chunks(signal) },
    stop.signal,
  );
  const link: ByteLink = {
    droppedBytes: 0,
    chunks: (signal) => toHost.chunks(signal),
    write: async (bytes) => toDevice.put(bytes),
    close: async () => toHost.end(),
    [Symbol.asyncDispose]: async () => toHost.end(),
  };
  toDevice.put(WAKE_UP);
  return { device, link, toHost, stop, chip: pn532Chip(link, patientClock(), stop.signal) };
}

const firmware = (chip: Pn532Chip): Promise<Uint8Array> => chip.command(COMMAND.getFirmwareVersion, [], 500);

describe('a command to the chip', () => {
  test('gives the data of its answer', async () => {
    expect(await firmware(bench().chip)).toEqual(Uint8Array.of(0x32, 1, 6, 7));
  });

  test(`is tried ${TRIES} times, whether the acknowledgement or the answer is what is missing`, async () => {
    const { device, chip } = bench();
    device.faults.dropAcks = TRIES - 1;
    expect((await firmware(chip)).length).toBe(4);
    device.faults.corruptAnswers = TRIES - 1;
    expect((await firmware(chip)).length).toBe(4);
    device.faults.dropAcks = TRIES;
    await expect(firmware(chip)).rejects.toMatchObject({ code: 'reader-silent' });
  });

  test('is not answered by noise, by stray frames, or by what came before it', async () => {
    const { device, chip, toHost } = bench();
    toHost.put(Uint8Array.of(0x00, 0x00, 0xff, 0x02, 0xfe, 0xd5, 0x15, 0x16, 0x00));
    device.faults.noise = Uint8Array.of(0x00, 0x00, 0xff, 0x05, 0x01, 0x55, 0x00);
    expect((await firmware(chip)).length).toBe(4);
    toHost.put(new Uint8Array(2_000).fill(0x00));
    expect((await firmware(chip)).length).toBe(4);
  });

  test('ends with the link, and with the signal', async () => {
    const lost = bench();
    lost.device.faults.silent = true;
    lost.toHost.end();
    await expect(firmware(lost.chip)).rejects.toMatchObject({ code: 'port-lost' });
    const stopped = bench();
    stopped.device.faults.silent = true;
    stopped.stop.abort(new Error('enough'));
    await expect(firmware(stopped.chip)).rejects.toThrow('enough');
  });
});
