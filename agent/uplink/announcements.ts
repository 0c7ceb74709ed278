import type { MonoMs } from '../../drivers/api/clock.ts';
import { STREAMS, type JsonObject, type Stream } from '../../drivers/api/reading.ts';
import type { LinkContext } from './link-context.ts';

export const HEALTH_EVERY_MS = 60_000;

/** A manifest follows its stream, but at most this often: it is what a consumer proves completeness by, not the news. */
export const MANIFEST_EVERY_MS = 5_000;

/** Further retained messages are looked at this often at most: building them may read the ledger. */
export const RETAINED_EVERY_MS = 5_000;

/** A retained message that the broker did not take is offered again after this: it stands for a state that still holds. */
export const REFUSED_AGAIN_MS = 60_000;

/** Losses that one manifest lists; older ones are in the stream as events anyway. */
export const MANIFEST_LOSSES_MAX = 500;

/** One retained message that describes the kit rather than a moment. */
export interface Announcement {
  readonly topic: string;
  readonly payload: string;
  /** The broker has it. */
  settle(): void;
  /** The broker did not take it. */
  refuse(now: MonoMs): void;
}

/** The retained messages of one connection: health, manifests, prices. */
export interface Announcements {
  next(now: MonoMs): Announcement | null;
  /** Manifests that differ from what was sent, whatever the pace: for the end. */
  lastManifests(now: MonoMs): readonly Announcement[];
  dueAt(now: MonoMs): MonoMs;
  /** Rows were appended or prices changed. */
  refresh(): void;
}

/** What is said anew soon enough, or for the last time. */
export const ONCE: Pick<Announcement, 'settle' | 'refuse'> = { settle: () => undefined, refuse: () => undefined };

export function makeAnnouncements(context: LinkContext, startMono: MonoMs): Announcements {
  const { parts, topics, prices } = context;
  let healthDue: number = startMono;
  const manifests = new Map<Stream, { due: number; sent: string }>(
    STREAMS.map((stream) => [stream, { due: startMono, sent: '' }]),
  );
  const more = makeRetained(context, startMono);
  const pricesOpen = new Set<string>();
  const refused = new Map<string, number>();
  let manifestsStale = true;

  const manifestOf = (stream: Stream, now: MonoMs): Announcement | null => {
    const known = manifests.get(stream);
    const { epoch, first, last, losses } = parts.ledger.manifest(stream);
    const body = { epoch, first, last, losses: losses.slice(-MANIFEST_LOSSES_MAX).map((loss) => ({ ...loss })) };
    const text = JSON.stringify(body);
    if (known === undefined || known.sent === text) return null;
    manifests.set(stream, { due: now + MANIFEST_EVERY_MS, sent: text });
    const at = new Date(parts.clock.wallMs()).toISOString();
    return {
      topic: topics.manifest(stream),
      payload: JSON.stringify({ ...body, at } satisfies JsonObject),
      settle: () => undefined,
      refuse: (at) => {
        manifests.set(stream, { due: at + REFUSED_AGAIN_MS, sent: '' });
        manifestsStale = true;
      },
    };
  };

  const nextManifest = (now: MonoMs): Announcement | null => {
    if (!manifestsStale) return null;
    let later = false;
    for (const [stream, { due }] of manifests) {
      if (due > now) {
        later = true;
        continue;
      }
      const announcement = manifestOf(stream, now);
      if (announcement !== null) return announcement;
    }
    manifestsStale = later;
    return null;
  };

  const nextPrice = (now: MonoMs): Announcement | null => {
    for (const [sku, due] of refused) if (due <= now && refused.delete(sku)) pricesOpen.delete(sku);
    const price = prices.first(pricesOpen);
    if (price === undefined) return null;
    const { sku, message } = price;
    pricesOpen.add(sku);
    return {
      topic: topics.price(sku),
      // An empty retained message is how MQTT forgets a topic.
      payload: message === null ? '' : JSON.stringify(message),
      settle: () => {
        pricesOpen.delete(sku);
        prices.settle(sku, message);
      },
      refuse: (at) => void refused.set(sku, at + REFUSED_AGAIN_MS),
    };
  };

  return {
    next: (now) => {
      if (now >= healthDue) {
        healthDue = now + HEALTH_EVERY_MS;
        more.refresh();
        return { topic: topics.health, payload: JSON.stringify(parts.health()), ...ONCE };
      }
      return nextPrice(now) ?? nextManifest(now) ?? more.next(now);
    },
    lastManifests: (now) => STREAMS.map((stream) => manifestOf(stream, now)).filter((one) => one !== null),
    dueAt: (now) => {
      let due = Math.min(healthDue, more.dueAt(), ...refused.values());
      if (manifestsStale) for (const { due: one } of manifests.values()) if (one > now) due = Math.min(due, one);
      return due as MonoMs;
    },
    refresh: () => {
      manifestsStale = true;
      more.refresh();
      for (const { sku, message } of parts.takeChangedPrices()) prices.put(sku, message);
    },
  };
}

/** Retained messages that somebody else words: each is sent when it differs from what this connection has sent. */
function makeRetained(
  { parts }: LinkContext,
  startMono: MonoMs,
): { next(now: MonoMs): Announcement | null; dueAt(): number; refresh(): void } {
  const sent = new Map<string, string>();
  const waiting: Announcement[] = [];
  let due: number = startMono;
  let stale = parts.retained !== undefined;
  return {
    next: (now) => {
      if (stale && now >= due) {
        stale = false;
        due = now + RETAINED_EVERY_MS;
        for (const { topic, payload } of parts.retained?.() ?? []) {
          if (sent.get(topic) === payload) continue;
          sent.set(topic, payload);
          const refuse = (at: MonoMs): void => {
            sent.delete(topic);
            due = Math.max(due, at + REFUSED_AGAIN_MS);
            stale = true;
          };
          waiting.push({ topic, payload, settle: () => undefined, refuse });
        }
      }
      return waiting.shift() ?? null;
    },
    dueAt: () => (stale ? due : Number.POSITIVE_INFINITY),
    refresh: () => {
      stale = parts.retained !== undefined;
    },
  };
}
