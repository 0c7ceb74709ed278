import { code as currencyByCode } from 'currency-codes';
import { z } from 'zod';
import { secretRef, type SecretRef } from '../../drivers/api/secret.ts';
import { durationMs, sizeBytes } from './units.ts';

export interface KitSection {
  readonly id: string;
  readonly node?: string | undefined;
  readonly group?: string | undefined;
  readonly currency: string;
  readonly timezone: string;
  /** RFC 3339; when the pop-up opens and closes for good. */
  readonly opens?: string | undefined;
  readonly closes?: string | undefined;
}

export interface BrokerSection {
  readonly url: string;
  readonly protocol: 'auto' | '5' | '3.1.1';
  readonly profile: 'generic' | 'aws';
  readonly clientId?: string | undefined;
  readonly username?: string | SecretRef | undefined;
  readonly password?: SecretRef | undefined;
  readonly ca?: SecretRef | undefined;
  readonly cert?: SecretRef | undefined;
  readonly key?: SecretRef | undefined;
}

export interface PricingSection {
  readonly trust: readonly SecretRef[];
  /** A bundle file to start from, relative to kit.yaml's folder. */
  readonly bundle?: string | undefined;
}

/** kit.yaml as written down, defaults filled in; the drivers' own parts are checked by their drivers. */
export interface KitFile {
  readonly kit: KitSection;
  readonly state: string;
  readonly broker?: BrokerSection | undefined;
  readonly api: { readonly listen: string; readonly token?: SecretRef | undefined };
  readonly ledger: { readonly maxBytes: number; readonly retainAcked: number };
  readonly drivers: readonly { readonly id: string; readonly type: string; readonly [option: string]: unknown }[];
  /** A folder with further drivers, one sub-folder each. */
  readonly driverFolder?: string | undefined;
  readonly pricing?: PricingSection | undefined;
  readonly mdns: boolean;
  readonly homeAssistant: boolean;
}

/** What a name in topics, ids and file names may be. */
export const NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const name = z
  .string()
  .regex(NAME, 'letters, digits, dot, underscore and hyphen, at most 64, starting with a letter or digit');

const instant = z.iso.datetime({ offset: true, message: 'a time such as 2026-11-27T09:00:00Z' });
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as GBP')
  .refine((text) => currencyByCode(text) !== undefined, 'an ISO 4217 code such as GBP');
const timezone = z.string().refine(isTimezone, 'an IANA time zone such as Europe/London');
const brokerUrl = z.string().regex(/^mqtts?:\/\/[^\s/]+/, 'a URL such as mqtt://127.0.0.1:1883 or mqtts://…');
/** `host:port`; an IPv6 host in brackets; port 0 takes a free one. */
const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'an address and port such as 127.0.0.1:8080');

const MIB = 1024 * 1024;

export const kitSection: z.ZodType<KitSection> = z.strictObject({
  id: name,
  node: name.optional(),
  group: name.optional(),
  currency,
  timezone,
  opens: instant.optional(),
  closes: instant.optional(),
});

export const kitFile: z.ZodType<KitFile> = z.strictObject({
  kit: kitSection,
  state: z.string().min(1),
  broker: z
    .strictObject({
      url: brokerUrl,
      protocol: z.union([z.enum(['auto', '5', '3.1.1']), z.literal(5).transform(() => '5' as const)]).default('auto'),
      profile: z.enum(['generic', 'aws']).default('generic'),
      clientId: z.string().min(1).max(128).optional(),
      username: z.union([z.string().min(1), secretRef]).optional(),
      password: secretRef.optional(),
      ca: secretRef.optional(),
      cert: secretRef.optional(),
      key: secretRef.optional(),
    })
    .optional(),
  api: z
    .strictObject({ listen: listen.default('127.0.0.1:8080'), token: secretRef.optional() })
    .default({ listen: '127.0.0.1:8080' }),
  ledger: z
    .strictObject({
      maxBytes: sizeBytes.refine((bytes) => bytes >= 4 * MIB, 'at least 4MiB').default(256 * MIB),
      retainAcked: durationMs.default(72 * 3_600_000),
    })
    .default({ maxBytes: 256 * MIB, retainAcked: 72 * 3_600_000 }),
  drivers: z
    .array(z.looseObject({ id: name, type: z.string().min(1) }))
    .max(64, 'at most 64 drivers')
    .default([]),
  driverFolder: z.string().min(1).optional(),
  pricing: z.strictObject({ trust: z.array(secretRef).min(1), bundle: z.string().min(1).optional() }).optional(),
  mdns: z.boolean().default(false),
  homeAssistant: z.boolean().default(false),
});

function isTimezone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
