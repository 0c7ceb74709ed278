import type { Log } from '../../drivers/api/driver.ts';
import type { ServiceManager } from '../core/host.ts';

/** socket(2): AF_UNIX, SOCK_DGRAM with close-on-exec; `sun_path` has 108 bytes. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_BYTES = 108;

/** Sends one datagram; returns the number of bytes that left, or -1. */
export type SendDatagram = (bytes: Uint8Array) => number;

/** Speaks sd_notify(3) when systemd started us (NOTIFY_SOCKET is set); does nothing otherwise. */
export async function serviceManager(env: NodeJS.ProcessEnv, log: Log): Promise<ServiceManager> {
  const address = env['NOTIFY_SOCKET'];
  // Children must not speak for us.
  delete env['NOTIFY_SOCKET'];
  if (address === undefined) return { ready: nothing, pet: nothing, status: nothing, stopping: nothing };
  const sendDatagram = await datagramSocket(address);
  const send = (text: string): void => {
    if (sendDatagram(new TextEncoder().encode(text)) < 0)
      log.warn('sd-notify-failed', { message: text.split('=')[0] ?? '' });
  };
  return {
    ready: () => send('READY=1'),
    pet: () => send('WATCHDOG=1'),
    status: (text) => send(`STATUS=${text.replaceAll('\n', ' ')}`),
    stopping: () => send('STOPPING=1'),
  };
}

/**
 * A datagram socket to a Unix address, which Node itself has not (net.connect gives EPROTOTYPE). Through the C library,
 * because the native add-ons made for it either want systemd's headers to build or ship no binary for arm64.
 * `@` begins an abstract address, as in systemd's own convention.
 */
export async function datagramSocket(address: string): Promise<SendDatagram> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load('libc.so.6');
  const socket = libc.func('int socket(int domain, int type, int protocol)') as (
    domain: number,
    type: number,
    protocol: number,
  ) => number;
  const sendto = libc.func(
    'long sendto(int fd, const void *bytes, size_t length, int flags, const void *to, unsigned int toLength)',
  ) as (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    toLength: number,
  ) => number | bigint;
  const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  const to = socketAddress(address);
  return (bytes) => (fd < 0 ? -1 : Number(sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, to, to.length)));
}

/** `struct sockaddr_un`: the family, then the path with its final NUL; an abstract name starts with NUL and has no end mark. */
function socketAddress(address: string): Uint8Array {
  const abstract = address.startsWith('@');
  const path = Buffer.from(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  const bytes = Buffer.alloc(2 + Math.min(path.length, SUN_PATH_BYTES));
  bytes.writeUInt16LE(AF_UNIX, 0);
  path.copy(bytes, 2);
  return bytes;
}

function nothing(): void {
  // No service manager listens.
}
