import type { Log } from '../../drivers/api/driver.ts';
import type { ServiceManager } from '../core/host.ts';

/** Speaks sd_notify(3) when systemd started us (NOTIFY_SOCKET is set); does nothing otherwise. */
export async function serviceManager(env: NodeJS.ProcessEnv, log: Log): Promise<ServiceManager> {
  const address = env['NOTIFY_SOCKET'];
  // Children must not speak for us.
  delete env['NOTIFY_SOCKET'];
  if (address === undefined) return { ready: nothing, pet: nothing, status: nothing, stopping: nothing };
  // Node has no datagram Unix sockets of its own (net.connect gives EPROTOTYPE).
  const { DgramSocket } = await import('node-unix-socket');
  const socket = new DgramSocket();
  socket.on('error', (error: Error) => log.warn('sd-notify-failed', { detail: error.message }));
  const path = address.startsWith('@') ? `\0${address.slice(1)}` : address;
  const send = (text: string): void => {
    const bytes = Buffer.from(text);
    socket.sendTo(bytes, 0, bytes.length, path, (error) => {
      if (error !== undefined && error !== null) log.warn('sd-notify-failed', { detail: error.message });
    });
  };
  return {
    ready: () => send('READY=1'),
    pet: () => send('WATCHDOG=1'),
    status: (text) => send(`STATUS=${text.replaceAll('\n', ' ')}`),
    stopping: () => send('STOPPING=1'),
  };
}

function nothing(): void {
  // No service manager listens.
}
