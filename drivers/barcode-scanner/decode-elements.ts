import { hasGs1CheckDigit } from '../lib/gs1-check-digit.ts';
import { identifierAt, type ApplicationIdentifier, type Component } from './application-identifiers.ts';
import { GS } from './protocol.ts';

export interface Element {
  readonly ai: string;
  readonly value: string;
}

export type ElementsResult =
  { readonly ok: true; readonly elements: readonly Element[] } | { readonly ok: false; readonly code: ElementFault };

export type ElementFault =
  'empty' | 'unknown-identifier' | 'bad-length' | 'bad-character' | 'bad-check-digit' | 'too-many-elements';

/** More elements than any symbol can hold that is not made to hurt. */
export const MAX_ELEMENTS = 64;

const CHARACTER_SETS: Readonly<Record<Component['set'], RegExp>> = {
  N: /^\d*$/,
  X: /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*$/,
  Y: /^[#\-/0-9A-Z]*$/,
  Z: /^[A-Za-z0-9\-_=]*$/,
};

/**
 * Splits concatenated element strings. Lengths, character sets and check digits are judged, meanings (is 991399 a
 * date?) are not: a till must not refuse goods for the printer's calendar.
 */
export function decodeElements(text: string): ElementsResult {
  const elements: Element[] = [];
  let at = 0;
  while (at < text.length) {
    if (elements.length === MAX_ELEMENTS) return { ok: false, code: 'too-many-elements' };
    const identifier = identifierAt(text, at);
    if (identifier === undefined) return { ok: false, code: 'unknown-identifier' };
    at += identifier.ai.length;
    const end = valueEnd(identifier, text, at);
    const value = text.slice(at, end);
    const fault = valueFault(identifier, value);
    if (fault !== null) return { ok: false, code: fault };
    elements.push({ ai: identifier.ai, value });
    // A separator after a predefined length is superfluous but allowed (GS1 General Specifications 7.8.4).
    at = text[end] === GS ? end + 1 : end;
  }
  return elements.length === 0 ? { ok: false, code: 'empty' } : { ok: true, elements };
}

function valueEnd(identifier: ApplicationIdentifier, text: string, start: number): number {
  const separator = text.indexOf(GS, start);
  const furthest = separator === -1 ? text.length : separator;
  if (!identifier.predefinedLength) return furthest;
  return Math.min(furthest, start + identifier.components.reduce((sum, part) => sum + part.max, 0));
}

/** What is wrong with a value under its identifier; `null` when nothing is. */
export function valueFault(identifier: ApplicationIdentifier, value: string): ElementFault | null {
  let at = 0;
  for (const part of identifier.components) {
    const piece = value.slice(at, at + part.max);
    if (piece.length === 0 && part.optional) continue;
    if (piece.length < part.min) return 'bad-length';
    if (!CHARACTER_SETS[part.set].test(piece)) return 'bad-character';
    if (part.check === 'digit' && !hasGs1CheckDigit(piece)) return 'bad-check-digit';
    if (part.check === 'pair' && !hasCheckPair(piece)) return 'bad-check-digit';
    at += piece.length;
  }
  return at === value.length ? null : 'bad-length';
}

const SET_82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`;
const SET_32 = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];

/** Modulo 1021 over prime weights, the right-most character weighing 2 (GS1 General Specifications 7.9.5). */
function hasCheckPair(text: string): boolean {
  const body = text.slice(0, -2);
  if (body.length === 0 || body.length > PRIMES.length) return false;
  let sum = 0;
  for (let fromRight = 0; fromRight < body.length; fromRight += 1)
    sum += SET_82.indexOf(body.charAt(body.length - 1 - fromRight)) * (PRIMES[fromRight] ?? 0);
  const pair = sum % 1_021;
  return text.endsWith(SET_32.charAt(pair >> 5) + SET_32.charAt(pair & 31));
}
