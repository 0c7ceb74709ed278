import { expect, test } from 'vitest';
import { pageAddress } from './status-qr.ts';

const kit = { id: 'Popup_014', currency: 'GBP', timezone: 'Europe/London' };
const address = (listen: string, mdns: boolean, ...addresses: readonly string[]): string =>
  pageAddress({ kit, api: { listen }, mdns }, addresses).url;

test('the page is found by the kit’s name where it is announced, else by its address in the network', () => {
  expect(address('0.0.0.0:8080', true)).toBe('http://popup-014.local:8080/');
  expect(address('0.0.0.0:8080', false, '192.168.1.20', '2001:db8::5')).toBe('http://192.168.1.20:8080/');
  expect(address('[::]:8080', false, '2001:db8::5')).toBe('http://[2001:db8::5]:8080/');
  expect(address('192.168.1.7:80', false)).toBe('http://192.168.1.7:80/');
});

test('a page that no phone can reach gets no code, but the next step', () => {
  for (const listen of ['127.0.0.1:8080', '[::1]:8080', 'localhost:8080'])
    expect(() => address(listen, true)).toThrow(expect.objectContaining({ code: 'page-loopback' }));
  expect(() => address('0.0.0.0:8080', false)).toThrow(expect.objectContaining({ code: 'page-no-network' }));
});
