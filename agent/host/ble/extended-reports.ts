/** Adverts under assembly at once; the oldest is given up beyond it. Controllers interleave a handful at most. */
export const ASSEMBLIES = 64;
/** Longest advertising data of one extended advert (Core 5.4, Vol 4, Part E, §7.8.57). */
export const ADVERT_BYTES = 1_650;
/** Data bytes that fit into one event again. */
const REPORT_DATA_BYTES = 229;
const REPORT_FIXED_BYTES = 24;
const DATA_LENGTH_OFFSET = 23;
const EVENT = 0x04;
const LE_META = 0x3e;
const LE_EXTENDED_ADVERTISING_REPORT = 0x0d;
const STATUS_MORE = 0x20;
const STATUS_TRUNCATED = 0x40;
const LEGACY_PDU = 0x10;

export interface ReportAssembler {
  /** The packets that the host stack shall see in place of this one: itself, nothing yet, or whole adverts. */
  take(packet: Uint8Array): readonly Uint8Array[];
  /** Adverts given up: never finished, too long, cut by the controller, or joined to no whole AD structures. */
  readonly dropped: number;
  readonly pending: number;
}

/**
 * Joins the fragments of extended advertising reports and hands each advert on as one event with one report. Both nobles
 * read every fragment as an advert of its own, and the tail's bytes as AD structures, which makes up names and values.
 * An advert beyond 229 bytes keeps its leading whole AD structures, for one event holds no more. What is not whole AD
 * structures to its end is a tail without its head, or a head with a lost tail before the next advert: nothing of it can
 * be believed. Legacy PDUs are never split and go on as they are.
 *
 * @see Bluetooth Core Specification 5.4, Vol 4, Part E, §7.7.65.13
 */
export function reportAssembler(): ReportAssembler {
  const assemblies = new Map<string, number[]>();
  let dropped = 0;

  const take = (report: Uint8Array): Uint8Array | undefined => {
    const type = report[0] ?? 0;
    // Address, its type and the set id name an advert; a scan response of the same set is another.
    const key = `${Buffer.from(report.subarray(2, 9)).toString('hex')}/${report[11] ?? 0}/${type & 0x08}`;
    const data = report.subarray(REPORT_FIXED_BYTES);
    const before = assemblies.get(key);
    assemblies.delete(key);
    if ((type & STATUS_TRUNCATED) !== 0) {
      dropped += 1;
      return undefined;
    }
    const joined = before === undefined ? Array.from(data) : [...before, ...data];
    if (joined.length > ADVERT_BYTES) {
      dropped += 1;
      return undefined;
    }
    if ((type & STATUS_MORE) !== 0) {
      assemblies.set(key, joined);
      const oldest = assemblies.keys().next();
      if (assemblies.size > ASSEMBLIES && oldest.done !== true) {
        assemblies.delete(oldest.value);
        dropped += 1;
      }
      return undefined;
    }
    if ((type & LEGACY_PDU) === 0 && !isWholeStructures(joined)) {
      dropped += 1;
      return undefined;
    }
    return asEvent(report, joined.length > REPORT_DATA_BYTES ? leadingStructures(joined) : joined);
  };

  return {
    take: (packet) => {
      if (packet[0] !== EVENT || packet[1] !== LE_META || packet[3] !== LE_EXTENDED_ADVERTISING_REPORT) return [packet];
      const found: Uint8Array[] = [];
      const count = packet[4] ?? 0;
      let offset = 5;
      for (let index = 0; index < count; index += 1) {
        const length = packet[offset + DATA_LENGTH_OFFSET];
        const end = offset + REPORT_FIXED_BYTES + (length ?? 0);
        if (length === undefined || end > packet.length) {
          dropped += 1;
          break;
        }
        const whole = take(packet.subarray(offset, end));
        if (whole !== undefined) found.push(whole);
        offset = end;
      }
      return found;
    },
    get dropped() {
      return dropped;
    },
    get pending() {
      return assemblies.size;
    },
  };
}

function asEvent(report: Uint8Array, data: readonly number[]): Uint8Array {
  const head = Array.from(report.subarray(0, REPORT_FIXED_BYTES));
  head[0] = (head[0] ?? 0) & ~(STATUS_MORE | STATUS_TRUNCATED);
  head[DATA_LENGTH_OFFSET] = data.length;
  const parameters = [LE_EXTENDED_ADVERTISING_REPORT, 1, ...head, ...data];
  return Uint8Array.from([EVENT, LE_META, parameters.length, ...parameters]);
}

function leadingStructures(data: readonly number[]): readonly number[] {
  let end = 0;
  for (;;) {
    const next = end + 1 + (data[end] ?? 0);
    if (data[end] === undefined || data[end] === 0 || next > REPORT_DATA_BYTES) return data.slice(0, end);
    end = next;
  }
}

/** Whether the lengths lead exactly to the end; a length of zero ends the data early (Core 5.4, Vol 3, Part C, §11). */
function isWholeStructures(data: readonly number[]): boolean {
  let end = 0;
  while (end < data.length) {
    const length = data[end] ?? 0;
    if (length === 0) return true;
    end += 1 + length;
  }
  return end === data.length;
}
