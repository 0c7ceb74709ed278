import { describe, expect, test } from 'vitest';
import { WakingClock } from '../../scripts/lib/waking-clock.ts';
import type { ApiRequest } from '../core/host.ts';
import { createGuard, type Guard } from './guard.ts';

const TOKEN = 'correct-horse-battery';

function guard(listen: string, token: string | null = null): { readonly guard: Guard; readonly clock: WakingClock } {
  const clock = new WakingClock();
  return {
    clock,
    guard: createGuard({ listen, token: token === null ? null : Buffer.from(token), kitId: 'Popup-014', clock }),
  };
}

function request(headers: Record<string, string>, peer = '127.0.0.1'): ApiRequest {
  return {
    method: 'GET',
    path: '/',
    query: new URLSearchParams(),
    headers,
    body: new Uint8Array(),
    loopback: peer === '127.0.0.1',
    peer,
  };
}

const verdict = (of: Guard, headers: Record<string, string>, needsToken = false, peer?: string): string =>
  of.check(request(headers, peer), needsToken)?.error.code ?? 'passed';

describe('on loopback', () => {
  const { guard: local } = guard('127.0.0.1:8080');

  test.each([
    '127.0.0.1:8080',
    'localhost:8080',
    'LOCALHOST',
    '[::1]:8080',
    'localhost.:8080',
    'popup-014.local:8080',
    '127.0.0.1:9999',
  ])('the kit answers to %s', (host) => expect(verdict(local, { host })).toBe('passed'));

  test.each([
    '',
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'popup-014.local.evil.example',
    'popup-015.local',
    '192.168.1.7:8080',
    '[fe80::1]:8080',
    '127.0.0.1:8080@evil.example',
    'localhost:8080, evil.example',
    'localhost/evil.example',
  ])('a rebound name is refused: %j', (host) => expect(verdict(local, { host })).toBe('host-refused'));

  test('a request without a Host is refused', () => expect(verdict(local, {})).toBe('host-refused'));

  test.each([
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'https://evil.example:8080',
    'file://',
    'http://127.0.0.1:8080.evil.example',
    'chrome-extension://abc',
  ])('a page from %s may not talk to it', (origin) =>
    expect(verdict(local, { host: 'localhost:8080', origin })).toBe('origin-refused'),
  );

  test('its own page may', () =>
    expect(verdict(local, { host: 'localhost:8080', origin: 'http://localhost:8080' })).toBe('passed'));

  test('another site may link to it, no more', () => {
    const host = 'localhost:8080';
    expect(verdict(local, { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBe('passed');
    expect(verdict(local, { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(
      'origin-refused',
    );
  });

  test('no token is asked for where none is set', () =>
    expect(verdict(local, { host: 'localhost' }, true)).toBe('passed'));
});

describe('beyond loopback', () => {
  const host = '192.168.1.7:8080';
  const peer = '192.168.1.20';
  const bearer = (token: string): Record<string, string> => ({ host, authorization: `Bearer ${token}` });

  test.each([null, '', 'short'])('the API does not start with %j for a token', (token) => {
    expect(() => guard('0.0.0.0:8080', token)).toThrow(expect.objectContaining({ code: 'token-required', exit: 2 }));
  });

  test('the right token passes, no token and a wrong one do not', () => {
    const { guard: open } = guard('0.0.0.0:8080', TOKEN);
    expect(verdict(open, bearer(TOKEN), true, peer)).toBe('passed');
    expect(verdict(open, { host, authorization: `bearer ${TOKEN}` }, true, peer)).toBe('passed');
    expect(verdict(open, { host }, true, peer)).toBe('token-missing');
    expect(verdict(open, { host, authorization: `Basic ${TOKEN}` }, true, peer)).toBe('token-missing');
    for (const wrong of [`${TOKEN}x`, TOKEN.slice(1), 'x'])
      expect(verdict(open, bearer(wrong), true, peer)).toBe('token-wrong');
  });

  test('a peer on the kit itself needs the token too', () => {
    const { guard: open } = guard('0.0.0.0:8080', TOKEN);
    expect(verdict(open, { host: 'localhost:8080' }, true)).toBe('token-missing');
  });

  test('what shows nothing of the kit needs none', () => {
    expect(verdict(guard('0.0.0.0:8080', TOKEN).guard, { host }, false, peer)).toBe('passed');
  });

  test('any address passes as Host, any other name does not', () => {
    const { guard: open } = guard('0.0.0.0:8080', TOKEN);
    expect(verdict(open, { host: '[2001:db8::7]:8080' }, false, peer)).toBe('passed');
    expect(verdict(open, { host: 'popup-014.local' }, false, peer)).toBe('passed');
    expect(verdict(open, { host: 'evil.example' }, false, peer)).toBe('host-refused');
  });

  test('whoever guesses tokens is locked out for a while, others are not', () => {
    const { guard: open, clock } = guard('0.0.0.0:8080', TOKEN);
    for (let n = 0; n < 10; n += 1) expect(verdict(open, bearer(`guess-${n}`), true, peer)).toBe('token-wrong');
    expect(verdict(open, bearer(TOKEN), true, peer)).toBe('rate-limited');
    expect(verdict(open, bearer(TOKEN), true, '192.168.1.21')).toBe('passed');
    clock.pass(6_000);
    expect(verdict(open, bearer(TOKEN), true, peer)).toBe('passed');
  });

  test('a flood is told how long to wait', () => {
    const { guard: open } = guard('0.0.0.0:8080', TOKEN);
    let refusal = open.check(request({ host }, peer), false);
    for (let n = 0; n < 300 && refusal === null; n += 1) refusal = open.check(request({ host }, peer), false);
    expect(refusal?.error.code).toBe('rate-limited');
    expect(refusal?.retryAfterS).toBeGreaterThan(0);
  });
});
