import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Clock } from '../../drivers/api/clock.ts';
import type { VirtualController } from '../bluetooth/controller.ts';
import { simFailure } from '../cli/errors.ts';
import { hostPackets } from './host-packets.ts';

const DEVICE = '/dev/vhci';
/** First bytes of a packet about the adapter itself (Linux, drivers/bluetooth/hci_vhci.c). */
const VENDOR = 0xff;
const PRIMARY_CONTROLLER = 0x00;
/** The kernel's answer: vendor, opcode, index of the adapter, two bytes. */
const ANSWER_BYTES = 4;
/** How often it is looked whether a controller that was pulled out is back. */
const PLUG_MS = 200;

/** A controller that this machine's kernel has for an adapter of its own. */
export interface KernelAdapter extends AsyncDisposable {
  /** As `radio:` in kit.yaml wants it. */
  readonly radio: { readonly kind: 'hci'; readonly adapter: number };
}

/**
 * Shows `controller` to the kernel as a Bluetooth adapter, `hci0` where there is no other: what a dongle would be, with
 * the kernel's own set-up, raw sockets and rfkill. Powered off it is pulled out, powered on plugged in again.
 * @throws AgentError `no-kernel-adapter` without the module `hci_vhci` or without the right to open it
 */
export async function openKernelAdapter(controller: VirtualController, clock: Clock): Promise<KernelAdapter> {
  const stop = new AbortController();
  let plugged: Plugged = await plugIn(controller);
  const { adapter } = plugged;
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(PLUG_MS, stop.signal);
      if (plugged.out && controller.poweredOn) plugged = await plugIn(controller);
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    radio: { kind: 'hci', adapter },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('pulled out'));
      await watching;
      await plugged.pullOut();
    },
  };
}

interface Plugged {
  readonly adapter: number;
  readonly out: boolean;
  pullOut(): Promise<void>;
}

async function plugIn(controller: VirtualController): Promise<Plugged> {
  const device = openDevice();
  // Reading the device blocks, and would hold a thread for ever; another process can be ended. One packet, one read.
  const reader = spawn('cat', [], { stdio: [device, 'pipe', 'ignore'] }) as ChildProcessByStdio<null, Readable, null>;
  const ended = once(reader, 'close');
  writeSync(device, Uint8Array.of(VENDOR, PRIMARY_CONTROLLER));
  const adapter = await answered(reader.stdout);
  let out = false;
  const pullOut = async (): Promise<void> => {
    if (!out) {
      out = true;
      reader.kill('SIGKILL');
      closeSync(device);
    }
    await ended;
  };
  const session = controller.attach(
    (packet) => {
      if (!out) toKernel(device, packet);
    },
    () => void pullOut(),
  );
  reader.stdout.on(
    'data',
    hostPackets(
      (packet) => session.receive(packet),
      () => void pullOut(),
    ),
  );
  return {
    adapter,
    get out() {
      return out;
    },
    pullOut: async () => {
      session.detach();
      await pullOut();
    },
  };
}

function openDevice(): number {
  try {
    return openSync(DEVICE, 'r+');
  } catch (cause) {
    throw simFailure('no-kernel-adapter', { detail: DEVICE, cause });
  }
}

/** The index that the kernel gave to the adapter. What follows it is left in the stream. */
async function answered(stream: Readable): Promise<number> {
  for (;;) {
    const bytes = stream.read(ANSWER_BYTES) as Buffer | null;
    if (bytes !== null) return bytes.readUInt16LE(2);
    await once(stream, 'readable');
  }
}

function toKernel(device: number, packet: Uint8Array): void {
  try {
    writeSync(device, packet);
  } catch (error) {
    // The adapter is down or going away: no host listens, as with a radio that nobody opened.
    if (!['ENXIO', 'ENODEV', 'EBADFD'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
