import { maskCards } from '../lib/pan-scrub.ts';
import { hasGs1CheckDigit, toGtin14 } from '../lib/gs1-check-digit.ts';
import { decodeDigitalLink } from './decode-digital-link.ts';
import { decodeElements, type Element, type ElementFault } from './decode-elements.ts';
import {
  CODE_CHARACTERS,
  COMPOSITE_MARK,
  CR,
  ETX,
  IDENTIFIERS,
  LF,
  MAX_SCAN_BYTES,
  STX,
  type Symbology,
} from './protocol.ts';

/** What a scan says. `text` is absent where `gtin14` or `elements` say it all. */
export interface Scan {
  /** As in ISO/IEC 15424 and the GS1 General Specifications; `unknown` when the scanner sends no identifier. */
  readonly symbology: string;
  readonly gtin14?: string;
  readonly elements: readonly Element[];
  /** Plain content; what looks like a payment card's number is masked in it. */
  readonly text?: string;
}

type ScanFault = ElementFault | 'too-long' | 'unknown-symbology' | 'trailing-data';

export type ScanResult = { readonly ok: true; readonly scan: Scan } | { readonly ok: false; readonly code: ScanFault };

const SYMBOLOGY_ID_CHARACTERS = 3;

/** Cards of 12 or 13 digits are no longer issued, misprinted UPC-A and EAN-13 are. */
const GTIN_SHAPED = /^\d{12,13}$/;

/**
 * Reads one scan as the scanner sent it, with or without STX, CR, LF, ETX around it. Pure, never throws.
 * Under a GS1 identifier everything must be right; plain content is never refused.
 */
export function decodeScan(bytes: Uint8Array): ScanResult {
  const content = unframed(bytes);
  if (content.length === 0) return { ok: false, code: 'empty' };
  if (content.length > MAX_SCAN_BYTES) return { ok: false, code: 'too-long' };
  const text = decodeText(content);
  if (!text.startsWith(']')) return { ok: true, scan: bareScan(text) };
  const symbology = findSymbology(text.slice(1, SYMBOLOGY_ID_CHARACTERS));
  if (symbology === null) return { ok: false, code: 'unknown-symbology' };
  return decodeContent(symbology, text.slice(SYMBOLOGY_ID_CHARACTERS));
}

function unframed(bytes: Uint8Array): Uint8Array {
  let start = 0;
  let end = bytes.length;
  const isTail = (byte: number | undefined): boolean => byte === CR || byte === LF || byte === ETX;
  while (end > 0 && isTail(bytes[end - 1])) end -= 1;
  while (start < end && (bytes[start] === STX || bytes[start] === CR || bytes[start] === LF)) start += 1;
  return bytes.subarray(start, end);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Without an ECI the older symbologies mean ISO/IEC 8859-1.
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}

function findSymbology(identifier: string): Symbology | null {
  const special = IDENTIFIERS[identifier];
  if (special !== undefined) return special;
  const name = CODE_CHARACTERS[identifier.charAt(0)];
  return name !== undefined && /^.[0-9A-F]$/.test(identifier) ? { name, content: 'text' } : null;
}

function decodeContent(symbology: Symbology, data: string): ScanResult {
  switch (symbology.content) {
    case 'element-string':
      return elementScan(symbology.name, data);
    case 'ean-13':
      return eanScan(symbology.name, data, 13);
    case 'ean-8':
      return eanScan(symbology.name, data, 8);
    case 'ean-addon':
      return addOnScan(symbology.name, data);
    case 'itf':
      return itfScan(symbology.name, data);
    case 'text':
      return { ok: true, scan: textScan(symbology.name, data) };
  }
}

function elementScan(symbology: string, data: string): ScanResult {
  const result = decodeElements(data);
  if (!result.ok) return result;
  return { ok: true, scan: withElements(symbology, result.elements) };
}

function withElements(symbology: string, elements: readonly Element[]): Scan {
  const gtin14 = elements.find((element) => element.ai === '01')?.value;
  return { symbology, ...(gtin14 === undefined ? {} : { gtin14 }), elements: elements.map(withoutCard) };
}

/** Identifiers 90 to 99 are for anything that partners agree on; the others have a meaning that is no card. */
function withoutCard({ ai, value }: Element): Element {
  return { ai, value: /^9\d$/.test(ai) ? maskCards(value) : value };
}

function eanScan(symbology: string, data: string, digits: number): ScanResult {
  const primary = data.slice(0, digits);
  const rest = data.slice(digits);
  if (primary.length < digits) return { ok: false, code: 'bad-length' };
  if (!/^\d+$/.test(primary)) return { ok: false, code: 'bad-character' };
  if (!hasGs1CheckDigit(primary)) return { ok: false, code: 'bad-check-digit' };
  const scan = { symbology, gtin14: primary.padStart(14, '0'), elements: [] };
  if (rest === '') return { ok: true, scan };
  if (!rest.startsWith(COMPOSITE_MARK)) return { ok: false, code: 'trailing-data' };
  const composite = decodeElements(rest.slice(COMPOSITE_MARK.length));
  if (!composite.ok) return composite;
  return { ok: true, scan: { ...scan, elements: composite.elements.map(withoutCard) } };
}

/** EAN-13 or UPC with a two- or five-digit add-on in one message, as on magazines and books. */
function addOnScan(symbology: string, data: string): ScanResult {
  if (!/^\d*$/.test(data)) return { ok: false, code: 'bad-character' };
  if (data.length !== 15 && data.length !== 18) return { ok: false, code: 'bad-length' };
  const result = eanScan(symbology, data.slice(0, 13), 13);
  return result.ok ? { ok: true, scan: { ...result.scan, text: data.slice(13) } } : result;
}

/** Fourteen digits with a right check digit are an ITF-14; anything else under this symbology is somebody's number. */
function itfScan(symbology: string, data: string): ScanResult {
  const gtin14 = data.length === 14 ? toGtin14(data) : null;
  if (gtin14 !== null) return { ok: true, scan: { symbology: 'ITF-14', gtin14, elements: [] } };
  return { ok: true, scan: textScan(symbology, data) };
}

function textScan(symbology: string, data: string): Scan {
  const elements = decodeDigitalLink(data);
  if (elements === null) return { symbology, elements: [], text: GTIN_SHAPED.test(data) ? data : maskCards(data) };
  const scan = withElements(symbology, elements);
  const { gtin14 } = scan;
  // The GTIN has its check digit proven; only the rest of the URI could hide a card.
  const text = data
    .split('/')
    .map((part) => (gtin14 !== undefined && gtin14.endsWith(part) ? part : maskCards(part)))
    .join('/');
  return { ...scan, text };
}

/** A scanner without identifiers: only a length and a check digit tell a GTIN from any other number. */
function bareScan(text: string): Scan {
  const gtin14 = toGtin14(text);
  return gtin14 === null ? textScan('unknown', text) : { symbology: 'unknown', gtin14, elements: [] };
}
