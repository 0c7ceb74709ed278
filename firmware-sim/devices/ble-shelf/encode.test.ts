import { describe, expect, it } from 'vitest';
import {
  bthomeAdvert,
  bthomeObjects,
  eddystoneTlmAdvert,
  minewAdvert,
  ruuviAdvert,
  weightMeasurement,
} from './encode.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('what the virtual devices send', () => {
  it('is the published BTHome encryption example', () => {
    const objects = [0x02, 0xca, 0x09, 0x03, 0xbf, 0x13];
    const key = Uint8Array.from(Buffer.from('231d39c1d7cc1ab1aee224cd096db932', 'hex'));
    const advert = bthomeAdvert(objects, { key, address: '54:48:E6:8F:80:A5', counter: 0x33221100 });
    expect(hex(advert)).toBe('0201061216d2fc41a47266c95f730011223378237214');
  });

  it('keeps BTHome objects in the order of their ids and never sends a negative mass', () => {
    const objects = bthomeObjects({ count: 6, massGrams: -30, temperatureC: 25.06, batteryPercent: 93, packetId: 9 });
    expect(hex(Uint8Array.from(objects))).toBe('0009015d02ca090600003d0600');
  });

  it('is Ruuvi’s published format 5 vector', () => {
    const advert = ruuviAdvert(
      {
        temperatureC: 24.3,
        humidityPercent: 53.49,
        pressurePa: 100_044,
        accelerationMg: [4, -4, 1_036],
        batteryMv: 2_977,
        txPowerDbm: 4,
        moves: 66,
        sequence: 205,
      },
      'CB:B8:33:4C:88:4F',
    );
    expect(hex(advert).slice(-48)).toBe('0512fc5394c37c0004fffc040cac364200cdcbb8334c884f');
  });

  it('is a weight, a climate and a telemetry frame as their documents lay them out', () => {
    expect(hex(weightMeasurement(70_020))).toBe('00b436');
    expect(hex(minewAdvert(25.5, 50, 99, 'FF:EE:DD:CC:BB:AA')).slice(-26)).toBe('a1016319803200aabbccddeeff');
    expect(hex(eddystoneTlmAdvert(3_042, 26, 2_622, 10_630_000)).slice(-28)).toBe('20000be21a0000000a3e00019f3c');
  });
});
