import { Bonjour } from 'bonjour-service';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../scripts/lib/free-port.ts';
import { announcePage } from './mdns.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Found {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

test('a phone on the network finds the page under the kit’s own name', async () => {
  const wire = { interface: '127.0.0.1', bind: '0.0.0.0', port: await freePort() };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
  const phone = new Bonjour(wire);
  closing.push(() => new Promise((resolve) => phone.destroy(() => resolve())));
  const found = new Promise<Found>((resolve) => {
    const browser = phone.find({ type: 'http' }, (service) => resolve(service as unknown as Found));
    const again = setInterval(() => browser.update(), 500);
    closing.push(async () => clearInterval(again));
  });
  const page = await announcePage({ kit: 'Popup_014', port: 8080, version: '1.2.3' }, log, wire);
  closing.push(async () => page[Symbol.asyncDispose]());
  expect(await found).toMatchObject({
    name: 'Popup_014',
    host: 'popup-014.local',
    port: 8080,
    txt: { path: '/', version: '1.2.3' },
  });
});
