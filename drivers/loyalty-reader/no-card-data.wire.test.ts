import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { driver } from './index.ts';
import { swipeMessage } from '../../firmware-sim/devices/loyalty-reader/stripe-reader.ts';
import { driverBench, type DriverBench } from '../../firmware-sim/wire/driver-bench.ts';
import { pluggedPort, type PluggedPort } from '../../firmware-sim/wire/plugged-port.ts';

/** Public test numbers of the schemes. */
const CANARIES = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117', '3530111333300000'];

/** Every way in which a number could lie in a file: as text, packed, or as somebody's encoding of either. */
function disguises(pan: string): readonly Buffer[] {
  const ascii = Buffer.from(pan, 'latin1');
  const bcd = Buffer.from(pan.length % 2 === 0 ? pan : `${pan}f`, 'hex');
  const bcdRight = Buffer.from(pan.length % 2 === 0 ? pan : `0${pan}`, 'hex');
  const base64 = (shift: number): Buffer => {
    const text = Buffer.concat([Buffer.alloc(shift), ascii])
      .toString('base64')
      .replaceAll('=', '');
    // The first and last characters also hold bits of the neighbours.
    return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -2), 'latin1');
  };
  return [
    ascii,
    bcd,
    bcdRight,
    Buffer.from(ascii.toString('hex'), 'latin1'),
    Buffer.from(ascii.toString('hex').toUpperCase(), 'latin1'),
    Buffer.from(pan, 'utf16le'),
    Buffer.from(pan, 'utf16le').swap16(),
    base64(0),
    base64(1),
    base64(2),
    Buffer.from(Array.from(ascii).join(','), 'latin1'),
  ];
}

function leaks(haystack: Buffer): readonly string[] {
  return CANARIES.filter((pan) => disguises(pan).some((form) => haystack.includes(form)));
}

const left = (bench: DriverBench): Buffer => Buffer.from(JSON.stringify([bench.readings, bench.logged]));

let folder = '';
let port: PluggedPort;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-canary-'));
  port = await pluggedPort(folder, 'reader');
});
afterEach(async () => {
  await port.unplug();
  await rm(folder, { recursive: true, force: true });
});

describe('the search for card numbers', () => {
  test.each(['latin1', 'hex', 'base64', 'utf16le'] as const)('finds one that leaked as %s', (encoding) => {
    const text = `{"id":"${CANARIES[1]}"}`;
    const leaked =
      encoding === 'utf16le' ? Buffer.from(text, encoding) : Buffer.from(Buffer.from(text).toString(encoding));
    expect(leaks(Buffer.concat([Buffer.from('before'), leaked, Buffer.from('after')]))).toEqual([CANARIES[1]]);
  });

  test('finds packed digits and spares masked ones', () => {
    expect(leaks(Buffer.from('00378282246310005f11', 'hex'))).toEqual(['378282246310005']);
    expect(leaks(Buffer.from('411111******1111'))).toEqual([]);
  });
});

test('no card that is swiped, cut, doubled or mangled leaves anything in readings or log', async () => {
  const line = await port.plug();
  await using bench = await driverBench({
    driver,
    config: { protocol: 'magstripe', port: port.path, pseudonymKey: { file: 'k' }, doubleTapMs: 0 },
    secrets: { k: 'sixteen bytes at least' },
  });
  await bench.until((seen) => seen.states.at(-1)?.state === 'ready');
  for (const pan of CANARIES) {
    const card = { track1: `B${pan}^DOE/JOHN^2512101`, track2: `${pan}=25121010000012300000` };
    const whole = swipeMessage(card);
    await line.write(whole);
    await line.write(swipeMessage({ track1: null, track2: card.track2 }, { framed: true, insertion: true }));
    await line.write(swipeMessage({ track2: pan }));
    await line.write(swipeMessage({ track3: `01${pan}=0` }));
    await line.write(Uint8Array.of(...whole.subarray(20), ...whole));
    await line.write(Buffer.from(`${pan}\r`, 'latin1'));
    await line.write(Buffer.from(`;${pan}\u0000=\r`, 'latin1'));
  }
  await line.write(swipeMessage({ track2: '9900001234567=' }));
  await bench.until((seen) => seen.events.length > 0);
  expect(bench.events.length).toBe(1);
  expect(bench.states.some(({ code }) => code === 'payment-card')).toBe(true);
  expect(leaks(left(bench))).toEqual([]);
});
