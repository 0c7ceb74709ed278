import { expect, test } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { originals } from './originals.ts';

test('the memory of originals forgets the oldest at its bound and then says that it is not complete', () => {
  const kit = scriptedKit();
  kit.parts.commit((tx) => {
    const memory = originals(tx, 3);
    for (let n = 1; n <= 3; n += 1)
      memory.remember(`e/sale/${n}`, `till-${n}`, { kind: 'sale', voided: false, lines: [], gaveBack: [] });
    expect(memory.complete()).toBe(true);
    memory.remember('e/sale/4', null, { kind: 'sale', voided: false, lines: [], gaveBack: [] });
    expect(memory.complete()).toBe(false);
    expect(memory.find('e/sale/1')).toBeUndefined();
    expect(memory.find('till-1')).toBeUndefined();
    expect(memory.find('till-2')?.eventId).toBe('e/sale/2');
    expect(memory.find('e/sale/4')).toBeDefined();
  });
});
