import { networkInterfaces } from 'node:os';
import type { Log } from '../../drivers/api/driver.ts';
import { mdnsHost } from '../config/listen.ts';

export interface AnnounceOptions {
  /** The kit's id; it becomes `<id>.local`. */
  readonly kit: string;
  /** Port of the local API. */
  readonly port: number;
  readonly version: string;
}

/** What the socket is bound to; only tests change it. */
export interface MdnsWire {
  readonly interface?: string;
  readonly port?: number;
  readonly bind?: string;
}

/**
 * Announces the status page by multicast DNS (RFC 6762) as `http://<kit>.local`, and as an `_http._tcp` service.
 * A network without multicast is no fault of the kit: it is logged and everything else goes on.
 */
export async function announcePage(options: AnnounceOptions, log: Log, wire: MdnsWire = {}): Promise<AsyncDisposable> {
  const { default: Bonjour } = await import('bonjour-service');
  const bonjour = new Bonjour(wire, (error: Error) => log.warn('mdns-failed', { detail: error.message }));
  const host = mdnsHost(options.kit);
  const service = bonjour.publish({
    name: options.kit,
    type: 'http',
    port: options.port,
    host,
    txt: { path: '/', version: options.version },
    // Probing for the name takes 750 ms of the start; two kits of one id are the fleet's fault, and each answers for itself.
    probe: false,
  });
  service.on('error', (error: Error) => log.warn('mdns-failed', { detail: error.message }));
  log.info('mdns-announced', { host, port: options.port, interfaces: Object.keys(networkInterfaces()).length });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        // A goodbye (TTL 0), so that phones forget the name at once.
        bonjour.unpublishAll(() => bonjour.destroy(() => resolve()));
      }),
  };
}
