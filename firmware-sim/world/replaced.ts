import type { CloudEvent } from '../../agent/core/event.ts';
import type { Json, JsonObject, Stream } from '../../drivers/api/reading.ts';

/** What a ledger that took a damaged one's place says of it, read from its `barrow.ledger.quarantined.v1`. */
export interface Replaced {
  /** The old ledger's epoch; `null` when not even that could be read. */
  readonly epoch: string | null;
  /** Whether the event owns up to a sequence that never comes. */
  declares(stream: Stream, sequence: number): boolean;
}

export function replacedLedgers(all: readonly CloudEvent[]): readonly Replaced[] {
  return all.filter(({ type }) => type === 'barrow.ledger.quarantined.v1').map(({ data }) => replaced(data));
}

function replaced(data: JsonObject): Replaced {
  const streams = new Map(list(data['streams']).map((one) => [one['stream'], one]));
  const { epoch } = data;
  return {
    epoch: typeof epoch === 'string' ? epoch : null,
    declares(stream, sequence) {
      const known = streams.get(stream);
      // Beyond the last one known nothing is claimed: the file ends there.
      if (known === undefined || sequence > Number(known['last'])) return true;
      return list(known['missing']).some(({ from, to }) => Number(from) <= sequence && sequence <= Number(to));
    },
  };
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : [];
}
