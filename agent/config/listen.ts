/** Splits `host:port`; an IPv6 host loses its brackets. */
export function splitListen(listen: string): { readonly host: string; readonly port: number } {
  const at = listen.lastIndexOf(':');
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) };
}

/** 127.0.0.0/8, ::1 and localhost: reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The kit's name by multicast DNS: a host label has letters, digits and hyphens only (RFC 1123), 63 at most. */
export function mdnsHost(kitId: string): string {
  const label = kitId
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 63)
    .replace(/-+$/, '');
  return `${label}.local`;
}
