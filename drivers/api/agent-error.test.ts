import { expect, test } from 'vitest';
import { failures } from './agent-error.ts';

const fail = failures({ 'driver-unknown': { sentence: 'There is no driver with this id', hint: 'List them' } });

test('an error’s message is its sentence with the circumstance', () => {
  expect(fail('driver-unknown', { detail: 'door' }).message).toBe('There is no driver with this id: door');
  expect(fail('driver-unknown').message).toBe('There is no driver with this id');
});

test('a card number in the circumstance keeps first six and last four', () => {
  expect(fail('driver-unknown', { detail: 'x 4111111111111111' }).message).toBe(
    'There is no driver with this id: x 411111******1111',
  );
});
