import { expect, test } from 'vitest';
import { kitTopics } from './topics.ts';

test('a card number in a topic is neither a command nor a place for an answer', () => {
  const topics = kitTopics({ id: 'k' });
  expect(topics.read('barrow/v1/k/command/resend')).toEqual({ kind: 'command', name: 'resend' });
  expect(topics.read('barrow/v1/k/command/x4111111111111111')).toBeNull();
  expect(topics.mayAnswer('backend/answers/7')).toBe(true);
  expect(topics.mayAnswer('backend/answers/4111111111111111')).toBe(false);
});
