import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { openLibc } from '../libc.ts';

/** Linux, include/net/bluetooth/hci_sock.h. */
const AF_BLUETOOTH = 31;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const BTPROTO_HCI = 1;
const HCIDEVUP = 0x400448c9;
const HCIDEVDOWN = 0x400448ca;
const HCIGETDEVINFO = 0x800448d3;
/** `struct hci_dev_info`: the index first, the flags behind name and address; bit 0 says that it is up. */
const DEV_INFO_BYTES = 128;
const DEV_INFO_FLAGS_AT = 16;
const HCI_UP = 1;

/** errno(3). */
const EPERM = 1;
const EACCES = 13;
const ENODEV = 19;
const EALREADY = 114;
const ERFKILL = 132;

/** Linux, include/uapi/linux/rfkill.h: `struct rfkill_event`. */
const RFKILL_EVENT_BYTES = 8;
const RFKILL_TYPE_BLUETOOTH = 2;
const RFKILL_OP_CHANGE = 2;

/** What came of switching an adapter on; `failed` for what the kernel's own set-up of it says. */
export type AdapterPower = 'up' | 'missing' | 'blocked' | 'unauthorized' | 'failed';

interface Kernel {
  /** 0 or an error number. */
  up(adapter: number): number;
  down(adapter: number): number;
  isUp(adapter: number): boolean;
}

/**
 * Switches a Bluetooth adapter on, as `hciconfig hciN up` would, which a bare Debian does not have; a soft block of
 * rfkill is lifted first. Needs CAP_NET_ADMIN, unless it is on already. @see hci(4), rfkill(4)
 */
export function switchOn(adapter: number): AdapterPower {
  unblock(adapter);
  return withKernel((kernel) => {
    const error = kernel.up(adapter);
    if (error === 0 || error === EALREADY || kernel.isUp(adapter)) return 'up';
    if (error === ENODEV) return 'missing';
    if (error === ERFKILL) return 'blocked';
    return error === EPERM || error === EACCES ? 'unauthorized' : 'failed';
  });
}

/** Switches it off. Returns whether it is. */
export function switchOff(adapter: number): boolean {
  return withKernel((kernel) => (kernel.down(adapter) === 0 ? 'up' : 'failed')) === 'up';
}

function withKernel(ask: (kernel: Kernel) => AdapterPower): AdapterPower {
  if (process.platform !== 'linux') return 'failed';
  let libc: Calls;
  try {
    libc = openCalls();
  } catch (error) {
    // No binary of the bridge to libc for this machine: the adapter is taken as it is.
    if (error instanceof Error) return 'failed';
    throw error;
  }
  const socket = libc.socket(AF_BLUETOOTH, SOCK_RAW_CLOEXEC, BTPROTO_HCI);
  // A kernel without Bluetooth has no such sockets.
  if (socket < 0) return [EPERM, EACCES].includes(libc.errno()) ? 'unauthorized' : 'missing';
  const call = (request: number, adapter: number): number =>
    libc.ioctl(socket, request, adapter) === 0 ? 0 : libc.errno();
  try {
    return ask({
      up: (adapter) => call(HCIDEVUP, adapter),
      down: (adapter) => call(HCIDEVDOWN, adapter),
      isUp: (adapter) => {
        const info = Buffer.alloc(DEV_INFO_BYTES);
        info.writeUInt16LE(adapter, 0);
        if (libc.ioctlInto(socket, HCIGETDEVINFO, info) !== 0) return false;
        return (info.readUInt32LE(DEV_INFO_FLAGS_AT) & HCI_UP) === HCI_UP;
      },
    });
  } finally {
    closeSync(socket);
  }
}

interface Calls {
  socket(family: number, type: number, protocol: number): number;
  ioctl(fd: number, request: number, value: number): number;
  ioctlInto(fd: number, request: number, bytes: Uint8Array): number;
  errno(): number;
}

function openCalls(): Calls {
  const libc = openLibc();
  return {
    socket: libc.func('int socket(int family, int type, int protocol)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, unsigned long value)'),
    ioctlInto: libc.func('int ioctl(int fd, unsigned long request, void *bytes)'),
    errno: () => libc.errno(),
  };
}

/** Lifts the soft block of this adapter alone. A hardware switch, or a kernel without rfkill, is left to the ioctl to tell. */
function unblock(adapter: number): void {
  try {
    const device = `/sys/class/bluetooth/hci${adapter}`;
    const name = readdirSync(device).find((entry) => /^rfkill\d+$/.test(entry));
    if (name === undefined || readFileSync(`${device}/${name}/soft`, 'latin1').trim() !== '1') return;
    const event = Buffer.alloc(RFKILL_EVENT_BYTES);
    event.writeUInt32LE(Number(name.slice('rfkill'.length)), 0);
    event.writeUInt8(RFKILL_TYPE_BLUETOOTH, 4);
    event.writeUInt8(RFKILL_OP_CHANGE, 5);
    const rfkill = openSync('/dev/rfkill', 'w');
    try {
      writeSync(rfkill, event);
    } finally {
      closeSync(rfkill);
    }
  } catch (error) {
    // No such adapter, or not permitted: switching on says which.
    if (!(error instanceof Error)) throw error;
  }
}
