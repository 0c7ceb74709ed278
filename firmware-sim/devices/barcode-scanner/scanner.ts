import type { DeviceLine } from '../device-line.ts';

/** A printed code in front of the scanner. */
export type PrintedCode =
  /** EAN-13, UPC-A or UPC-E: scanners send all three as 13 digits. */
  | { readonly symbology: 'ean-13'; readonly digits: string }
  | { readonly symbology: 'ean-8'; readonly digits: string }
  | {
      readonly symbology: 'gs1-128' | 'gs1-datamatrix' | 'gs1-qr' | 'gs1-databar';
      readonly elements: readonly (readonly [ai: string, value: string])[];
    }
  | { readonly symbology: 'qr' | 'code-128'; readonly text: string };

export interface ScannerSetup {
  /** Whether AIM identifiers are switched on (default), as a till wants them. */
  readonly identifiers?: boolean;
  /** What ends a scan; CR from the factory. */
  readonly suffix?: string;
}

const IDENTIFIER: Readonly<Record<PrintedCode['symbology'], string>> = {
  'ean-13': ']E0',
  'ean-8': ']E4',
  'gs1-128': ']C1',
  'gs1-datamatrix': ']d2',
  'gs1-qr': ']Q3',
  'gs1-databar': ']e0',
  qr: ']Q1',
  'code-128': ']C0',
};

/** First two digits of the identifiers that need no separator (GS1 General Specifications, figure 7.8.5-2). */
const PREDEFINED = /^(?:0[0-4]|1[1-9]|20|3[1-6]|41)/;

const FNC1 = '\u001d';

/** What a scanner sends for a code. */
export function scanMessage(code: PrintedCode, setup: ScannerSetup = {}): Uint8Array {
  const identifier = setup.identifiers === false ? '' : IDENTIFIER[code.symbology];
  return new TextEncoder().encode(identifier + content(code) + (setup.suffix ?? '\r'));
}

function content(code: PrintedCode): string {
  if ('digits' in code) return code.digits;
  if ('text' in code) return code.text;
  const last = code.elements.length - 1;
  return code.elements.map(([ai, value], at) => ai + value + (at < last && !PREDEFINED.test(ai) ? FNC1 : '')).join('');
}

/** A handheld scanner on a line. */
export interface VirtualScanner {
  scan(code: PrintedCode): Promise<void>;
  /** A cordless one back in range: everything that it stored comes in one piece. */
  dump(codes: readonly PrintedCode[]): Promise<void>;
}

export function virtualScanner(line: Pick<DeviceLine, 'write'>, setup: ScannerSetup = {}): VirtualScanner {
  return {
    scan: (code) => line.write(scanMessage(code, setup)),
    dump: (codes) => {
      const messages = codes.map((code) => scanMessage(code, setup));
      const all = new Uint8Array(messages.reduce((sum, message) => sum + message.length, 0));
      let at = 0;
      for (const message of messages) {
        all.set(message, at);
        at += message.length;
      }
      return line.write(all);
    },
  };
}
