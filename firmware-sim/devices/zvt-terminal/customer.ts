/** A card as the terminal reads it. Numbers are public test numbers. */
export interface VirtualCard {
  readonly pan: string;
  /** YYMM */
  readonly expiry: string;
  readonly name: string;
  /** Card type of BMP 8A. */
  readonly type: number;
}

/** What the person at the terminal does. */
export interface Customer {
  readonly card: VirtualCard;
  readonly does: 'pay' | 'cancel' | 'nothing';
  /** What the issuer says of it. */
  readonly issuer: 'approve' | 'decline';
  /** Time until the card is there, ms. */
  readonly hesitatesMs: number;
}

export const TEST_CARD: VirtualCard = {
  pan: '4111111111111111',
  expiry: '2912',
  name: 'Visa',
  type: 0x0a,
};

export const PAYING_CUSTOMER: Customer = { card: TEST_CARD, does: 'pay', issuer: 'approve', hesitatesMs: 0 };

/** What goes wrong at the terminal or on its line; each number counts down as it strikes. */
export interface TerminalFaults {
  /** Blocks that leave with a wrong CRC. */
  wrongCrc: number;
  /** Blocks of the till that are refused although they are good. */
  nak: number;
  /** Commands that are answered 84 9C. */
  busy: number;
  /** Status informations that are sent twice. */
  duplicateStatus: number;
  /** Status informations that carry the whole number, tracks and the verification code. */
  unmasked: number;
  /** Commands that get no answer at all. */
  deaf: number;
}

export function noFaults(): TerminalFaults {
  return { wrongCrc: 0, nak: 0, busy: 0, duplicateStatus: 0, unmasked: 0, deaf: 0 };
}
