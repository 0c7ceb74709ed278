import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publishPacket } from './publish-packet.ts';

interface PacketLibrary {
  generate(packet: object, options?: object): Uint8Array;
}
// The packet library that mqtt.js itself uses: a second opinion on every byte.
const library = createRequire(createRequire(import.meta.url).resolve('mqtt'))('mqtt-packet') as PacketLibrary;

function theirs(protocol: 4 | 5, packet: object): string {
  return Buffer.from(
    library.generate({ cmd: 'publish', qos: 1, dup: false, ...packet }, { protocolVersion: protocol }),
  ).toString('hex');
}

it('writes the same bytes as the packet library, for both protocols', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 5 as const),
      fc.integer({ min: 1, max: 65_535 }),
      text.filter((topic) => !/[+#\0]/.test(topic)),
      fc.oneof(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.uint8Array({ maxLength: 400 })),
      fc.boolean(),
      fc.record(
        {
          expiryS: fc.integer({ min: 0, max: 0xffff_ffff }),
          contentType: text,
          correlationData: fc.uint8Array({ minLength: 1, maxLength: 40 }),
        },
        { requiredKeys: [] },
      ),
      (protocol, messageId, topic, payload, retain, { expiryS, contentType, correlationData }) => {
        const properties = {
          ...(expiryS === undefined ? {} : { messageExpiryInterval: expiryS }),
          ...(contentType === undefined ? {} : { contentType }),
          ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
        };
        const want = theirs(protocol, {
          messageId,
          topic,
          retain,
          payload: typeof payload === 'string' ? payload : Buffer.from(payload),
          ...(protocol === 5 ? { properties } : {}),
        });
        const head = { protocol, retain, expiryS, contentType, correlationData };
        expect(publishPacket(messageId, topic, payload, head).toString('hex')).toBe(want);
      },
    ),
  );
});

it.each([0, 100, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])('gives a payload of %i bytes its length', (bytes) => {
  const payload = 'x'.repeat(bytes);
  const packet = publishPacket(7, 'a/b', payload, { protocol: 5, retain: false });
  expect(packet.toString('hex')).toBe(
    theirs(5, { messageId: 7, topic: 'a/b', retain: false, payload, properties: {} }),
  );
});

it('refuses what the format cannot say', () => {
  const head = { protocol: 5, retain: false } as const;
  expect(() => publishPacket(1, 't'.repeat(65_536), '', head)).toThrow(RangeError);
  expect(() => publishPacket(1, 't', '', { ...head, contentType: 'c'.repeat(65_536) })).toThrow(RangeError);
  expect(() => publishPacket(1, 't', new Uint8Array(268_435_456), head)).toThrow(RangeError);
});
