/** Header of each H4 packet type: its bytes, and where and how wide its length is (Core 5.4, Vol 4, Part A and E §5.4). */
const headers: Readonly<Record<number, { readonly bytes: number; readonly length: (head: Uint8Array) => number }>> = {
  0x01: { bytes: 4, length: (head) => head[3] ?? 0 },
  0x02: { bytes: 5, length: (head) => (head[3] ?? 0) | ((head[4] ?? 0) << 8) },
  0x03: { bytes: 4, length: (head) => head[3] ?? 0 },
  0x04: { bytes: 3, length: (head) => head[2] ?? 0 },
  0x05: { bytes: 5, length: (head) => (head[3] ?? 0) | (((head[4] ?? 0) & 0x3f) << 8) },
};

/** Longest packet that is believed. An LE controller's ACL packets stay far below; a larger length is lost framing. */
export const H4_PACKET_BYTES = 4_096;

export type H4Split =
  | { readonly ok: true; readonly packets: readonly Uint8Array[] }
  /** A stream without its framing cannot be found again: it has to be opened anew. */
  | { readonly ok: false; readonly packets: readonly Uint8Array[] };

/** Cuts a byte stream into whole H4 packets, copied, however the bytes were chunked. Holds at most one packet. */
export function h4Splitter(): (chunk: Uint8Array) => H4Split {
  let rest: Uint8Array = new Uint8Array();
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const packets: Uint8Array[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      const header = headers[bytes[offset] ?? 0];
      if (header === undefined) return lost(packets);
      if (bytes.length - offset < header.bytes) break;
      const length = header.bytes + header.length(bytes.subarray(offset, offset + header.bytes));
      if (length > H4_PACKET_BYTES) return lost(packets);
      if (bytes.length - offset < length) break;
      packets.push(Uint8Array.from(bytes.subarray(offset, offset + length)));
      offset += length;
    }
    rest = Uint8Array.from(bytes.subarray(offset));
    return { ok: true, packets };
  };

  function lost(packets: readonly Uint8Array[]): H4Split {
    rest = new Uint8Array();
    return { ok: false, packets };
  }
}
