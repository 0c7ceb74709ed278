import { pluggedPort, type PluggedPort } from '../wire/plugged-port.ts';
import type { Pty } from '../wire/pty.ts';
import type { DeviceLine } from '../devices/device-line.ts';
import { virtualScanner } from '../devices/barcode-scanner/scanner.ts';
import { virtualStripeReader } from '../devices/loyalty-reader/stripe-reader.ts';
import { PAYING_CUSTOMER, type TerminalFaults } from '../devices/zvt-terminal/customer.ts';
import { VirtualTerminal } from '../devices/zvt-terminal/terminal.ts';
import type { KitContext, Trouble, VirtualDevice } from './virtual-device.ts';

const byId = (context: KitContext): string => `${context.folder}/by-id`;

/** What a device says when its plug is pulled, or while it is out, is heard by nobody and is no fault of the simulation. */
async function say(line: Pty | undefined, bytes: Uint8Array): Promise<void> {
  try {
    await line?.write(bytes);
  } catch (error) {
    if (line?.open === true) throw error;
  }
}

/** The device's end of whatever line is plugged in at the moment. */
function plugOf(port: PluggedPort): Pick<DeviceLine, 'write'> {
  return { write: (bytes) => say(port.line, bytes) };
}

function unpluggable(port: PluggedPort): Trouble {
  return {
    begins: () => port.unplug(),
    ends: async () => {
      await port.plug();
    },
  };
}

/** A handheld scanner on a virtual COM port. */
export async function scannerDevice(id: string, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Scanner_${id}`, { baudRate: 115_200 });
  await port.plug();
  const scanner = virtualScanner(plugOf(port));
  return {
    id,
    type: 'barcode-scanner',
    where: port.path,
    kitEntry: { id, type: 'barcode-scanner', port: port.path },
    files: {},
    hands: { scan: (gtin) => void scanner.scan({ symbology: 'ean-13', digits: gtin.slice(-13) }).catch(context.onBug) },
    troubles: { unplugged: unpluggable(port) },
    subjects: [id],
    [Symbol.asyncDispose]: () => Promise.resolve(port[Symbol.asyncDispose]()),
  };
}

/** A swipe reader for loyalty cards. */
export async function loyaltyDevice(id: string, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Stripe_${id}`, { baudRate: 9_600 });
  await port.plug();
  const reader = virtualStripeReader(plugOf(port));
  const keyFile = `${id}.key`;
  return {
    id,
    type: 'loyalty-reader',
    where: port.path,
    kitEntry: { id, type: 'loyalty-reader', protocol: 'magstripe', port: port.path, pseudonymKey: { file: keyFile } },
    files: { [keyFile]: `${hex(context.chance.bytes(32))}\n` },
    hands: { swipe: (memberId) => void reader.swipe({ track2: `${memberId}=4912` }).catch(context.onBug) },
    troubles: { unplugged: unpluggable(port) },
    subjects: [id],
    [Symbol.asyncDispose]: () => Promise.resolve(port[Symbol.asyncDispose]()),
  };
}

/** A ZVT terminal at 9600 8N2, with customers of whom some are declined. */
export async function terminalDevice(id: string, approve: number, context: KitContext): Promise<VirtualDevice> {
  const port = await pluggedPort(byId(context), `usb-Virtual_Terminal_${id}`, { baudRate: 9_600, bitsPerByte: 11 });
  const off = new AbortController();
  const signal = AbortSignal.any([context.signal, off.signal]);
  const terminal = new VirtualTerminal({ clock: context.clock, currency: context.currency });
  terminal.customers.unshift(
    ...Array.from({ length: 512 }, () => ({
      ...PAYING_CUSTOMER,
      issuer: context.chance.float() < approve ? ('approve' as const) : ('decline' as const),
      hesitatesMs: 400 + context.chance.float() * 900,
    })),
  );
  let serving: Promise<void> = Promise.resolve();
  const plug = async (): Promise<void> => {
    const line = await port.plug();
    const end: DeviceLine = { write: (bytes) => say(line, bytes), chunks: (until) => line.chunks(until) };
    serving = terminal.serve(end, 'serial', signal).catch(context.onBug);
  };
  const unplug = async (): Promise<void> => {
    await port.unplug();
    await serving;
  };
  await plug();
  const keyFile = `${id}.pw`;
  return {
    id,
    type: 'zvt-terminal',
    where: port.path,
    kitEntry: { id, type: 'zvt-terminal', port: port.path, password: { file: keyFile } },
    files: { [keyFile]: '000000\n' },
    hands: { charges: () => terminal.book.entries.map(({ state }) => state) },
    troubles: {
      unplugged: { begins: unplug, ends: plug },
      'power-lost': {
        begins: async () => {
          terminal.powerLost();
          await unplug();
        },
        ends: plug,
      },
      ...strikes(terminal.faults),
    },
    subjects: [id],
    [Symbol.asyncDispose]: async () => {
      off.abort(new Error('switched off'));
      await port[Symbol.asyncDispose]();
      await serving;
    },
  };
}

function strikes(faults: TerminalFaults): Readonly<Record<string, Trouble>> {
  const names: readonly (readonly [string, keyof TerminalFaults])[] = [
    ['deaf', 'deaf'],
    ['busy', 'busy'],
    ['refuses-blocks', 'nak'],
    ['wrong-checksum', 'wrongCrc'],
    ['repeats-status', 'duplicateStatus'],
    ['shows-card-data', 'unmasked'],
  ];
  return Object.fromEntries(
    names.map(([name, fault]): [string, Trouble] => [
      name,
      {
        begins: (times) => {
          faults[fault] += times;
        },
      },
    ]),
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
