import type { Advertisement } from '../api/transports.ts';
import { printAddress } from './decoding.ts';
import { payloadsOf } from './payloads.ts';
import { BTHOME_ADDRESS_INCLUDED } from './protocol.ts';

const RUUVI_WITH_ADDRESS: ReadonlySet<number> = new Set([0x05, 0xc5, 0xe1]);
const ADDRESS_BYTES = 6;
const MINEW_INFO = 0x08;
const MINEW_INFO_ADDRESS = 3;

/**
 * The identity that a payload states, for devices behind a private advertising address: BTHome frames that include it,
 * Minew's and Ruuvi's. It is not authentic, but neither is an advertising address.
 */
export function payloadAddress(advert: Advertisement): string | undefined {
  const manufacturerData = advert.manufacturerData === undefined ? [] : [advert.manufacturerData];
  for (const { format, data } of payloadsOf({ serviceData: advert.serviceData, manufacturerData })) {
    let little: Uint8Array | undefined;
    if (format === 'bthome' && ((data[0] ?? 0) & BTHOME_ADDRESS_INCLUDED) !== 0) little = data.subarray(1, 7);
    if (format === 'minew') little = data[1] === MINEW_INFO ? data.subarray(MINEW_INFO_ADDRESS, 9) : data.subarray(-6);
    if (little?.length === ADDRESS_BYTES) return printAddress(Uint8Array.from(little).reverse());
    if (format === 'ruuvi' && RUUVI_WITH_ADDRESS.has(data[0] ?? 0) && data.length >= ADDRESS_BYTES)
      return printAddress(data.subarray(-ADDRESS_BYTES));
  }
  return undefined;
}
