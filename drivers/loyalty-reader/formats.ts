import type { Decoded, FormatDecoder } from '../api/format.ts';
import { decodeSwipe, type SwipeFault } from './decode-magstripe.ts';
import { decodePn532, decodeTargets, type Pn532Fault } from './decode-pn532.ts';
import { COMMAND } from './pn532-protocol.ts';

const SWIPE_FAULTS: Readonly<Record<SwipeFault, string>> = {
  empty: 'There is no data in this swipe',
  'sensor-only': 'The reader only says whether a card is inside',
  'too-long': 'This is longer than the tracks of a card',
  unframed: 'Something stands outside the sentinels of a track',
  'bad-character': 'A track holds a character that it cannot hold',
  'bad-lrc': 'The longitudinal redundancy check is wrong',
  unread: 'The reader could read no track',
  'no-id': 'No track holds an id',
  'payment-card': 'This is a payment card',
};

const FRAME_FAULTS: Readonly<Record<Pn532Fault | 'bad-targets', string>> = {
  'no-frame': 'There is no start code',
  truncated: 'The frame is cut off',
  'bad-length': 'The length or its checksum is wrong',
  'bad-checksum': 'The data checksum is wrong',
  'bad-postamble': 'The frame does not end with 00',
  'unknown-direction': 'The frame is neither from the host nor from the chip',
  'bad-response-code': 'The code does not go with the direction',
  'application-error': 'The chip refused the command',
  'bad-targets': 'The list of targets is malformed',
};

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Says the id of a loyalty card; a payment card is refused and nothing of it printed. */
export const magstripe: FormatDecoder = (bytes) => {
  const result = decodeSwipe(bytes);
  if (!result.ok) return refused(result.code, SWIPE_FAULTS[result.code]);
  const { id, tracks, cardInside } = result.swipe;
  return {
    ok: true,
    measurements: [],
    id: String.fromCharCode(...id),
    tracks: tracks.map(({ number, data }) => ({ track: number, read: data !== null })),
    ...(cardInside === null ? {} : { cardInside }),
  };
};

/** Says what a PN532 frame is; of an InListPassiveTarget answer also the tag's `uid`. */
export const pn532: FormatDecoder = (bytes) => {
  const result = decodePn532(bytes);
  if (!result.ok) return refused(result.code, FRAME_FAULTS[result.code]);
  const { frame } = result;
  if (frame.kind === 'ack' || frame.kind === 'nack') return { ok: true, measurements: [], frame: frame.kind };
  const known = { ok: true, measurements: [], frame: frame.kind, code: hex(Uint8Array.of(frame.code)) } as const;
  if (frame.kind === 'response' && frame.code === COMMAND.inListPassiveTarget + 1) {
    const targets = decodeTargets(frame.data);
    if (targets === null) return refused('bad-targets', FRAME_FAULTS['bad-targets']);
    const [first] = targets;
    if (first === undefined) return { ...known, targets: 0 };
    const { uid, atqa, sak } = first;
    return {
      ...known,
      targets: targets.length,
      uid: hex(uid),
      atqa: hex(Uint8Array.of(atqa >> 8, atqa & 0xff)),
      sak: hex(Uint8Array.of(sak)),
    };
  }
  const data = hex(frame.data);
  const [ic, version, revision, support] = frame.data;
  if (frame.kind !== 'response' || frame.code !== COMMAND.getFirmwareVersion + 1 || support === undefined)
    return { ...known, data };
  return { ...known, data, ic: hex(Uint8Array.of(ic ?? 0)), version, revision, support };
};

function refused(code: string, message: string): Decoded {
  return { ok: false, error: { code, message } };
}
