import type { Decoded, FormatDecoder } from '../api/format.ts';
import { decodeApdu, type Message } from './decode.ts';
import { createFrameReader } from './frame.ts';

/** Every way in which bytes are no ZVT. */
const faults = {
  empty: 'There are no bytes',
  'no-frame': 'No block begins here (10 02)',
  'frame-cut': 'The block ends before 10 03 and its CRC',
  crc: 'The CRC does not fit the block',
  'stray-dle': 'A 10 inside the block is neither doubled nor its end',
  'too-long': 'The block is longer than any APDU',
  length: 'The length byte disagrees with the bytes',
  'field-cut': 'A field claims more bytes than there are',
} as const;

const refused = (code: keyof typeof faults, detail?: string): Decoded => ({
  ok: false,
  error: { code, message: detail === undefined ? faults[code] : `${faults[code]} (${detail})` },
});

const idText = (id: number): string => id.toString(16).padStart(2, '0');

function told(message: Message): Decoded {
  if (message.stop?.why === 'cut') return refused('field-cut', `bitmap ${idText(message.stop.id)}`);
  return {
    ok: true,
    control: message.control.toString(16).padStart(4, '0'),
    ...message.fields,
    measurements: message.measurements,
    ...(message.stop === null ? {} : { unknownBitmap: idText(message.stop.id), bytesLeft: message.stop.bytesLeft }),
  };
}

/** `zvt-apdu`: one whole APDU without framing. */
export const zvtApdu: FormatDecoder = (bytes) => {
  if (bytes.length === 0) return refused('empty');
  const message = decodeApdu(bytes);
  return message === undefined ? refused('length') : told(message);
};

/** `zvt-frame`: the first whole block of a serial capture; noise, ACK and NAK before it are skipped. */
export const zvtFrame: FormatDecoder = (bytes) => {
  if (bytes.length === 0) return refused('empty');
  const reader = createFrameReader();
  for (const token of reader.push(bytes)) {
    if (token.kind === 'bad') return refused(token.why);
    if (token.kind === 'block') return zvtApdu(token.apdu, {});
  }
  return refused(reader.midBlock && reader.gap() ? 'frame-cut' : 'no-frame');
};
