import type { DeviceLine } from '../device-line.ts';

/** A card with a stripe; null: the track is there but cannot be read. */
export interface StripeCard {
  readonly track1?: string | null;
  readonly track2?: string | null;
  readonly track3?: string | null;
}

export interface StripeReaderSetup {
  /** STX … ETX around the message, as some readers are set. */
  readonly framed?: boolean;
  /** An insertion reader: ESC first, the card sensor last. */
  readonly insertion?: boolean;
}

const track = (start: string, data: string | null | undefined): string =>
  data === undefined ? '' : data === null ? `${start}E?` : `${start}${data}?`;

/** What a MagTek reader sends for a swipe. */
export function swipeMessage(card: StripeCard, setup: StripeReaderSetup = {}): Uint8Array {
  const tracks = track('%', card.track1) + track(';', card.track2) + track('+', card.track3);
  const body = setup.insertion === true ? `\u001b${tracks}0` : tracks;
  return new TextEncoder().encode(setup.framed === true ? `\u0002${body}\r\u0003` : `${body}\r`);
}

/** A swipe reader on a line. */
export interface VirtualStripeReader {
  swipe(card: StripeCard): Promise<void>;
}

export function virtualStripeReader(
  line: Pick<DeviceLine, 'write'>,
  setup: StripeReaderSetup = {},
): VirtualStripeReader {
  return { swipe: (card) => line.write(swipeMessage(card, setup)) };
}
