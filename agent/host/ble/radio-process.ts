// The radio's own process: noble leaks and hangs, and here it can be ended without touching the agent.
import type { RadioOptions } from '../../../drivers/api/transports.ts';
import { giveSpareMemoryBack } from '../spare-memory.ts';
import { switchOn } from './adapter-power.ts';
import { advertBatches } from './advert-batches.ts';
import { openH4Link, type H4Link } from './h4-link.ts';
import { loadNoble, nativeSocketClass, type LoadedNoble } from './load-noble.ts';
import { failureOf, nobleGatt, type NobleGatt } from './noble-gatt.ts';
import { nobleScanner, type NobleScanner } from './noble-scanner.ts';
import type { FromRadio, ToRadio } from './radio-wire.ts';
import { guardedSocketClass, h4SocketClass, packetGuard, type PacketGuard } from './socket-guard.ts';

const VITALS_MS = 5_000;
/** How long the kernel gets to finish with an adapter that was switched off or pulled out. */
const LET_GO_MS = 1_000;
/** How long a controller may take to tell its features before it is taken for one without extended advertising. */
const PROBE_MS = 500;
const READ_LOCAL_FEATURES = Uint8Array.of(0x01, 0x03, 0x20, 0x00);
const RESET = Uint8Array.of(0x01, 0x03, 0x0c, 0x00);
const STOP_MS = 500;

const send = (message: FromRadio): void => {
  // The agent is gone when this fails; 'disconnect' ends the process.
  if (process.connected) process.send?.(message, () => undefined);
};

giveSpareMemoryBack();

let swallowed = 0;
const swallow = (): void => {
  swallowed += 1;
};

// noble leaves rejected promises behind when a link is lost during a call; none of them is worth the scan.
process.on('unhandledRejection', swallow);
process.on('disconnect', () => process.exit(0));
// The agent stops this process; a signal to the whole group must not overtake its orderly end.
process.on('SIGTERM', () => undefined);

const batches = advertBatches((adverts) => send({ kind: 'adverts', adverts }));
let scanner: NobleScanner | undefined;
let link: H4Link | undefined;
let tellGatt: (gatt: NobleGatt) => void = () => undefined;
/** Calls that come before the library is loaded wait for it; the agent times them out. */
const gatt = new Promise<NobleGatt>((resolve) => {
  tellGatt = resolve;
});
let guard: PacketGuard | undefined;
let onWriteRefused: (code: number) => void = () => undefined;

process.on('message', (message: ToRadio) => {
  switch (message.kind) {
    case 'start':
      start(message.options, message.gattTimeoutMs).catch((error: unknown) => {
        // The adapter may not exist; the agent tries again with a new process.
        send({ kind: 'state', state: isPermission(error) ? 'unauthorized' : 'off' });
        process.exitCode = 1;
        process.disconnect();
      });
      break;
    case 'ack':
      batches.taken();
      break;
    case 'restart-scan':
      void scanner?.restartScan();
      break;
    case 'reset-adapter':
      link?.write(RESET);
      link?.reopen();
      break;
    case 'call':
      void answer(message.id, message.call);
      break;
    case 'stop':
      setTimeout(() => process.exit(0), STOP_MS).unref();
      link?.close();
      process.disconnect();
      break;
  }
});
send({ kind: 'ready' });

async function start(options: RadioOptions, gattTimeoutMs: number): Promise<void> {
  const library = options.library ?? 'abandonware';
  guard = packetGuard({
    onScanEnabled: (status) => scanner?.onScanEnabled(status),
    onSwallowed: swallow,
    onWriteRefused: (code) => onWriteRefused(code),
  });
  if (options.kind === 'hci' && !powered(options.adapter)) {
    // Nothing to listen to: the agent starts another process after a while, and that one looks again.
    process.disconnect();
    return;
  }
  const loaded =
    options.kind === 'hci'
      ? loadNoble(library, guardedSocketClass(nativeSocketClass(library), guard), { deviceId: options.adapter })
      : await overSocket(options, library, guard);
  scanner = nobleScanner(loaded, {
    onAdvert: (advert) => batches.add(advert),
    onState: (state) => {
      send({ kind: 'state', state });
      if (state === 'off' && options.kind === 'hci') letGo(options.adapter);
    },
  });
  const calls = nobleGatt(scanner, gattTimeoutMs, {
    onNotification: (number, characteristic, bytes) =>
      send({ kind: 'notification', link: number, characteristic, bytes }),
    onLinkLost: (number) => send({ kind: 'link-lost', link: number }),
  });
  onWriteRefused = calls.onWriteRefused;
  tellGatt(calls);
  scanner.start();
  // noble ends the process on SIGINT when its own handler is the last one.
  setTimeout(() => process.on('SIGINT', () => undefined), 0);
  setInterval(report, VITALS_MS);
}

/** Switches the kernel's adapter on; says what stands in the way. False when there is none or it is blocked. */
function powered(adapter: number): boolean {
  const power = switchOn(adapter);
  if (power !== 'missing' && power !== 'blocked') return true;
  send({ kind: 'state', state: power });
  return false;
}

/**
 * Ends this process, whose socket keeps a pulled adapter's number taken: plugged in again it would come under another. The
 * next one begins with an adapter that is switched on, which noble takes up at once.
 */
function letGo(adapter: number): void {
  setTimeout(() => {
    powered(adapter);
    if (process.connected) process.disconnect();
  }, LET_GO_MS);
}

/** Waits for the controller before noble is loaded: its first look at the socket finds it up, a second earlier. */
async function overSocket(
  options: Extract<RadioOptions, { kind: 'hci-socket' }>,
  library: 'abandonware' | 'stoprocent',
  packets: PacketGuard,
): Promise<LoadedNoble> {
  let probe: ((packet: Uint8Array) => void) | undefined;
  let up: (() => void) | undefined;
  const firstUp = new Promise<void>((resolve) => {
    up = resolve;
  });
  const opened = openH4Link('path' in options ? { path: options.path } : { host: options.host, port: options.port }, {
    onPacket: (packet) => {
      if (probe === undefined) socket.feed.packet(packet);
      else probe(packet);
    },
    onUp: () => {
      up?.();
      socket.feed.changed();
    },
    onDown: () => {
      send({ kind: 'state', state: 'off' });
      packets.forgetCommands();
      socket.feed.changed();
    },
  });
  link = opened;
  const socket = h4SocketClass(() => opened, packets);
  await firstUp;
  const extended = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), PROBE_MS);
    probe = (packet) => {
      if (packet[0] !== 0x04 || packet[1] !== 0x0e || packet[4] !== 0x03 || packet[5] !== 0x20) return;
      clearTimeout(timer);
      resolve(packet[6] === 0 && ((packet[8] ?? 0) & 0x10) !== 0);
    };
    opened.write(READ_LOCAL_FEATURES);
  });
  probe = undefined;
  return loadNoble(library, socket.socketClass, { extended });
}

async function answer(id: number, call: Extract<ToRadio, { kind: 'call' }>['call']): Promise<void> {
  try {
    const value = await (await gatt).run(call);
    send({ kind: 'result', id, ...(value === undefined ? {} : { value }) });
  } catch (error) {
    send({ kind: 'failure', id, ...failureOf(error) });
  }
}

function report(): void {
  send({
    kind: 'vitals',
    vitals: {
      rssBytes: process.memoryUsage.rss(),
      dropped: batches.dropped,
      swallowed,
      fragmentsDropped: guard?.assembler.dropped ?? 0,
      addressesKnown: scanner?.addressesKnown ?? 0,
      forgets: scanner?.forgets ?? 0,
      forgetful: scanner?.forgetful ?? true,
    },
  });
}

function isPermission(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'EPERM' || code === 'EACCES';
}
