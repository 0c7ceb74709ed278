import { z } from 'zod';
import type { Driver, DriverIo, DriverSession, Emission } from '../api/driver.ts';
import { secretRef, type SecretRef } from '../api/secret.ts';
import { reopenSerial } from '../lib/reopening-link.ts';
import { serialOptions, serialPort, type SerialPortConfig } from '../lib/serial-config.ts';
import { loyaltyErrors } from './errors.ts';
import { magstripe, pn532 } from './formats.ts';
import { identity } from './identity.ts';
import { magstripeReadings } from './magstripe-session.ts';
import { pn532Readings } from './pn532-session.ts';
import { pseudonymizer } from './pseudonym.ts';

interface CommonConfig extends SerialPortConfig {
  /** The merchant's key of this epoch. Without it the reader runs and drops every id. */
  readonly pseudonymKey?: SecretRef;
  /** The key before, for as long as old and new pseudonyms are to be linked. */
  readonly previousKey?: SecretRef;
  /** Only ids that begin so are this merchant's. */
  readonly prefix?: string;
  /** The same customer again within this time (ms since last seen) is the same presentation. */
  readonly doubleTapMs: number;
}

export type LoyaltyReaderConfig =
  | (CommonConfig & {
      readonly protocol: 'magstripe';
      /** Hexadecimal bytes that set the reader up, sent after each open. */
      readonly setup?: string;
    })
  | (CommonConfig & {
      readonly protocol: 'pn532';
      /** `uid` (default): the chip's own number. `ndef`: the text or URI that is written on the tag. */
      readonly idFrom: 'uid' | 'ndef';
    });

const common = {
  pseudonymKey: z.exactOptional(secretRef),
  previousKey: z.exactOptional(secretRef),
  prefix: z.exactOptional(z.string().regex(/^[\x20-\x7e]{1,19}$/)),
  doubleTapMs: z.int().min(0).max(60_000).default(1_500),
};

const config: z.ZodType<LoyaltyReaderConfig> = z.discriminatedUnion('protocol', [
  z.strictObject({
    protocol: z.literal('magstripe'),
    ...serialPort(9_600),
    ...common,
    setup: z.exactOptional(z.string().regex(/^(?:[0-9a-f]{2})+$/i, { error: 'must be hexadecimal bytes' })),
  }),
  z.strictObject({
    protocol: z.literal('pn532'),
    ...serialPort(115_200),
    ...common,
    idFrom: z.enum(['uid', 'ndef']).default('uid'),
  }),
]);

const pseudonym = { keyId: z.string().regex(/^[0-9a-f]{16}$/), pseudonym: z.string().regex(/^[0-9a-f]{64}$/) };

const loyaltyEmission: Emission = {
  type: 'barrow.loyalty.v1',
  stream: 'scan',
  data: z.strictObject({
    readerId: z.string(),
    ...pseudonym,
    /** The pseudonym under the key before, once per customer while keys are changed. */
    previous: z.exactOptional(z.strictObject(pseudonym)),
  }),
};

function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

async function open(settings: LoyaltyReaderConfig, io: DriverIo): Promise<DriverSession> {
  const current = settings.pseudonymKey === undefined ? undefined : await io.secret(settings.pseudonymKey);
  const previous = settings.previousKey === undefined ? undefined : await io.secret(settings.previousKey);
  const hasKey = current !== undefined && current.length > 0;
  const who = identity({
    io,
    pseudonymOf: hasKey ? pseudonymizer({ current, ...(previous === undefined ? {} : { previous }) }) : undefined,
    keyBytes: current?.length ?? 0,
    prefix: settings.prefix,
    doubleTapMs: settings.doubleTapMs,
  });
  const closed = new AbortController();
  const port = reopenSerial(io, serialOptions(settings));
  return {
    tellsState: true,
    readings: (signal) => {
      const stop = AbortSignal.any([signal, closed.signal]);
      if (settings.protocol === 'pn532') {
        const { idFrom } = settings;
        return pn532Readings({ port, identity: who, idFrom, clock: io.clock, log: io.log }, stop);
      }
      const setup = settings.setup === undefined ? undefined : bytesOfHex(settings.setup);
      return magstripeReadings({ port, identity: who, log: io.log, setup }, stop);
    },
    [Symbol.asyncDispose]: async () => {
      closed.abort();
      await port.close();
    },
  };
}

/** Loyalty cards by magnetic stripe (ASCII over a virtual COM port) or contactless tag (PN532 over HSU), as pseudonyms. */
export const driver: Driver<LoyaltyReaderConfig> = {
  type: 'loyalty-reader',
  emits: [loyaltyEmission],
  errors: loyaltyErrors,
  config,
  example: {
    protocol: 'magstripe',
    port: '/dev/serial/by-id/usb-Mag-Tek_USB_Swipe_Reader-if00',
    pseudonymKey: { file: 'loyalty.key' },
    prefix: '9900',
  },
  open,
  formats: { magstripe, pn532 },
};
