import type { Json } from '../../drivers/api/reading.ts';
import { maskCards } from '../../drivers/lib/pan-scrub.ts';
import { isPaymentPan } from '../../drivers/lib/payment-card.ts';
import { holdsCardNumber } from '../till/card-guard.ts';

/** Longest text of a support bundle: an error's sentence with its circumstance. */
export const TEXT_CHARS_MAX = 300;

/** Shorter secrets stand in ordinary text by chance; a terminal's password has six digits. */
const SECRET_CHARS_MIN = 6;

/** A line of a key file that is long enough to be that file's and no other's. */
const SECRET_LINE_CHARS_MIN = 16;

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const URL_IN_TEXT = /\b([a-z][a-z0-9+.-]*):\/\/[^\s"'<>]+/gi;
/** What has no place in a line of text: C0, DEL and C1. */
const CONTROLS = /\p{Cc}/gu;

/** Makes text fit to leave the kit, and counts what it kept back. */
export interface Redactor {
  /** How many values were withheld whole. */
  readonly withheld: number;
  /** Text without controls, card numbers, credentials in addresses; withheld whole where a secret stands in it. */
  text(value: string): string;
  /** A whole number, a flag or `null` as it is; a number that could be a card's is withheld. */
  scalar(value: number | boolean | null): Json;
  /** A property's name, `null` when it is not one that a program would give. */
  name(key: string): string | null;
}

/**
 * @param secrets the kit's own secrets as text; none of them leaves as text, in hex or in base64
 */
export function makeRedactor(secrets: readonly string[]): Redactor {
  const canaries = secrets.flatMap(formsOf);
  let withheld = 0;
  const withhold = (why: string): string => {
    withheld += 1;
    return `[withheld: ${why}]`;
  };
  const text = (value: string): string => {
    const flat = value.replaceAll(CONTROLS, ' ');
    if (canaries.some((isIn) => isIn(flat))) return withhold('a secret');
    const clean = maskCards(flat.replaceAll(URL_IN_TEXT, (url) => bareUrl(url)));
    if (holdsCardNumber(clean) || hidesCardNumber(clean)) return withhold('looks like a card number');
    return clean.length > TEXT_CHARS_MAX ? `${clean.slice(0, TEXT_CHARS_MAX)}…` : clean;
  };
  return {
    get withheld() {
      return withheld;
    },
    text,
    scalar: (value) =>
      typeof value === 'number' && (!Number.isFinite(value) || text(String(value)) !== String(value))
        ? withhold('a number')
        : value,
    name: (key) => (NAME.test(key) && text(key) === key ? key : null),
  };
}

/** An address without user, password, path and query: any of them may be a credential. */
export function bareUrl(url: string): string {
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#@]*)(.*)$/i.exec(url);
  if (parts === null) return '[withheld: an address]';
  const [, scheme = '', host = '', rest = ''] = parts;
  return `${scheme}${host}${rest === '' || rest === '/' ? rest : '/…'}`;
}

/** Adds a redacted property; what has no proper name is left out. */
export function putRedacted(redactor: Redactor, into: Record<string, Json>, key: string, value: Json): void {
  const name = redactor.name(key);
  if (name !== null) into[name] = value;
}

/** What stands for a text of which only its being there may be told. */
export function lengthOnly(value: string): string {
  return `[text, ${value.length} characters]`;
}

/** The forms in which a secret could leave. Digits are looked for as a whole number, as six zeros stand everywhere. */
function formsOf(secret: string): readonly ((text: string) => boolean)[] {
  const lines = secret
    .split(/\r?\n/)
    .filter((line) => line.length >= SECRET_LINE_CHARS_MIN && !line.startsWith('-----'));
  const whole = secret.includes('\n') ? [] : [secret];
  return [...whole, ...lines]
    .filter((form) => form.length >= SECRET_CHARS_MIN)
    .flatMap((form) => {
      if (/^\d+$/.test(form)) {
        const number = new RegExp(`(?<!\\d)${form}(?!\\d)`);
        return [(text: string) => number.test(text)];
      }
      const bytes = new TextEncoder().encode(form);
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      // The last group of base64 depends on what follows; the groups before it do not.
      const base64 = btoa(String.fromCharCode(...bytes))
        .replace(/=+$/, '')
        .slice(0, Math.floor(bytes.length / 3) * 4);
      const plain = form.toLowerCase();
      return [
        (text: string) =>
          text.toLowerCase().includes(plain) || text.toLowerCase().includes(hex) || text.includes(base64),
      ];
    });
}

/** Lengths of issued card numbers (ISO/IEC 7812-1). */
const CARD_DIGITS = [13, 14, 15, 16, 17, 18, 19] as const;
const LONG_RUN = /\d(?:[ -]?\d){12,}/g;

/**
 * True when any window of a longer run of digits is a card's number. Too strict for events, where every long number
 * would go; a support bundle can spare them.
 */
function hidesCardNumber(text: string): boolean {
  for (const [run] of text.matchAll(LONG_RUN)) {
    const digits = run.replaceAll(/[ -]/g, '');
    for (let at = 0; at + CARD_DIGITS[0] <= digits.length; at += 1)
      for (const length of CARD_DIGITS)
        if (at + length <= digits.length && isPaymentPan(digits.slice(at, at + length))) return true;
  }
  return false;
}
