import { describe, expect, it } from 'vitest';
import { sampleInputs } from '../testing/samples.ts';
import { readInputs } from './inputs.ts';

describe('inputs', () => {
  it.each<[string, (inputs: Record<string, unknown>) => void]>([
    ['a local time', (inputs) => (inputs['now'] = '2026-11-27T10:00:00+01:00')],
    ['no time at all', (inputs) => (inputs['now'] = 'yesterday')],
    ['an unknown trust', (inputs) => (inputs['clocktrust'] = 'sure')],
    ['an unknown zone', (inputs) => (inputs['kit'] = { id: 'k', timezone: 'Mars/Olympus' })],
    ['a text for a number', (inputs) => (inputs['dayBudgetUsedMinor'] = '0')],
    ['a number beyond 2^53', (inputs) => (inputs['dayBudgetUsedMinor'] = 2 ** 53)],
    ['a fraction', (inputs) => (inputs['facts'] = { S: { stock: { value: 1.5, ageS: 0, quality: 'ok' } } })],
    [
      'a text for an integer fact',
      (inputs) => (inputs['facts'] = { S: { stock: { value: '1', ageS: 0, quality: 'ok' } } }),
    ],
    ['an integer for a word', (inputs) => (inputs['facts'] = { S: { daypart: { value: 1, ageS: 0, quality: 'ok' } } })],
    [
      'a word that the fact never has',
      (inputs) => (inputs['facts'] = { S: { daypart: { value: 'noon', ageS: 0, quality: 'ok' } } }),
    ],
    ['an unknown quality', (inputs) => (inputs['facts'] = { S: { stock: { value: 1, ageS: 0, quality: 'good' } } })],
    ['a misspelt fact', (inputs) => (inputs['facts'] = { S: { stok: { value: 1, ageS: 0, quality: 'ok' } } })],
    [
      'a negative price',
      (inputs) => (inputs['state'] = { S: { rung: 0, priceMinor: -1, changedAt: null, changesToday: 0 } }),
    ],
    ['a key that is none of theirs', (inputs) => (inputs['shopper'] = 'anna')],
  ])('refuse %s', (_title, spoil) => {
    const inputs = structuredClone(sampleInputs) as unknown as Record<string, unknown>;
    expect(readInputs(inputs)).toMatchObject({ ok: true });
    spoil(inputs);
    expect(readInputs(inputs)).toMatchObject({ ok: false });
  });
});
