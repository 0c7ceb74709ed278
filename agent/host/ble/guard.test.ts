import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RadioSignal } from '../../../drivers/api/transports.ts';
import { ASSEMBLIES, reportAssembler } from './extended-reports.ts';
import { h4Splitter } from './h4-framing.ts';
import { signalQueue, WAITING_SIGNALS } from './signal-queue.ts';
import { packetGuard } from './socket-guard.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** An extended report of one fragment. */
const fragment = (address: number, data: readonly number[], more: boolean): Uint8Array => {
  const report = [more ? 0x20 : 0, 0, 1, address & 0xff, address >> 8, 0, 0, 0, 0xc0, 1, 1, 1, 0x7f, 0xc4];
  const body = [0x0d, 1, ...report, ...new Uint8Array(9), data.length, ...data];
  return Uint8Array.from([0x04, 0x3e, body.length, ...body]);
};
const dataOf = (packet: Uint8Array | undefined): number[] => Array.from(packet?.subarray(5 + 24) ?? []);

describe('H4 framing', () => {
  const packets = ['040e0401030c00', '0240200300aabbcc', '01030c00', '043e0102', '0500400100ff'].map(bytes);

  it('finds the same packets however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), (cuts) => {
        const stream = Uint8Array.from(packets.flatMap((packet) => [...packet]));
        const split = h4Splitter();
        const found: string[] = [];
        let offset = 0;
        for (let index = 0; offset < stream.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1;
          const result = split(stream.slice(offset, offset + size));
          expect(result.ok).toBe(true);
          found.push(...result.packets.map(hex));
          offset += size;
        }
        expect(found).toEqual(packets.map(hex));
      }),
    );
  });

  it('gives up a stream whose framing is lost, after the packets before', () => {
    const result = h4Splitter()(bytes('040e0401030c00ff'));
    expect(result).toMatchObject({ ok: false });
    expect(result.packets.map(hex)).toEqual(['040e0401030c00']);
    expect(h4Splitter()(bytes('024020ffff'))).toMatchObject({ ok: false, packets: [] });
  });

  it('never throws on random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (chunk) => void h4Splitter()(chunk)));
  });
});

describe('extended report assembly', () => {
  it('joins fragments of one advert, also when two are interleaved', () => {
    const assembler = reportAssembler();
    expect(assembler.take(fragment(1, [2, 0xff], true))).toEqual([]);
    expect(assembler.take(fragment(2, [1], true))).toEqual([]);
    expect(assembler.take(fragment(1, [3], false)).map(dataOf)).toEqual([[2, 0xff, 3]]);
    expect(assembler.take(fragment(2, [8], false)).map(dataOf)).toEqual([[1, 8]]);
    expect(assembler.pending).toBe(0);
  });

  it('gives up the oldest beyond its bound, and counts it', () => {
    const assembler = reportAssembler();
    for (let address = 0; address <= ASSEMBLIES; address += 1) assembler.take(fragment(address, [1], true));
    expect(assembler.pending).toBe(ASSEMBLIES);
    expect(assembler.dropped).toBe(1);
    expect(assembler.take(fragment(ASSEMBLIES, [2], false)).map(dataOf)).toEqual([[1, 2]]);
  });

  it('makes no advert of a tail without its head, nor of a head that begins anew before its end', () => {
    const assembler = reportAssembler();
    const head = [0x02, 0x01, 0x06, 0x07, 0x16, 0xd2];
    const tail = [0xfc, 0x40, 0x01, 0x61, 0x00];
    expect(assembler.take(fragment(1, tail, false))).toEqual([]);
    assembler.take(fragment(1, head, true));
    assembler.take(fragment(1, head, true));
    expect(assembler.take(fragment(1, tail, false))).toEqual([]);
    expect(assembler.dropped).toBe(2);
    assembler.take(fragment(1, head, true));
    expect(assembler.take(fragment(1, tail, false)).map(dataOf)).toEqual([[...head, ...tail]]);
  });

  it('passes a legacy advert on as it is, and one whose data end early', () => {
    const assembler = reportAssembler();
    const legacy = fragment(1, [5, 0xff, 1], false);
    legacy[5] = 0x10;
    expect(assembler.take(legacy).map(dataOf)).toEqual([[5, 0xff, 1]]);
    expect(assembler.take(fragment(1, [1, 8, 0, 0, 0], false)).map(dataOf)).toEqual([[1, 8, 0, 0, 0]]);
  });

  it('drops an advert that the controller cut, and one that never ends', () => {
    const assembler = reportAssembler();
    const cut = fragment(1, [1], false);
    cut[5] = 0x40;
    expect(assembler.take(cut)).toEqual([]);
    for (let index = 0; index < 20; index += 1)
      assembler.take(
        fragment(
          2,
          Array.from({ length: 200 }, () => 1),
          true,
        ),
      );
    expect(assembler.dropped).toBeGreaterThan(1);
  });

  it('keeps whole structures of an advert that is longer than an event', () => {
    const assembler = reportAssembler();
    const structure = (value: number): number[] => [100, 0xff, ...new Uint8Array(99).fill(value)];
    assembler.take(fragment(1, [...structure(1), ...structure(2)], true));
    const [whole] = assembler.take(fragment(1, structure(3), false));
    expect(dataOf(whole)).toEqual([...structure(1), ...structure(2)]);
  });

  it('passes everything else on untouched and survives damage', () => {
    const assembler = reportAssembler();
    const other = bytes('040e0401030c00');
    expect(assembler.take(other)).toEqual([other]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        for (const packet of assembler.take(Uint8Array.of(0x04, 0x3e, noise.length + 1, 0x0d, ...noise)))
          expect(packet[2]).toBe(packet.length - 3);
      }),
    );
  });
});

describe('packet guard', () => {
  const watched = () => {
    const seen: string[] = [];
    const guard = packetGuard({
      onScanEnabled: (status) => void seen.push(`scan ${status}`),
      onSwallowed: () => void seen.push('swallowed'),
      onWriteRefused: (code) => void seen.push(`refused ${code}`),
    });
    return { guard, seen };
  };

  it('tells a refused scan from a refused stop, and turns the latter into success', () => {
    const { guard, seen } = watched();
    guard.outgoing(bytes('010c20020000'));
    guard.outgoing(bytes('010c20020101'));
    const delivered: string[] = [];
    const deliver = (packet: Buffer): void => void delivered.push(hex(packet));
    guard.incoming(bytes('040e04010c200c'), deliver);
    guard.incoming(bytes('040e04010c200c'), deliver);
    expect(seen).toEqual(['scan 12']);
    expect(delivered).toEqual(['040e04010c2000', '040e04010c200c']);
  });

  it('sees the refusal of a scan in a command status as well, and hands it on as the answer that is waited for', () => {
    const { guard, seen } = watched();
    const delivered: string[] = [];
    const deliver = (packet: Buffer): void => void delivered.push(hex(packet));
    guard.outgoing(bytes('010c20020000'));
    guard.incoming(bytes('040f040c010c20'), deliver);
    guard.outgoing(bytes('014220060100000000'.padEnd(20, '0')));
    guard.incoming(bytes('040f0400014220'), deliver);
    guard.incoming(bytes('040f040c014220'), deliver);
    guard.incoming(bytes('040f040c014120'), deliver);
    guard.incoming(bytes('040f040c010d20'), deliver);
    expect(seen).toEqual(['scan 12']);
    expect(delivered).toEqual([
      '040e04010c2000',
      '040f0400014220',
      '040e040142200c',
      '040e040141200c',
      '040f040c010d20',
    ]);
  });

  it('expects no answer to what was asked before the controller went away', () => {
    const { guard, seen } = watched();
    guard.outgoing(bytes('010c20020101'));
    guard.forgetCommands();
    guard.outgoing(bytes('010c20020000'));
    const delivered: string[] = [];
    guard.incoming(bytes('040e04010c200c'), (packet) => void delivered.push(hex(packet)));
    expect(seen).toEqual([]);
    expect(delivered).toEqual(['040e04010c2000']);
  });

  it('contains what the library throws', () => {
    const { guard, seen } = watched();
    guard.incoming(bytes('043e0102'), () => {
      throw new RangeError('offset out of range');
    });
    expect(seen).toEqual(['swallowed']);
  });

  it('sees the refusal of a write, not of a read', () => {
    const { guard, seen } = watched();
    guard.incoming(bytes('0240200900050004000112030003'), () => undefined);
    guard.incoming(bytes('024020090005000400010a030003'), () => undefined);
    expect(seen).toEqual(['refused 3']);
  });
});

describe('bounded queues', () => {
  const advert = (index: number): RadioSignal => ({
    kind: 'advert',
    advert: {
      address: String(index),
      addressType: 'public',
      rssiDbm: 0,
      connectable: false,
      atMono: index,
      serviceData: [],
      manufacturerData: undefined,
    },
  });

  it('drop the oldest adverts at the agent’s end, count them, and keep the health', async () => {
    const queue = signalQueue();
    queue.push({
      kind: 'health',
      health: { state: 'scanning', code: null, adverts: 0, dropped: 0, restarts: 0, lastAdvertMono: null },
    });
    for (let index = 0; index < WAITING_SIGNALS + 10; index += 1) queue.push(advert(index));
    expect(queue.dropped).toBe(11);
    queue.end();
    const kinds: string[] = [];
    for await (const entry of queue.take(new AbortController().signal)) kinds.push(entry.kind);
    expect(kinds).toHaveLength(WAITING_SIGNALS);
    expect(kinds[0]).toBe('health');
  });
});
