import { createCipheriv } from 'node:crypto';
import type { Chance } from '../../drivers/api/clock.ts';
import type { GattService } from './gatt-server.ts';

/** What a peripheral sends in one advertising event. */
export interface AdvertisingPayload {
  /** AD structures; at most 31 bytes for the legacy kinds. */
  readonly data: Uint8Array;
  readonly scanResponse?: Uint8Array;
}

export type AdvertisingKind = 'connectable' | 'scannable' | 'non-connectable' | 'extended' | 'extended-connectable';

/** A device in radio range. Everything is asked for again at each advertising event, so it may change at will. */
export interface Peripheral {
  /** Identity address, upper case with colons. */
  readonly address: string;
  readonly addressType: 'public' | 'random';
  readonly kind: AdvertisingKind;
  /** Advertising interval; the controller adds the 0 … 10 ms of the specification. */
  readonly intervalMs: number;
  readonly rssiDbm: number;
  /** Share of advertising events that no receiver hears. */
  readonly lossRate?: number;
  /** Rotating resolvable private addresses instead of the identity address. */
  readonly privacy?: { readonly identityKey: Uint8Array; readonly rotateMs: number };
  readonly services?: readonly GattService[];
  /** `undefined`: nothing is sent this time, e.g. the battery is flat. */
  advertise(): AdvertisingPayload | undefined;
}

/** Six bytes, least significant first, as on air. */
export const addressBytes = (address: string): Uint8Array =>
  Uint8Array.from(address.split(':').toReversed(), (part) => Number.parseInt(part, 16));

export const addressText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .toReversed()
    .join(':')
    .toUpperCase();

/**
 * A fresh resolvable private address: 24 random bits marked 01 and their hash under the identity key.
 * @see Bluetooth Core Specification 5.4, Vol 6, Part B, §1.3.2.2 and Vol 3, Part H, §2.2.2
 */
export function resolvablePrivateAddress(identityKey: Uint8Array, chance: Chance): string {
  const random = chance.bytes(3);
  const top = ((random[0] ?? 0) & 0x3f) | 0x40;
  const prand = Uint8Array.of(top, random[1] ?? 0, random[2] ?? 0);
  const block = new Uint8Array(16);
  block.set(prand, 13);
  const cipher = createCipheriv('aes-128-ecb', identityKey, null).setAutoPadding(false);
  const hash = cipher.update(block).subarray(13, 16);
  return [...prand, ...hash]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')
    .toUpperCase();
}
