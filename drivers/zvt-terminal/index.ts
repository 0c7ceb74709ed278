import { z } from 'zod';
import type { Driver, DriverIo, DriverSession } from '../api/driver.ts';
import type { JsonObject } from '../api/reading.ts';
import { reopenSerial, type Reopening } from '../lib/reopening-link.ts';
import { passwordBytes } from './apdu.ts';
import { zvtConfig, type ZvtConfig } from './config.ts';
import { zvtErrors, zvtFailure } from './errors.ts';
import { currencyNumber } from './fields.ts';
import { zvtApdu, zvtFrame } from './formats.ts';
import { BUSY_WAIT_MS, RECOVERY_MS, T1_MS, T2_MS, T3_MS, T4_MS } from './protocol.ts';
import { ZvtSession } from './session.ts';

/** `barrow.payment.v1`, appended by the payment journal in the transaction that stores the outcome. */
const payment: z.ZodType<JsonObject> = z.looseObject({
  deviceId: z.string(),
  intentId: z.string(),
  outcome: z.enum(['approved', 'declined', 'unknown', 'reversed', 'refunded']),
  amountMinor: z.int(),
  currency: z.string(),
  terminalId: z.string().nullable(),
  receiptNo: z.int().nullable(),
  trace: z.int().nullable(),
  maskedPan: z.string().nullable(),
  reason: z.string().nullable(),
}) as unknown as z.ZodType<JsonObject>;

async function open(config: ZvtConfig, io: DriverIo, signal: AbortSignal): Promise<DriverSession> {
  const secret = await io.secret(config.password);
  const password = passwordBytes(new TextDecoder().decode(secret));
  if (password === undefined) throw zvtFailure('zvt-password');
  const currencyNumeric = currencyNumber(io.kit.currency);
  if (currencyNumeric === undefined) throw zvtFailure('zvt-currency', { detail: io.kit.currency });
  signal.throwIfAborted();
  const { timers } = config;
  const session = new ZvtSession({
    io,
    reopening: reopeningOf(config, io),
    transport: config.port === undefined ? 'tcp' : 'serial',
    timers: {
      t1Ms: timers?.t1Ms ?? T1_MS,
      t2Ms: timers?.t2Ms ?? T2_MS,
      t3Ms: timers?.t3Ms ?? T3_MS,
      t4Ms: timers?.t4Ms ?? T4_MS,
      busyWaitMs: timers?.busyWaitMs ?? BUSY_WAIT_MS,
    },
    recoveryMs: timers?.recoveryMs ?? RECOVERY_MS,
    password,
    configByte: Number.parseInt(config.configByte, 16),
    currencyNumeric,
  });
  session.start();
  return session;
}

function reopeningOf(config: ZvtConfig, io: DriverIo): Reopening {
  const { port, host, tcpPort, baud, usb } = config;
  if (port !== undefined)
    return reopenSerial(io, {
      path: port,
      baudRate: baud,
      stopBits: 2,
      ...(usb === undefined
        ? {}
        : {
            usb: {
              vendor: usb.vendor,
              product: usb.product,
              ...(usb.serial === undefined ? {} : { serial: usb.serial }),
            },
          }),
    });
  return { clock: io.clock, open: (signal) => io.tcp({ host: host ?? '', port: tcpPort }, signal) };
}

/** A card terminal that speaks ZVT over a serial line or TCP. */
export const driver: Driver<ZvtConfig> = {
  type: 'zvt-terminal',
  emits: [{ type: 'barrow.payment.v1', stream: 'sale', data: payment }],
  errors: zvtErrors,
  config: zvtConfig,
  example: { port: '/dev/serial/by-id/usb-Example_Terminal-if00', password: { file: 'zvt.pw' } },
  open,
  formats: { 'zvt-frame': zvtFrame, 'zvt-apdu': zvtApdu },
};
