import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { MonoMs } from '../api/clock.ts';
import { identity } from './identity.ts';
import { LINKED_CUSTOMERS, pseudonymizer } from './pseudonym.ts';
import { uidId } from './uid.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = bytes('a key that is long enough');
const at = (ms: number): MonoMs => ms as MonoMs;

describe('a pseudonym', () => {
  test('is the HMAC-SHA256 of purpose and id, and its key id tells nothing of the key', () => {
    const { pseudonym, keyId } = pseudonymizer({ current: key })(bytes('9900001234567'));
    expect(pseudonym).toBe(createHmac('sha256', key).update('loyalty|v1|9900001234567').digest('hex'));
    expect(keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(pseudonymizer({ current: bytes('another key altogether') })(bytes('9900001234567')).keyId).not.toBe(keyId);
  });

  test('is linked to the one under the key before once per customer', () => {
    const old = pseudonymizer({ current: bytes('the key before this') });
    const both = pseudonymizer({ current: key, previous: bytes('the key before this') });
    expect(both(bytes('1')).previous).toEqual(old(bytes('1')));
    expect(both(bytes('1')).previous).toBeUndefined();
    expect(both(bytes('2')).previous).toEqual(old(bytes('2')));
  });

  test(`is linked again for the oldest of more than ${LINKED_CUSTOMERS} customers`, () => {
    const both = pseudonymizer({ current: key, previous: key });
    for (let customer = 0; customer <= LINKED_CUSTOMERS; customer += 1) both(bytes(`c${customer}`));
    expect(both(bytes(`c${LINKED_CUSTOMERS}`)).previous).toBeUndefined();
    expect(both(bytes('c0')).previous).toBeDefined();
  });
});

describe('an id at the reader', () => {
  const logged: string[] = [];
  const log = (event: string, fields?: object): void => void logged.push(JSON.stringify({ event, ...fields }));
  const io = { driverId: 'loyalty', log: { debug: log, info: log, warn: log, error: log } };
  const make = (over: object = {}): ReturnType<typeof identity> =>
    identity({
      io,
      pseudonymOf: pseudonymizer({ current: key }),
      keyBytes: key.length,
      prefix: undefined,
      doubleTapMs: 1_500,
      ...over,
    });

  test('is wiped whatever becomes of it', () => {
    for (const who of [make(), make({ pseudonymOf: undefined }), make({ prefix: '77' })]) {
      const id = bytes('9900001234567');
      who.present(id, at(0));
      expect(id.every((byte) => byte === 0)).toBe(true);
    }
    expect(logged.join()).not.toContain('99000');
  });

  test('is one presentation within the window, and two without', () => {
    const who = make();
    expect(who.present(bytes('1'), at(0)).length).toBe(1);
    expect(who.present(bytes('2'), at(100)).length).toBe(1);
    expect(who.present(bytes('1'), at(1_400)).length).toBe(0);
    expect(who.present(bytes('1'), at(2_800)).length).toBe(0);
    expect(who.present(bytes('1'), at(4_300)).length).toBe(1);
  });

  test('without a key is dropped, and the state says so', () => {
    const who = make({ pseudonymOf: undefined, keyBytes: 0 });
    expect(who.resting()).toEqual({ kind: 'state', state: 'degraded', code: 'pseudonym-key-missing' });
    expect(who.present(bytes('9900001234567'), at(0))).toEqual([]);
  });

  test('under a key that can be guessed is told, and the state warns', () => {
    const who = make({ keyBytes: 6 });
    expect(who.resting()).toMatchObject({ state: 'degraded', code: 'pseudonym-key-short' });
    expect(who.present(bytes('9900001234567'), at(0)).length).toBe(1);
  });

  test('of another merchant’s prefix is dropped', () => {
    const who = make({ prefix: '9900' });
    expect(who.present(bytes('8800001234567'), at(0))).toEqual([]);
    expect(who.present(bytes('99'), at(0))).toEqual([]);
    expect(who.present(bytes('9900001234567'), at(0)).length).toBe(1);
  });

  test('of a payment card is said once per window', () => {
    const who = make();
    expect(who.paymentCard(at(0)).map((reading) => reading.kind === 'state' && reading.code)).toEqual([
      'payment-card',
      null,
    ]);
    expect(who.paymentCard(at(200))).toEqual([]);
    expect(who.paymentCard(at(3_000)).length).toBe(2);
  });
});

test('a tag’s id is its UID in lower case, a random UID is none', () => {
  expect(uidId(Uint8Array.of(0x04, 0xab, 0xcd, 0xef, 1, 2, 3))).toEqual(bytes('04abcdef010203'));
  expect(uidId(Uint8Array.of(0x08, 1, 2, 3))).toBeNull();
  expect(uidId(Uint8Array.of(0x08, 1, 2, 3, 4, 5, 6))).toEqual(bytes('08010203040506'));
});
