import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MonoMs, WallMs } from '../../drivers/api/clock.ts';
import { STREAMS, type JsonObject } from '../../drivers/api/reading.ts';
import { toCloudEvent } from '../core/event.ts';
import { eventText } from './outgoing.ts';

it('writes an event exactly as its envelope would be serialised', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(
      fc.record({
        type: text,
        stream: fc.constantFrom(...STREAMS),
        subject: text,
        data: fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<JsonObject>,
        // Microseconds, as CLOCK_MONOTONIC is read.
        atMono: fc.integer({ min: 0, max: 1e12 }).map((us) => (us / 1_000) as MonoMs),
        epoch: fc.stringMatching(/^[a-z2-7]{16}$/),
        sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        bootId: text,
        wallMs: fc.integer({ min: 0, max: 4_102_444_800_000 }) as unknown as fc.Arbitrary<WallMs>,
        clockTrust: fc.constantFrom('synced' as const, 'estimated' as const, 'unset' as const),
      }),
      text,
      fc.option(text, { nil: undefined }),
      (row, id, node) => {
        const kit = { id, node };
        expect(eventText(row, kit)).toBe(JSON.stringify(toCloudEvent(row, kit)));
        // Again, now that its time is remembered.
        expect(eventText(row, kit)).toBe(JSON.stringify(toCloudEvent(row, kit)));
      },
    ),
  );
});
