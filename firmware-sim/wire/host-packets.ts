import { H4_ACL, H4_COMMAND } from '../bluetooth/hci-protocol.ts';

/** Cuts the host's byte stream into commands and ACL packets. What begins with another byte cannot be cut: it ends. */
export function hostPackets(take: (packet: Uint8Array) => void, lost: () => void): (chunk: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array();
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      const length = packetBytes(rest);
      if (length === 'unknown') {
        rest = new Uint8Array();
        lost();
        return;
      }
      if (length === undefined || rest.length < length) return;
      take(Uint8Array.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  };
}

function packetBytes(bytes: Uint8Array): number | undefined | 'unknown' {
  if (bytes[0] === H4_COMMAND) return bytes.length < 4 ? undefined : 4 + (bytes[3] ?? 0);
  if (bytes[0] === H4_ACL) return bytes.length < 5 ? undefined : 5 + (bytes[3] ?? 0) + ((bytes[4] ?? 0) << 8);
  return 'unknown';
}
