/** Group separator: how a scanner transmits an FNC1 that ends an element string (GS1 General Specifications 7.8.3). */
export const GS = '\u001d';

export const STX = 0x02;
export const ETX = 0x03;
export const LF = 0x0a;
export const CR = 0x0d;

/** Longest symbol content: a QR code version 40-L holds 7,089 digits (ISO/IEC 18004 table 7). */
export const MAX_SCAN_BYTES: number = 7_089 + 16;

/** Begins the composite component after an EAN/UPC (GS1 General Specifications 5.11). */
export const COMPOSITE_MARK = '|]e0';

/** What the data after a symbology identifier is. */
type Content = 'element-string' | 'ean-13' | 'ean-8' | 'ean-addon' | 'itf' | 'text';

export interface Symbology {
  readonly name: string;
  readonly content: Content;
}

/** Symbology identifiers whose modifier changes the meaning (ISO/IEC 15424 annex F, GS1 General Specifications 5.1.3). */
export const IDENTIFIERS: Readonly<Record<string, Symbology>> = {
  E0: { name: 'EAN-13', content: 'ean-13' },
  E3: { name: 'EAN-13', content: 'ean-addon' },
  E4: { name: 'EAN-8', content: 'ean-8' },
  C1: { name: 'GS1-128', content: 'element-string' },
  e0: { name: 'GS1 DataBar', content: 'element-string' },
  d2: { name: 'GS1 DataMatrix', content: 'element-string' },
  d5: { name: 'GS1 DataMatrix', content: 'element-string' },
  Q3: { name: 'GS1 QR', content: 'element-string' },
  Q4: { name: 'GS1 QR', content: 'element-string' },
  J1: { name: 'GS1 DotCode', content: 'element-string' },
  J4: { name: 'GS1 DotCode', content: 'element-string' },
  z1: { name: 'GS1 Aztec', content: 'element-string' },
  z4: { name: 'GS1 Aztec', content: 'element-string' },
  I0: { name: 'ITF', content: 'itf' },
  I1: { name: 'ITF', content: 'itf' },
};

/** Code characters of ISO/IEC 15424 whose content is plain text under every other modifier. */
export const CODE_CHARACTERS: Readonly<Record<string, string>> = {
  A: 'Code 39',
  B: 'Telepen',
  C: 'Code 128',
  D: 'Code One',
  E: 'EAN add-on',
  F: 'Codabar',
  G: 'Code 93',
  H: 'Code 11',
  I: 'ITF',
  J: 'DotCode',
  K: 'Code 16K',
  L: 'PDF417',
  M: 'MSI',
  N: 'Anker',
  O: 'Codablock',
  P: 'Plessey',
  Q: 'QR',
  R: 'Straight 2 of 5',
  S: 'Straight 2 of 5',
  T: 'Code 49',
  U: 'MaxiCode',
  X: 'other',
  Z: 'no barcode',
  c: 'Channel Code',
  d: 'Data Matrix',
  e: 'GS1 Composite',
  h: 'Han Xin',
  o: 'OCR',
  p: 'PosiCode',
  s: 'SuperCode',
  z: 'Aztec',
};
