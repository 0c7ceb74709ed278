import { EventEmitter } from 'node:events';
import type { H4Link } from './h4-link.ts';
import { reportAssembler, type ReportAssembler } from './extended-reports.ts';

const COMMAND = 0x01;
const ACL = 0x02;
const EVENT = 0x04;
const ATT_CHANNEL = 0x04;
const ATT_ERROR = 0x01;
const ATT_WRITES: ReadonlySet<number> = new Set([0x12, 0x16, 0x18]);
const COMMAND_COMPLETE = 0x0e;
const COMMAND_STATUS = 0x0f;
const COMMAND_DISALLOWED = 0x0c;
const LE_SET_SCAN_PARAMETERS = 0x200b;
const LE_SET_SCAN_ENABLE = 0x200c;
const LE_SET_EXTENDED_SCAN_PARAMETERS = 0x2041;
const LE_SET_EXTENDED_SCAN_ENABLE = 0x2042;
const SCAN_COMMANDS: ReadonlySet<number> = new Set([
  LE_SET_SCAN_PARAMETERS,
  LE_SET_SCAN_ENABLE,
  LE_SET_EXTENDED_SCAN_PARAMETERS,
  LE_SET_EXTENDED_SCAN_ENABLE,
]);

/** Scan-enable commands under way; a controller answers in order. */
const COMMANDS_UNDER_WAY = 16;

/** What the guard sees on the way between noble and the controller. */
export interface SocketWatch {
  /** The controller answered a scan-enable: noble itself cannot tell a refusal from success. */
  onScanEnabled(status: number): void;
  /** A peripheral answered a write with an error: noble never settles the promise then. */
  onWriteRefused(attError: number): void;
  /** noble threw while it read a packet; the packet is lost, the process is not. */
  onSwallowed(error: unknown): void;
}

/** Passes packets to noble: fragments joined, exceptions contained, scan-enable answers watched. */
export interface PacketGuard {
  /** `packet` is a copy of the guard's own. */
  incoming(packet: Uint8Array, deliver: (packet: Buffer) => void): void;
  outgoing(packet: Uint8Array): void;
  /** The controller went away: what it did not answer is not answered any more. */
  forgetCommands(): void;
  readonly assembler: ReportAssembler;
}

export function packetGuard(watch: SocketWatch): PacketGuard {
  const assembler = reportAssembler();
  const scanCommands: boolean[] = [];
  return {
    assembler,
    outgoing: (packet) => {
      if (packet[0] !== COMMAND || !isScanEnable(packet, 1)) return;
      scanCommands.push(packet[4] === 1);
      if (scanCommands.length > COMMANDS_UNDER_WAY) scanCommands.shift();
    },
    forgetCommands: () => {
      scanCommands.length = 0;
    },
    incoming: (received, deliver) => {
      const packet = refusedScanCommand(received) ?? received;
      if (packet[0] === EVENT && packet[1] === COMMAND_COMPLETE && isScanEnable(packet, 4)) {
        const enabling = scanCommands.shift();
        if (enabling === true) watch.onScanEnabled(packet[6] ?? 0);
        // Some controllers refuse to stop what does not run (BCM43455). It does not run, which was asked:
        // @stoprocent would otherwise wait for the end of that scan for ever and never start another.
        else if (packet[6] === COMMAND_DISALLOWED) packet[6] = 0;
      }
      const refusal = writeRefusal(packet);
      if (refusal !== undefined) watch.onWriteRefused(refusal);
      for (const whole of assembler.take(packet)) {
        try {
          deliver(Buffer.from(whole));
        } catch (error) {
          watch.onSwallowed(error);
        }
      }
    },
  };
}

/**
 * Some controllers refuse with Command Status what others refuse with Command Complete (Core 5.4, Vol 4, Part E, §4.4 allows
 * both). Neither noble looks for it there: each would wait for the answer for ever.
 */
function refusedScanCommand(packet: Uint8Array): Uint8Array | undefined {
  const [type, event, , status = 0, credits = 1, low = 0, high = 0] = packet;
  if (type !== EVENT || event !== COMMAND_STATUS || status === 0 || packet.length < 7) return undefined;
  if (!SCAN_COMMANDS.has(low | (high << 8))) return undefined;
  return Uint8Array.of(EVENT, COMMAND_COMPLETE, 4, credits, low, high, status);
}

/** The error code of an ATT Error Response to a write: one ACL packet, channel 4 (Core 5.4, Vol 3, Part F, §3.4.1.1). */
function writeRefusal(packet: Uint8Array): number | undefined {
  const isAttError = packet[0] === ACL && packet[7] === ATT_CHANNEL && packet[8] === 0 && packet[9] === ATT_ERROR;
  return isAttError && ATT_WRITES.has(packet[10] ?? 0) ? packet[13] : undefined;
}

const isScanEnable = (packet: Uint8Array, offset: number): boolean => {
  const opcode = (packet[offset] ?? 0) | ((packet[offset + 1] ?? 0) << 8);
  return opcode === LE_SET_SCAN_ENABLE || opcode === LE_SET_EXTENDED_SCAN_ENABLE;
};

/** What both nobles ask of an HCI socket. */
export interface HciSocket {
  bindRaw(device?: number): number;
  bindUser(device?: number): number;
  bindControl(): void;
  start(): void;
  stop(): void;
  isDevUp(): boolean;
  setFilter(filter: Buffer): void;
  write(packet: Buffer): void;
  reset(): void;
  cleanup(): void;
}

export type HciSocketClass = new () => EventEmitter & HciSocket;

/** The class that takes the place of the native socket, speaking H4 through `link`. */
export interface H4SocketClass {
  readonly socketClass: HciSocketClass;
  /** The link's packets and state, for whichever instance noble made last. */
  readonly feed: { packet(packet: Uint8Array): void; changed(): void };
}

export function h4SocketClass(link: () => H4Link, guard: PacketGuard): H4SocketClass {
  let current: EventEmitter | undefined;
  class H4Socket extends EventEmitter implements HciSocket {
    constructor() {
      super();
      // oxlint-disable-next-line typescript/no-this-alias -- the link feeds the instance that noble made last
      current = this;
    }
    bindRaw(): number {
      return 0;
    }
    bindUser(): number {
      return 0;
    }
    bindControl(): void {}
    start(): void {}
    stop(): void {}
    setFilter(): void {}
    reset(): void {}
    cleanup(): void {}
    isDevUp(): boolean {
      return !link().takeLoss() && link().connected;
    }
    write(packet: Buffer): void {
      guard.outgoing(packet);
      link().write(packet);
    }
  }
  return {
    socketClass: H4Socket,
    feed: {
      packet: (packet) => guard.incoming(packet, (whole) => current?.emit('data', whole)),
      changed: () => current?.emit('state'),
    },
  };
}

/** The native socket with the guard in front of its events. */
export function guardedSocketClass(base: HciSocketClass, guard: PacketGuard): HciSocketClass {
  return class GuardedSocket extends base {
    override emit(event: string | symbol, ...values: unknown[]): boolean {
      const [packet] = values;
      if (event !== 'data' || !(packet instanceof Uint8Array)) return super.emit(event, ...values);
      // Each packet in a turn of its own: both nobles lose a promise when a request and the end of its link share one.
      const copy = Uint8Array.from(packet);
      setImmediate(() => guard.incoming(copy, (whole) => super.emit('data', whole)));
      return true;
    }
    override write(packet: Buffer): void {
      guard.outgoing(packet);
      super.write(packet);
    }
  };
}
