import { failures, type Fail } from '../../drivers/api/agent-error.ts';

export const tillErrors = {
  'body-invalid': {
    sentence: 'This request does not have the shape that is asked for',
    hint: 'Compare it with the schema at /openapi.json',
  },
  'card-data': {
    sentence: 'A field holds what looks like a card number',
    hint: 'Send only the first six and last four digits, or nothing of the card',
  },
  'gtin-invalid': {
    sentence: 'A GTIN has the wrong length or check digit',
    hint: 'Scan the code again or leave the GTIN out and send the SKU',
  },
  'kit-mismatch': {
    sentence: 'The request names another kit',
    hint: 'Send it to the kit that it names',
  },
  'sums-differ': {
    sentence: 'The amounts do not add up',
    hint: 'Make lines, discounts, total and tenders agree, or leave derived amounts out',
  },
  'price-missing': {
    sentence: 'A line has no price and the kit knows none for it',
    hint: 'Send unitMinor or netMinor with the line',
  },
  'original-unknown': {
    sentence: 'The original event is not one of this kit',
    hint: 'Name the eventId that the original sale or return was answered with',
  },
  'original-voided': {
    sentence: 'The original event has been voided already',
    hint: 'Nothing is left to void or return',
  },
  'original-returned': {
    sentence: 'Goods of the original sale have been returned already',
    hint: 'Void the return first, or return the rest instead of voiding the sale',
  },
  'return-exceeds-sale': {
    sentence: 'More is returned than was sold',
    hint: 'Check the quantity and the line number against the original sale',
  },
} as const;

export const tillFailure: Fail<typeof tillErrors> = failures(tillErrors);
