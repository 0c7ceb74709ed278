import type { BrokerLink } from '../../../agent/core/host.ts';
import { Collector, type StreamProof } from '../../../agent/cli/consumer/proof.ts';
import { readMessage, type ConsumedEvent } from '../../../agent/cli/consumer/read-event.ts';

/** A subscriber that knows nothing of the agent but what arrives: the demo's judge. */
export interface Witness {
  /** Events by subject, driver states not counted. */
  readonly events: ReadonlyMap<string, number>;
  streams(): readonly StreamProof[];
  complete(): boolean;
  /** Resolves when the link has ended. */
  readonly ended: Promise<void>;
}

/** Listens to one kit from now on. `onEvent` sees every event once, in the order of arrival. */
export async function watchKit(
  link: BrokerLink,
  kit: string,
  onEvent: (event: ConsumedEvent) => void,
  signal: AbortSignal,
): Promise<Witness> {
  const collector = new Collector(kit);
  const events = new Map<string, number>();
  const seen = new Set<string>();
  const base = `barrow/v1/${kit}`;
  await link.subscribe([`${base}/event/+`, `${base}/batch/+`, `${base}/manifest/+`, `${base}/state`]);
  const take = async (): Promise<void> => {
    for await (const message of link.messages(signal)) {
      const consumed = readMessage(message);
      collector.take(consumed);
      if (consumed.kind !== 'events') continue;
      for (const event of consumed.events) {
        const key = `${event.epoch}/${event.stream}/${event.sequence}`;
        if (seen.has(key)) continue;
        seen.add(key);
        onEvent(event);
        if (event.type !== 'barrow.driver.state.v1') events.set(event.subject, (events.get(event.subject) ?? 0) + 1);
      }
    }
  };
  return { events, streams: () => collector.proof().streams, complete: () => collector.proof().ok, ended: take() };
}
