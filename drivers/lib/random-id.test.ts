import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsCardNumber } from '../../agent/till/card-guard.ts';
import { maskCards } from './pan-scrub.ts';
import { mapOutsideRandomIds, withoutRandomIds } from './random-id.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length / 2, maxLength: length / 2 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('a machine-made id', () => {
  test('is no card number, whatever digits chance gave it', () => {
    fc.assert(
      fc.property(fc.uuid(), hex(64), (uuid, digest) => {
        for (const id of [uuid, digest, `sale ${uuid} of ${digest}`]) {
          if (/[a-f]/.test(uuid)) expect(holdsCardNumber(id)).toBe(false);
          if (/[a-f]/.test(uuid)) expect(maskCards(id)).toBe(id);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test.each(['b457d563-8dc4-4567-8674-7667ee7e255d', 'eb620696-6668-4699-8b3b-62535d37a6c1'])(
    '%s was once refused as a card',
    (uuid) => {
      expect(holdsCardNumber(uuid)).toBe(false);
      expect(holdsCardNumber(uuid.toUpperCase())).toBe(false);
    },
  );

  test.each([
    ['beside an id', 'b457d563-8dc4-4567-8674-7667ee7e255d 4111111111111111'],
    ['as track 2 in BCD', '4111111111111111d29121010000000000f'],
    ['as an EMV tag with its length', '57134111111111111111d29121010000000000f'],
    ['in an id’s shape, of digits alone', '41111111-1111-1111-8000-000000000000'],
    ['glued to an id', '4111111111111111b457d563-8dc4-4567-8674-7667ee7e255d'],
  ])('hides no card number %s', (_where, text) => {
    expect(holdsCardNumber(text)).toBe(true);
  });

  test('is left as it is while the text around it is worked on', () => {
    const id = '0123456789abcdef0123456789abcdef';
    expect(mapOutsideRandomIds(`a ${id} b`, (part) => part.toUpperCase())).toBe(`A ${id} B`);
    expect(withoutRandomIds(`a ${id} b`)).toBe('a … b');
  });
});
