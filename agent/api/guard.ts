import { createHash, timingSafeEqual } from 'node:crypto';
import type { AgentError } from '../../drivers/api/agent-error.ts';
import type { Clock } from '../../drivers/api/clock.ts';
import { isLoopbackHost, splitListen, mdnsHost } from '../config/listen.ts';
import type { ApiRequest } from '../core/host.ts';
import { apiFailure } from './errors.ts';
import { peerKey, RateLimit } from './rate-limit.ts';

/** A till rings up 20 sales a second at most; a phone's page asks once a second. */
const PEER_LIMIT = { perSecond: 40, burst: 200, maxPeers: 1_024 };
/** Programs on the kit itself: only a loop gone wild meets this. */
const LOCAL_LIMIT = { perSecond: 2_000, burst: 4_000, maxPeers: 1 };
/** Wrong tokens: guessing 2^32 of them would take centuries. */
const TOKEN_LIMIT = { perSecond: 0.2, burst: 10, maxPeers: 1_024 };
const MIN_TOKEN_BYTES = 16;

export interface GuardOptions {
  readonly listen: string;
  readonly token: Uint8Array | null;
  readonly kitId: string;
  readonly clock: Clock;
}

export interface Refusal {
  readonly error: AgentError;
  readonly retryAfterS?: number;
}

/** What stands before every request. */
export interface Guard {
  /** `needsToken`: the route shows or changes something of the kit. Returns why the request is refused, or null. */
  check(request: ApiRequest, needsToken: boolean): Refusal | null;
}

/**
 * Host and Origin are checked on every address, so that no web site that a technician or shopper has open reaches the
 * kit by rebinding a name; a token is asked for wherever one is set, and must be set beyond loopback.
 * Throws `token-required`.
 */
export function createGuard(options: GuardOptions): Guard {
  const { host } = splitListen(options.listen);
  const local = isLoopbackHost(host);
  if (!local && (options.token === null || options.token.length < MIN_TOKEN_BYTES)) throw apiFailure('token-required');
  const names = new Set([host.toLowerCase(), `${options.kitId.toLowerCase()}.local`, mdnsHost(options.kitId)]);
  const tokenHash = options.token === null ? null : sha256(options.token);
  const peers = new RateLimit(PEER_LIMIT);
  const locals = new RateLimit(LOCAL_LIMIT);
  const wrongTokens = new RateLimit(TOKEN_LIMIT);
  return {
    check: (request, needsToken) => {
      const now = options.clock.monoMs();
      const peer = peerKey(request.peer ?? '');
      const waitS = request.loopback ? locals.take('loopback', now) : peers.take(peer, now);
      if (waitS > 0) return { error: apiFailure('rate-limited'), retryAfterS: waitS };
      const named = checkNames(request, names, local);
      if (named !== null) return { error: named };
      if (!needsToken || tokenHash === null) return null;
      const lockedS = wrongTokens.wait(peer, now);
      if (lockedS > 0) return { error: apiFailure('rate-limited'), retryAfterS: lockedS };
      const given = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.headers['authorization'] ?? '')?.[1];
      if (given === undefined) return { error: apiFailure('token-missing') };
      // Digests have one length, so the comparison tells neither the token's length nor its beginning.
      if (timingSafeEqual(sha256(Buffer.from(given)), tokenHash)) return null;
      wrongTokens.take(peer, now);
      return { error: apiFailure('token-wrong') };
    },
  };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

function checkNames(request: ApiRequest, names: ReadonlySet<string>, local: boolean): AgentError | null {
  const host = hostOf(request.headers['host'] ?? '');
  if (host === null || !(names.has(host.name) || isLoopbackHost(host.name) || (!local && isIpLiteral(host.name))))
    return apiFailure('host-refused');
  const origin = request.headers['origin'];
  if (origin !== undefined) {
    const from = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
    const same = from === undefined ? null : hostOf(from);
    if (same === null || same.name !== host.name || same.port !== host.port) return apiFailure('origin-refused');
  }
  // A link to the page is a navigation; anything else from another site is not ours.
  if (request.headers['sec-fetch-site'] === 'cross-site' && request.headers['sec-fetch-mode'] !== 'navigate')
    return apiFailure('origin-refused');
  return null;
}

function hostOf(text: string): { readonly name: string; readonly port: string } | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+?)\.?)(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return null;
  return { name: (match[1] ?? match[2] ?? '').toLowerCase(), port: match[3] ?? '' };
}

/** No name can be rebound to itself: whoever typed the address meant this machine. */
function isIpLiteral(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(':');
}
