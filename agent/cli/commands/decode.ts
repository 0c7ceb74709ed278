import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { DecodeOptions, Decoded, FormatDecoder, Measurement } from '../../../drivers/api/format.ts';
import { registry } from '../../../drivers/registry.ts';
import { cliFailure } from '../errors.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

interface Flags {
  readonly address?: string;
  readonly key?: string;
  readonly uuid?: string;
}

const KEY_BYTES = 16;
const ADDRESS_BYTES = 6;

const EXAMPLES = `
Examples:
  $ barrow decode ruuvi 0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F
  $ barrow decode bthome --address A4:C1:38:8D:18:B2 --key 231d39c1d7cc1ab1aee224cd096db932 41…
  $ barrow decode xiaomi-scale --uuid 181d 22…
  $ barrow decode barcode 5d4530323131323334353637383930300d
  $ cat capture.hex | barrow decode hci -        one line of hex in, one line of JSON out

The bytes may be written in either case, with spaces, colons or dashes between them.
Exit status: 0 understood, 1 refused (the error says why), 2 not hexadecimal or no such format.`;

/** Every format that some driver family reads, by name. */
async function allFormats(): Promise<ReadonlyMap<string, FormatDecoder>> {
  const drivers = await Promise.all(Object.values(registry).map((load) => load()));
  const found = drivers.flatMap((driver) => Object.entries(driver.formats ?? {}));
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function parseHex(text: string, what: string, length?: number): Uint8Array {
  const digits = text.replaceAll(/[\s:-]/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) throw cliFailure('not-hex', { detail: what });
  const bytes = Uint8Array.from(Buffer.from(digits, 'hex'));
  if (length !== undefined && bytes.length !== length)
    throw cliFailure('usage', { detail: `${what} has ${bytes.length} bytes instead of ${length}` });
  return bytes;
}

function parseOptions(flags: Flags): DecodeOptions {
  return {
    ...(flags.address === undefined ? {} : { address: formatAddress(flags.address) }),
    ...(flags.key === undefined ? {} : { key: parseHex(flags.key, '--key', KEY_BYTES) }),
    ...(flags.uuid === undefined ? {} : { uuid: formatUuid(flags.uuid) }),
  };
}

function formatAddress(text: string): string {
  const bytes = parseHex(text, '--address', ADDRESS_BYTES);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
}

function formatUuid(text: string): string {
  const uuid = text.replace(/^0x/i, '').replaceAll('-', '').toLowerCase();
  if (!/^(?:[0-9a-f]{4}|[0-9a-f]{32})$/.test(uuid))
    throw cliFailure('usage', { detail: `--uuid ${text} is no 16-bit or 128-bit UUID` });
  return uuid;
}

async function decodeLines(io: CommandIo, decode: (hex: string) => Promise<ExitStatus>): Promise<ExitStatus> {
  const lines = createInterface({ input: process.stdin, signal: io.signal, crlfDelay: Number.POSITIVE_INFINITY });
  let worst: ExitStatus = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    if ((await decode(line)) !== 0) worst = 1;
  }
  return worst;
}

function describe(format: string, decoded: Decoded): readonly string[] {
  if (!decoded.ok) {
    const { code, message } = decoded.error;
    return [`${format}: refused: ${message} (${code})`];
  }
  const { ok: _, measurements, ...rest } = decoded;
  const lines = ((measurements ?? []) as readonly Measurement[]).map(
    ({ name, value, unit }) => `  ${name.padEnd(24)} ${String(value)}${unit === undefined ? '' : ` ${unit}`}`,
  );
  const facts = Object.entries(rest).map(
    ([name, value]) => `  ${name.padEnd(24)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [format, ...lines, ...facts];
}

async function run(io: CommandIo, format: string, hex: string, flags: Flags): Promise<ExitStatus> {
  const formats = await allFormats();
  const decoder = formats.get(format);
  if (decoder === undefined)
    throw cliFailure('usage', {
      detail: `there is no format ${format}`,
      hint: `The formats are ${[...formats.keys()].join(', ')}`,
    });
  const options = parseOptions(flags);
  const decode = async (text: string): Promise<ExitStatus> => {
    const decoded = decoder(parseHex(text, 'HEX'), options);
    if (io.json || !io.tty) await io.out(JSON.stringify({ format, ...decoded }));
    else for (const line of describe(format, decoded)) await io.out(line);
    return decoded.ok ? 0 : 1;
  };
  return hex === '-' ? decodeLines(io, decode) : decode(hex);
}

/** `barrow decode FORMAT HEX`: what do these bytes say. */
export const command: CommandModule = {
  build: (bind) =>
    new Command('decode')
      .description('Say what bytes of a sensor, terminal, reader or scanner mean')
      .argument('<format>', 'bthome, ruuvi, zvt-frame, magstripe, barcode … (a wrong one lists them all)')
      .argument('<hex...>', 'the bytes; - reads one message a line from stdin')
      .option('--address <mac>', 'address of the sender, for encrypted adverts')
      .option('--key <hex>', 'key of 32 hex digits')
      .option('--uuid <uuid>', 'service UUID that the bytes came under')
      .addHelpText('after', EXAMPLES)
      .action(bind(async (io, format: string, hex: string[], flags: Flags) => run(io, format, hex.join(' '), flags))),
};
