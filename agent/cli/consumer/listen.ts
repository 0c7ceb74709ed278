import { setTimeout as wait } from 'node:timers/promises';
import type { BrokerLink } from '../../core/host.ts';
import { consumerFailure } from './errors.ts';
import { Collector, type Proof } from './proof.ts';
import { readMessage } from './read-event.ts';

/** Without `--seconds` the proof ends when it is complete, after this long at most. */
const LONGEST_MS = 30_000;
/** Nothing is judged before what the broker retains can have come. */
const SHORTEST_MS = 1_500;
/** What is on its way at the end may still arrive. */
const GRACE_MS = 3_000;
const LOOK_EVERY_MS = 100;
/** Holes are asked for again this often, while they are there. */
const ASK_EVERY_MS = 2_000;
/** A hole gets this long to fill by itself before the kit is asked. */
const ASK_AFTER_MS = 1_000;
const ASKED_AT_A_TIME = 16;

export interface ListenOptions {
  readonly kit: string;
  /** Listen exactly this long; `null`: until complete. */
  readonly seconds: number | null;
  /** Ask the kit to send again what is missing. */
  readonly resend: boolean;
}

/** Collects what one kit publishes and asks for what is missing. Throws `connection-lost`. */
export async function listen(link: BrokerLink, options: ListenOptions, signal: AbortSignal): Promise<Proof> {
  const collector = new Collector(options.kit);
  const over = new AbortController();
  const base = `barrow/v1/${options.kit}`;
  await link.subscribe([`${base}/event/+`, `${base}/batch/+`, `${base}/manifest/+`, `${base}/state`]);
  const reading = read(link, collector, over.signal);
  const startMs = performance.now();
  const endMs = options.seconds === null ? LONGEST_MS : options.seconds * 1_000;
  let askedMs = ASK_AFTER_MS - ASK_EVERY_MS;
  try {
    for (;;) {
      const atMs = performance.now() - startMs;
      const proof = collector.proof();
      const early = options.seconds === null && atMs >= SHORTEST_MS;
      if (proof.ok && (early || atMs >= endMs)) return proof;
      if (atMs >= endMs + GRACE_MS || signal.aborted) return proof;
      if (options.resend && proof.online === true && atMs - askedMs >= ASK_EVERY_MS) {
        askedMs = atMs;
        await ask(link, base, collector);
      }
      const pause = wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if ((await Promise.race([pause, reading])) === 'ended')
        throw consumerFailure('connection-lost', { detail: options.kit });
    }
  } finally {
    over.abort(new Error('done'));
    await reading;
  }
}

async function read(link: BrokerLink, collector: Collector, signal: AbortSignal): Promise<'ended'> {
  for await (const message of link.messages(signal)) collector.take(readMessage(message));
  return 'ended';
}

async function ask(link: BrokerLink, base: string, collector: Collector): Promise<void> {
  for (const hole of collector.missing().slice(0, ASKED_AT_A_TIME)) {
    const { stream, epoch, from, to } = hole;
    const payload = JSON.stringify({ id: `verify-${stream}`, stream, epoch, from, to });
    await link.publish(`${base}/command/resend`, payload, { qos: 1, retain: false });
  }
}
