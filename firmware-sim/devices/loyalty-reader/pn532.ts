import {
  ACK_FRAME,
  COMMAND,
  pn532Frame,
  SAK_ISO_DEP,
  SELECT_PPSE,
  TFI_CHIP,
  TFI_ERROR,
  TFI_HOST,
} from '../../../drivers/loyalty-reader/pn532-protocol.ts';
import type { DeviceLine } from '../device-line.ts';

/** A contactless card or tag. */
interface VirtualTag {
  readonly uid: Uint8Array;
  /** SENS_RES, e.g. 0x0044. */
  readonly atqa: number;
  /** 0x00 a Type 2 tag, 0x08 a MIFARE Classic, 0x20 a card that speaks ISO/IEC 14443-4. */
  readonly sak: number;
  /** Answers to the payment directory's name. */
  readonly payment?: boolean;
  /** A Type 2 tag's memory from page 0 on. */
  readonly memory?: Uint8Array;
}

/** Faults that a scenario switches on. */
interface Pn532Faults {
  /** Says nothing at all. */
  silent: boolean;
  /** So many next commands stay unacknowledged. */
  dropAcks: number;
  /** So many next answers have a wrong checksum. */
  corruptAnswers: number;
  /** Bytes of noise before each answer. */
  noise: Uint8Array;
}

/** A PN532 board in HSU mode. */
export interface VirtualPn532 {
  /** Answers the host on one line until the plug or the signal. */
  serve(line: DeviceLine, signal: AbortSignal): Promise<void>;
  /** Lays a tag on the reader (taking away what lies there). */
  place(tag: VirtualTag): void;
  take(): void;
  readonly faults: Pn532Faults;
  /** Commands that were understood. */
  readonly commands: number;
}

const FIRMWARE = [0x32, 0x01, 0x06, 0x07] as const;
const ATS = [0x05, 0x78, 0x80, 0x70, 0x02] as const;
const STATUS_OK = 0x00;
/** UM0701-02 7.1: the target has not answered. */
const STATUS_TIMEOUT = 0x01;
/** NFC Forum Type 2 Tag 1.1, 5.2. */
const READ = 0x30;
const READ_BYTES = 16;
const PAGE_BYTES = 4;
const FILE_NOT_FOUND = [0x6a, 0x82] as const;
const MAX_PENDING_BYTES = 600;

export function virtualPn532(): VirtualPn532 {
  const faults: Pn532Faults = { silent: false, dropAcks: 0, corruptAnswers: 0, noise: new Uint8Array() };
  let tag: VirtualTag | undefined;
  let awake = false;
  let commands = 0;

  const answerTo = (code: number, data: Uint8Array): readonly number[] | null => {
    switch (code) {
      case COMMAND.getFirmwareVersion:
        return FIRMWARE;
      case COMMAND.samConfiguration:
      case COMMAND.rfConfiguration:
        return [];
      case COMMAND.inListPassiveTarget:
        return tag === undefined ? [0] : listed(tag);
      case COMMAND.inDataExchange:
        return exchange(tag, data.subarray(1));
      case COMMAND.inRelease:
        return [STATUS_OK];
      default:
        return null;
    }
  };

  const answer = async (line: DeviceLine, code: number, data: Uint8Array): Promise<void> => {
    if (faults.silent) return;
    if (faults.dropAcks > 0) {
      faults.dropAcks -= 1;
      return;
    }
    commands += 1;
    await line.write(ACK_FRAME);
    const content = answerTo(code, data);
    const frame =
      content === null
        ? pn532Frame(Uint8Array.of(TFI_ERROR))
        : pn532Frame(Uint8Array.of(TFI_CHIP, code + 1, ...content));
    if (faults.corruptAnswers > 0) {
      faults.corruptAnswers -= 1;
      frame[frame.length - 2] = (frame[frame.length - 2] ?? 0) ^ 0xff;
    }
    await line.write(faults.noise);
    await line.write(frame);
  };

  return {
    faults,
    get commands() {
      return commands;
    },
    place: (placed) => {
      tag = placed;
    },
    take: () => {
      tag = undefined;
    },
    async serve(line, signal) {
      awake = false;
      let pending: number[] = [];
      for await (const chunk of line.chunks(signal)) {
        // A chip that has just got its power sleeps until it sees the long preamble.
        awake ||= chunk.includes(0x55);
        if (!awake) continue;
        pending = [...pending, ...chunk].slice(-MAX_PENDING_BYTES);
        for (let found = hostCommand(pending); found !== null; found = hostCommand(pending)) {
          pending = pending.slice(found.end);
          if (found.code !== null) await answer(line, found.code, Uint8Array.from(found.data));
        }
      }
    },
  };
}

function listed(tag: VirtualTag): readonly number[] {
  const ats = (tag.sak & SAK_ISO_DEP) === 0 ? [] : ATS;
  return [1, 1, tag.atqa >> 8, tag.atqa & 0xff, tag.sak, tag.uid.length, ...tag.uid, ...ats];
}

function exchange(tag: VirtualTag | undefined, apdu: Uint8Array): readonly number[] {
  if (tag === undefined) return [STATUS_TIMEOUT];
  if (apdu[0] === READ && tag.memory !== undefined) {
    const start = (apdu[1] ?? 0) * PAGE_BYTES;
    const page = new Uint8Array(READ_BYTES);
    page.set(tag.memory.subarray(start, start + READ_BYTES));
    return [STATUS_OK, ...page];
  }
  const asksForPayment = apdu.length === SELECT_PPSE.length && apdu.every((byte, at) => byte === SELECT_PPSE[at]);
  if (!asksForPayment || tag.payment !== true) return [STATUS_OK, ...FILE_NOT_FOUND];
  // The file control information of an EMV payment directory, its inside left out.
  return [STATUS_OK, 0x6f, 0x02, 0x84, 0x00, 0x90, 0x00];
}

interface HostCommand {
  /** `null`: an acknowledgement or garbage, to be passed over. */
  readonly code: number | null;
  readonly data: readonly number[];
  readonly end: number;
}

/** The device's own reading of what the host sends: normal frames only, as hosts send them. */
function hostCommand(bytes: readonly number[]): HostCommand | null {
  for (let at = 0; at + 3 < bytes.length; at += 1) {
    if (bytes[at] !== 0x00 || bytes[at + 1] !== 0xff) continue;
    const length = bytes[at + 2] ?? 0;
    if (((length + (bytes[at + 3] ?? 0)) & 0xff) !== 0 || length < 2) return { code: null, data: [], end: at + 4 };
    const end = at + 4 + length + 2;
    if (bytes.length < end) return null;
    const body = bytes.slice(at + 4, at + 4 + length);
    const sum = body.reduce((total, byte) => total + byte, bytes[end - 2] ?? 0);
    if ((sum & 0xff) !== 0 || body[0] !== TFI_HOST) return { code: null, data: [], end };
    return { code: body[1] ?? null, data: body.slice(2), end };
  }
  return null;
}
