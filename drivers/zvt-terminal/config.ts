import { z } from 'zod';
import { secretRef, type SecretRef } from '../api/secret.ts';
import { DEFAULT_CONFIG_BYTE, TCP_PORT } from './protocol.ts';

/** The driver's part of kit.yaml: `port`, or `host` and `tcpPort`. */
export interface ZvtConfig {
  /** A serial port, any path. */
  readonly port?: string | undefined;
  readonly baud: number;
  readonly usb?:
    { readonly vendor: string; readonly product: string; readonly serial?: string | undefined } | undefined;
  readonly host?: string | undefined;
  readonly tcpPort: number;
  /** Six digits: the terminal's cash register password. */
  readonly password: SecretRef;
  /**
   * Registration configuration byte (A 2.1) as two hex digits: 02 payment receipts by the till, 04 administration
   * receipts by the till, 08 intermediate status, 10 payments only from the till, 20 administration only from the till,
   * 80 receipts as print lines. BA unless said; B8 lets a terminal with a printer print its own receipts.
   */
  readonly configByte: string;
  readonly timers?:
    | {
        readonly t1Ms?: number | undefined;
        readonly t2Ms?: number | undefined;
        readonly t3Ms?: number | undefined;
        readonly t4Ms?: number | undefined;
        readonly busyWaitMs?: number | undefined;
        /** How long a cut payment waits for the terminal's word before an operator is asked. */
        readonly recoveryMs?: number | undefined;
      }
    | undefined;
}

const hex4 = z.string().regex(/^[0-9a-fA-F]{4}$/, 'must be four hex digits');
const ms = z.int().min(1).max(600_000).optional();

export const zvtConfig: z.ZodType<ZvtConfig> = z
  .strictObject({
    port: z.string().min(1).optional(),
    baud: z.int().min(300).max(921_600).default(9_600),
    usb: z.strictObject({ vendor: hex4, product: hex4, serial: z.string().min(1).optional() }).optional(),
    host: z.string().min(1).optional(),
    tcpPort: z.int().min(1).max(65_535).default(TCP_PORT),
    password: secretRef,
    configByte: z
      .string()
      .regex(/^[0-9a-fA-F]{2}$/, 'must be two hex digits in quotes')
      .default(DEFAULT_CONFIG_BYTE.toString(16)),
    timers: z.strictObject({ t1Ms: ms, t2Ms: ms, t3Ms: ms, t4Ms: ms, busyWaitMs: ms, recoveryMs: ms }).optional(),
  })
  .refine((config) => (config.port === undefined) !== (config.host === undefined), {
    message: 'needs either port (serial) or host (network)',
    path: ['port'],
  });
