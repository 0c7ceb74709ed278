import { byteReader } from '../lib/byte-reader.ts';
import { fault, toHex, type DecodeFault } from './decoding.ts';
import {
  AD_COMPLETE_NAME,
  AD_MANUFACTURER_DATA,
  AD_SERVICE_DATA_128,
  AD_SERVICE_DATA_16,
  AD_SERVICE_DATA_32,
  AD_SHORT_NAME,
} from './protocol.ts';

/** What an advertising payload holds, as far as it keeps to its own lengths. Byte fields are views. */
export interface AdvertisingData {
  readonly localName?: string;
  readonly serviceData: readonly { readonly uuid: string; readonly data: Uint8Array }[];
  readonly manufacturerData: readonly Uint8Array[];
  readonly fault?: DecodeFault;
}

const uuidBytes: ReadonlyMap<number, number> = new Map([
  [AD_SERVICE_DATA_16, 2],
  [AD_SERVICE_DATA_32, 4],
  [AD_SERVICE_DATA_128, 16],
]);

/**
 * Reads the AD structures of one advertisement. A length that runs past the end is a fault; the structures before it
 * are kept. A zero length ends the payload early.
 *
 * @see Bluetooth Core Specification 5.4, Vol 3, Part C, §11
 */
export function decodeAdvertisingData(bytes: Uint8Array): AdvertisingData {
  const reader = byteReader(bytes);
  const serviceData: { uuid: string; data: Uint8Array }[] = [];
  const manufacturerData: Uint8Array[] = [];
  let localName: string | undefined;
  let damaged = false;
  while (reader.remaining > 0) {
    const length = reader.u8() ?? 0;
    if (length === 0) break;
    const structure = reader.bytes(length);
    const type = structure?.[0];
    if (structure === undefined || type === undefined) {
      damaged = true;
      break;
    }
    const body = structure.subarray(1);
    const idLength = uuidBytes.get(type);
    if (idLength !== undefined) {
      if (body.length < idLength) damaged = true;
      else
        serviceData.push({
          uuid: toHex(Uint8Array.from(body.subarray(0, idLength)).reverse()),
          data: body.subarray(idLength),
        });
    } else if (type === AD_MANUFACTURER_DATA) manufacturerData.push(body);
    else if (type === AD_COMPLETE_NAME || (type === AD_SHORT_NAME && localName === undefined))
      localName = Buffer.from(body).toString('utf8');
  }
  return {
    serviceData,
    manufacturerData,
    ...(localName === undefined ? {} : { localName }),
    ...(damaged ? { fault: fault('advert-damaged') } : {}),
  };
}
