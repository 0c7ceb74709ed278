import { CAPABILITY_PAGE, decodeNdefId, MEMORY_MAX, PAGE_BYTES, READ_BYTES, READ_TYPE_2 } from './decode-ndef.ts';
import type { Target } from './decode-pn532.ts';
import type { Pn532Chip } from './pn532-chip.ts';
import { COMMAND, SAK_TYPE_2 } from './pn532-protocol.ts';

const EXCHANGE_MS = 500;
const STATUS_MASK = 0x3f;

/**
 * The id that is written on a Type 2 tag (NTAG, MIFARE Ultralight) as an NDEF text or URI record. `null` for another
 * kind of tag, one without such a record, and one that was taken away meanwhile.
 */
export async function readNdefId(chip: Pn532Chip, target: Target): Promise<Uint8Array | null> {
  if (target.sak !== SAK_TYPE_2) return null;
  const memory = new Uint8Array(MEMORY_MAX);
  try {
    for (let length = 0; length < MEMORY_MAX; length += READ_BYTES) {
      const page = CAPABILITY_PAGE + length / PAGE_BYTES;
      const answer = await chip.command(COMMAND.inDataExchange, [target.number, READ_TYPE_2, page], EXCHANGE_MS);
      if (((answer[0] ?? 0xff) & STATUS_MASK) !== 0 || answer.length !== 1 + READ_BYTES) return null;
      memory.set(answer.subarray(1), length);
      answer.fill(0);
      const result = decodeNdefId(memory.subarray(0, length + READ_BYTES));
      if (result.ok) return result.id;
      if (result.code !== 'more') return null;
    }
    return null;
  } finally {
    memory.fill(0);
  }
}
