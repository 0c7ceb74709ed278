import { expect, test } from 'vitest';
import { hostPackets } from './host-packets.ts';

const RESET = [0x01, 0x03, 0x0c, 0x00];
const SCAN_ENABLE = [0x01, 0x0c, 0x20, 0x02, 0x01, 0x00];
const ACL = [0x02, 0x40, 0x00, 0x03, 0x00, 0xaa, 0xbb, 0xcc];

test('a stream is cut into the same packets wherever the wire cuts it', () => {
  const stream = Uint8Array.from([...RESET, ...ACL, ...SCAN_ENABLE]);
  for (let first = 0; first <= stream.length; first += 1)
    for (let second = first; second <= stream.length; second += 1) {
      const packets: number[][] = [];
      const take = hostPackets(
        (packet) => packets.push([...packet]),
        () => expect.unreachable('the stream is sound'),
      );
      take(stream.slice(0, first));
      take(stream.slice(first, second));
      take(stream.slice(second));
      expect(packets).toEqual([RESET, ACL, SCAN_ENABLE]);
    }
});

test('bytes that begin no packet end the stream, and nothing of them is handed on', () => {
  const packets: number[][] = [];
  let lost = 0;
  const take = hostPackets(
    (packet) => packets.push([...packet]),
    () => {
      lost += 1;
    },
  );
  take(Uint8Array.from([...RESET, 0x7f, ...RESET]));
  expect({ packets, lost }).toEqual({ packets: [RESET], lost: 1 });
});
