import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Chance, Clock } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import type { BrokerLink } from '../core/host.ts';
import { HEALTH_EVERY_MS } from './announcements.ts';
import { makeBackoff } from './backoff.ts';
import { STALLED_MS } from './connection.ts';
import { kitTopics } from './topics.ts';

export interface UnopenedParts {
  readonly kit: { readonly id: string; readonly group?: string | undefined };
  dial(will: { readonly topic: string; readonly payload: string }, signal: AbortSignal): Promise<BrokerLink>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Why the ledger is not open: an error code. */
  code(): string;
  health(): JsonObject;
}

/**
 * Tells the broker, until the signal fires, that the kit is up and why nothing comes of it: state and health, retained.
 * No events, no manifest and no commands: all that is said of a stream needs its ledger.
 */
export async function sayUnopened(parts: UnopenedParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  const topics = kitTopics(parts.kit);
  const backoff = makeBackoff(parts.chance);
  while (!signal.aborted) {
    const startMono = clock.monoMs();
    try {
      await using link = await parts.dial({ topic: topics.state, payload: '{"online":false}' }, signal);
      let told = true;
      while (told && !signal.aborted) {
        const state = JSON.stringify({ online: false, reason: parts.code() });
        told =
          (await isTaken(parts, link, { topic: topics.state, payload: state }, signal)) &&
          (await isTaken(parts, link, { topic: topics.health, payload: JSON.stringify(parts.health()) }, signal)) &&
          (await lasts(parts, link, signal));
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof AgentError)) throw error;
      if (error instanceof AgentError) log.warn('uplink.dial-failed', { code: error.code });
    }
    await pause(clock, backoff.pauseMs('retry', clock.monoMs() - startMono), signal);
  }
}

/** Whether the broker acknowledged a retained message, with whatever code: it is said again soon. */
async function isTaken(
  { clock }: UnopenedParts,
  link: BrokerLink,
  { topic, payload }: { readonly topic: string; readonly payload: string },
  signal: AbortSignal,
): Promise<boolean> {
  const answered = new AbortController();
  try {
    return await Promise.race([
      link.publish(topic, payload, { qos: 1, retain: true }).then(() => true),
      pause(clock, STALLED_MS, AbortSignal.any([signal, answered.signal])).then(() => false),
    ]);
  } finally {
    answered.abort(new Error('answered'));
  }
}

/** True when it is time to say it again, false when the connection is over. */
async function lasts({ clock }: UnopenedParts, link: BrokerLink, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      link.ended.then(() => false),
      pause(clock, HEALTH_EVERY_MS, AbortSignal.any([signal, over.signal])).then(() => true),
    ]);
  } finally {
    over.abort(new Error('over'));
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
