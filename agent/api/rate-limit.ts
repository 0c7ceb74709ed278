import type { MonoMs } from '../../drivers/api/clock.ts';

export interface RateLimitOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** Peers remembered at a time; beyond, the one that was quiet longest is forgotten. */
  readonly maxPeers: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A token bucket per peer. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  // Insertion order is order of use: a used bucket is put at the end.
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  get peers(): number {
    return this.#buckets.size;
  }

  /** Takes one token: 0 when there was one, else the seconds until there is. */
  take(peer: string, nowMono: MonoMs): number {
    const bucket = this.#refilled(peer, nowMono);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#options.perSecond;
    bucket.tokens -= 1;
    return 0;
  }

  /** Seconds until there is a token, without taking one. */
  wait(peer: string, nowMono: MonoMs): number {
    const bucket = this.#refilled(peer, nowMono);
    return bucket.tokens < 1 ? (1 - bucket.tokens) / this.#options.perSecond : 0;
  }

  #refilled(peer: string, nowMono: MonoMs): Bucket {
    const { perSecond, burst, maxPeers } = this.#options;
    const known = this.#buckets.get(peer);
    this.#buckets.delete(peer);
    const bucket = known ?? { tokens: burst, atMs: nowMono };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMono - bucket.atMs) * perSecond) / 1_000);
    bucket.atMs = nowMono;
    if (this.#buckets.size >= maxPeers) {
      const quietest = this.#buckets.keys().next();
      if (quietest.done !== true) this.#buckets.delete(quietest.value);
    }
    this.#buckets.set(peer, bucket);
    return bucket;
  }
}

/** One bucket per IPv4 address and per IPv6 /64, which is what one household or phone has to hand out. */
export function peerKey(address: string): string {
  const v4 = address.replace(/^::ffff:/, '');
  if (!v4.includes(':')) return v4;
  const bare = v4.split('%')[0] ?? '';
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
