import type { MonoMs } from '../../drivers/api/clock.ts';
import type { BrokerProfile } from './parts.ts';
import { makeTokenBucket } from './token-bucket.ts';

/** AWS IoT Core's quota per connection: 100 publishes and 512 KB a second. */
export const AWS_PUBLISHES_PER_S = 100;
export const AWS_BYTES_PER_S: number = 512 * 1024;

/** How fast one connection may publish. */
export interface SendPace {
  /** Milliseconds until another message may go. */
  ready(now: MonoMs): number;
  /** One message went. */
  spend(bytes: number, now: MonoMs): void;
}

export function makeSendPace(profile: BrokerProfile, startMono: MonoMs): SendPace {
  if (profile === 'generic') return { ready: () => 0, spend: () => undefined };
  const messages = makeTokenBucket(AWS_PUBLISHES_PER_S, startMono);
  const bytes = makeTokenBucket(AWS_BYTES_PER_S, startMono);
  const owed = { messages: 0, bytes: 0 };
  return {
    ready: (now) => {
      // Paid before the next message goes, since only then is it known that there is one; each debt once.
      const messagesMs = messages.take(owed.messages, now);
      if (messagesMs > 0) return messagesMs;
      owed.messages = 0;
      const bytesMs = bytes.take(owed.bytes, now);
      if (bytesMs === 0) owed.bytes = 0;
      return bytesMs;
    },
    spend: (size) => {
      owed.messages += 1;
      owed.bytes += size;
    },
  };
}
