// advlib ships no types. Both modules answer `null` for frames they do not know or whose length is wrong.
declare module 'advlib-ble-services/lib/minew.js' {
  /** Service data of 0xFFE1, after the UUID. */
  export function process(data: Buffer): Readonly<Record<string, unknown>> | null;
}
declare module 'advlib-ble-manufacturers/lib/apple.js' {
  /** Manufacturer data of Apple, after the company id. */
  export function process(data: Buffer): Readonly<Record<string, unknown>> | null;
}
