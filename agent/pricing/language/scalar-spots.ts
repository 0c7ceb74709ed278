/** How a text is written in the source: as it is (YAML plain and block), in single or in double quotes (JSON too). */
export type ScalarStyle = 'plain' | 'single' | 'double';

/** Escapes of YAML and JSON that stand for white space or for nothing at all. */
const BLANK_ESCAPE = /^(?:[ntrv_NLP \t]|x(?:09|0[aAdD]|20)|u(?:0009|000[aAdD]|0020)|\r?\n)$/;

export interface Scalar {
  /** The opening quote, or the first character of the body. */
  readonly start: number;
  readonly style: ScalarStyle;
  readonly value: string;
}

/**
 * Where in the source the character at `offset` of a text's value stands. Folding and indentation change white space
 * only, so the nth character that is no white space is the nth in both; a condition depends on no more than that.
 * An offset past the end gives the place behind the last character.
 */
export function scalarSpot(source: string, { start, style, value }: Scalar, offset: number): number {
  const index = solid(value.slice(0, offset));
  const spots = style === 'plain' ? plainSpots(source, start, solid(value)) : quotedSpots(source, start, style);
  return spots[index] ?? (spots.at(-1) ?? start) + 1;
}

function solid(text: string): number {
  return text.replaceAll(/\s/g, '').length;
}

function plainSpots(source: string, start: number, wanted: number): number[] {
  const spots: number[] = [];
  for (let at = start; at < source.length && spots.length < wanted; at += 1) if (!isSpace(source[at])) spots.push(at);
  return spots;
}

function quotedSpots(source: string, start: number, style: 'single' | 'double'): number[] {
  const quote = style === 'single' ? "'" : '"';
  const spots: number[] = [];
  for (let at = start + 1; at < source.length; at += 1) {
    const char = source[at];
    if (char === quote) {
      if (style !== 'single' || source[at + 1] !== quote) break;
      spots.push(at);
      at += 1;
    } else if (char === '\\' && style === 'double') {
      const length = escapeLength(source, at + 1);
      if (!BLANK_ESCAPE.test(source.slice(at + 1, at + 1 + length))) spots.push(at);
      at += length;
    } else if (!isSpace(char)) spots.push(at);
  }
  return spots;
}

function escapeLength(source: string, at: number): number {
  const char = source[at];
  if (char === 'x') return 3;
  if (char === 'u') return 5;
  if (char === 'U') return 9;
  return char === '\r' && source[at + 1] === '\n' ? 2 : 1;
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
