import { pluggedPort } from '../wire/plugged-port.ts';
import { virtualScanner } from '../devices/barcode-scanner/scanner.ts';
import { virtualStripeReader } from '../devices/loyalty-reader/stripe-reader.ts';
import { PAYING_CUSTOMER } from '../devices/zvt-terminal/customer.ts';
import { VirtualTerminal } from '../devices/zvt-terminal/terminal.ts';
import type { KitContext, VirtualDevice } from './virtual-device.ts';

const byId = (context: KitContext): string => `${context.folder}/by-id`;

/** A handheld scanner on a virtual COM port. */
export async function scannerDevice(id: string, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Scanner_${id}`, { baudRate: 115_200 });
  const line = await port.plug();
  const scanner = virtualScanner(line);
  return {
    id,
    type: 'barcode-scanner',
    where: port.path,
    kitEntry: { id, type: 'barcode-scanner', port: port.path },
    files: {},
    hands: { scan: (gtin) => void scanner.scan({ symbology: 'ean-13', digits: gtin.slice(-13) }).catch(context.onBug) },
    subjects: [id],
    [Symbol.asyncDispose]: () => Promise.resolve(port[Symbol.asyncDispose]()),
  };
}

/** A swipe reader for loyalty cards. */
export async function loyaltyDevice(id: string, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Stripe_${id}`, { baudRate: 9_600 });
  const line = await port.plug();
  const reader = virtualStripeReader(line);
  const keyFile = `${id}.key`;
  return {
    id,
    type: 'loyalty-reader',
    where: port.path,
    kitEntry: { id, type: 'loyalty-reader', protocol: 'magstripe', port: port.path, pseudonymKey: { file: keyFile } },
    files: { [keyFile]: `${hex(context.chance.bytes(32))}\n` },
    hands: { swipe: (memberId) => void reader.swipe({ track2: `${memberId}=4912` }).catch(context.onBug) },
    subjects: [id],
    [Symbol.asyncDispose]: () => Promise.resolve(port[Symbol.asyncDispose]()),
  };
}

/** A ZVT terminal at 9600 8N2, with customers of whom some are declined. */
export async function terminalDevice(id: string, approve: number, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Terminal_${id}`, { baudRate: 9_600, bitsPerByte: 11 });
  const line = await port.plug();
  const off = new AbortController();
  const terminal = new VirtualTerminal({ clock: context.clock, currency: context.currency });
  terminal.customers.unshift(
    ...Array.from({ length: 512 }, () => ({
      ...PAYING_CUSTOMER,
      issuer: context.chance.float() < approve ? ('approve' as const) : ('decline' as const),
      hesitatesMs: 400 + context.chance.float() * 900,
    })),
  );
  const serving = terminal.serve(line, 'serial', AbortSignal.any([context.signal, off.signal])).catch(context.onBug);
  const keyFile = `${id}.pw`;
  return {
    id,
    type: 'zvt-terminal',
    where: port.path,
    kitEntry: { id, type: 'zvt-terminal', port: port.path, password: { file: keyFile } },
    files: { [keyFile]: '000000\n' },
    hands: {},
    subjects: [id],
    [Symbol.asyncDispose]: async () => {
      off.abort(new Error('switched off'));
      await port[Symbol.asyncDispose]();
      await serving;
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
