import { z } from 'zod';
import type { SerialOptions } from '../api/transports.ts';

/** The identity that a USB device must have: four hex digits each, the serial number where it has one. */
interface UsbConfig {
  readonly vendor: string;
  readonly product: string;
  readonly serial?: string;
}

/** What kit.yaml says of a serial port, the same for every family on one. */
export interface SerialPortConfig {
  readonly port: string;
  readonly baud: number;
  readonly usb?: UsbConfig;
}

const hex4: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{4}$/i, { error: 'must be four hexadecimal digits, in quotes' });

const usb: z.ZodType<UsbConfig> = z.strictObject({
  vendor: hex4,
  product: hex4,
  serial: z.exactOptional(z.string().min(1)),
});

export interface SerialPortShape {
  readonly port: z.ZodType<string>;
  readonly baud: z.ZodDefault<z.ZodType<number>>;
  readonly usb: z.ZodExactOptional<z.ZodType<UsbConfig>>;
}

/** The keys of {@link SerialPortConfig} for a family's own schema: `z.strictObject({ ...serialPort(9_600), … })`. */
export function serialPort(defaultBaud: number): SerialPortShape {
  const baud: z.ZodType<number> = z.int().min(50).max(4_000_000);
  return { port: z.string().min(1), baud: baud.default(defaultBaud), usb: z.exactOptional(usb) };
}

/** Those keys as the host's options, with the line's own framing. */
export function serialOptions(
  config: SerialPortConfig,
  framing: Pick<SerialOptions, 'stopBits' | 'parity'> = {},
): SerialOptions {
  return {
    path: config.port,
    baudRate: config.baud,
    ...framing,
    ...(config.usb === undefined ? {} : { usb: config.usb }),
  };
}
