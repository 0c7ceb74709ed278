import { passesLuhn } from './luhn.ts';
import { isPaymentPan } from './payment-card.ts';
import { mapOutsideRandomIds } from './random-id.ts';

const KEPT_FIRST = 6;
const KEPT_LAST = 4;

/** A whole run of as many digits as a card number has (ISO/IEC 7812-1: at most 19; issued ones have at least 12). */
const RUN = /(?<!\d)\d{12,19}(?!\d)/g;

/** Card numbers as embossed and printed: four groups of four and a rest, or 4-6-5 and 4-6-4. */
const GROUPED = /(?<!\d)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})(?!\d)/g;

/** First 6 and last 4 of a card number (PCI DSS 3.4.1 at its strictest), the rest as asterisks. */
export function maskPan(digits: string): string {
  const hidden = Math.max(0, digits.length - KEPT_FIRST - KEPT_LAST);
  return digits.slice(0, KEPT_FIRST) + '*'.repeat(hidden) + digits.slice(digits.length - KEPT_LAST);
}

function maskGrouped(text: string): string {
  return text.replaceAll(GROUPED, (printed) => {
    const digits = printed.replaceAll(/\D/g, '');
    if (!isPaymentPan(digits)) return printed;
    const masked = maskPan(digits);
    let at = -1;
    return printed.replaceAll(/\d/g, () => {
      at += 1;
      return masked.charAt(at);
    });
  });
}

/**
 * Free text of a payment terminal (a print line, a BMP 3C) without card numbers: a run of 12 to 19 digits that passes
 * Luhn keeps its first 6 and last 4, whatever it is; digits printed in a card's groups, where they are a card's.
 */
export function scrubPans(text: string): string {
  return maskGrouped(text.replaceAll(RUN, (run) => (passesLuhn(run) ? maskPan(run) : run)));
}

/**
 * Text of a device that has no business with cards: only what has a card scheme's issuer, length and Luhn digit is
 * masked, as Luhn alone would spoil every tenth serial number.
 */
export function maskCards(text: string): string {
  return mapOutsideRandomIds(text, (part) =>
    maskGrouped(part.replaceAll(RUN, (run) => (isPaymentPan(run) ? maskPan(run) : run))),
  );
}
