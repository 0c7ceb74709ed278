import type { BrokerLink } from '../core/host.ts';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { makeBackoff } from './backoff.ts';
import { serveConnection } from './connection.ts';
import { uplinkErrors } from './errors.ts';
import { WaitingPrices, WINDOW_MESSAGES, type Ending, type LinkContext } from './link-context.ts';
import { UplinkMeter } from './meter.ts';
import type { UplinkParts } from './parts.ts';
import { dialPolicy, disconnectPolicy, type DisconnectPolicy } from './reason-codes.ts';
import { makeSuspects } from './suspects.ts';
import { kitTopics } from './topics.ts';

const OFFLINE = '{"online":false}';

/** The smallest window that a broker can argue us down to. */
const WINDOW_LEAST = 1;

/**
 * Keeps the kit's events flowing to its broker until the signal fires: dials, serves the connection, pauses, dials
 * again, without end. A row leaves the ledger's pending part only after its PUBACK. When the signal fires, rows that
 * wait get a moment, the retained state says that the kit was stopped, and the promise resolves. Rejects on a bug only.
 */
export async function runUplink(parts: UplinkParts, signal: AbortSignal): Promise<void> {
  const topics = kitTopics(parts.kit);
  const context: LinkContext = {
    parts,
    topics,
    meter: new UplinkMeter(parts.url, parts.clock.monoMs()),
    suspects: makeSuspects(),
    windowMessages: WINDOW_MESSAGES,
    prices: new WaitingPrices(),
  };
  const backoff = makeBackoff(parts.chance);
  const tell = (): void => parts.onStatus(context.meter.status(parts.clock.monoMs()));

  while (!signal.aborted) {
    context.meter.state = 'connecting';
    tell();
    const link = await dial(context, { topic: topics.state, payload: OFFLINE }, signal);
    if (signal.aborted && !('link' in link)) break;
    const { policy, livedMs } = 'link' in link ? await serve(context, link.link, signal) : link;
    if (signal.aborted) break;
    const pauseMs = backoff.pauseMs(policy, livedMs);
    context.meter.state = 'waiting';
    context.meter.protocol = null;
    parts.log.info('uplink.waiting', { pauseMs: Math.round(pauseMs), policy });
    tell();
    try {
      await parts.clock.sleep(pauseMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  context.meter.state = 'off';
  context.meter.protocol = null;
  tell();
}

interface Outcome {
  readonly policy: DisconnectPolicy;
  readonly livedMs: number;
}

async function dial(
  context: LinkContext,
  will: { readonly topic: string; readonly payload: string },
  signal: AbortSignal,
): Promise<{ readonly link: BrokerLink } | Outcome> {
  try {
    return { link: await context.parts.dial(will, signal) };
  } catch (error) {
    if (signal.aborted) return { policy: 'retry', livedMs: 0 };
    if (!(error instanceof AgentError)) throw error;
    context.meter.code = error.code;
    context.meter.detail = error.message;
    const policy = dialPolicy(error.code);
    context.parts.log[policy === 'alarm' ? 'error' : 'warn']('uplink.dial-failed', { code: error.code });
    return { policy, livedMs: 0 };
  }
}

async function serve(context: LinkContext, link: BrokerLink, signal: AbortSignal): Promise<Outcome> {
  const ending = await serveConnection(context, link, signal);
  const policy = endingPolicy(ending);
  if (policy === 'shrink') context.windowMessages = Math.max(WINDOW_LEAST, Math.floor(context.windowMessages / 2));
  if (ending.by !== 'us') {
    const code = endingCode(ending);
    context.meter.code = code;
    context.meter.detail = `${uplinkErrors[code].sentence}${ending.reasonCode === null ? '' : ` (reason code ${ending.reasonCode})`}`;
    context.parts.log[policy === 'alarm' ? 'error' : 'warn']('uplink.offline', {
      by: ending.by,
      reasonCode: ending.reasonCode,
      detail: ending.detail,
      livedMs: Math.round(ending.livedMs),
    });
  }
  return { policy, livedMs: ending.livedMs };
}

function endingPolicy(ending: Ending): DisconnectPolicy {
  if (ending.by === 'stalled') return 'retry';
  if (ending.by === 'ledger') return 'slow';
  if (ending.by === 'network') return dialPolicy(ending.detail);
  return disconnectPolicy(ending.reasonCode);
}

function endingCode(ending: Ending): keyof typeof uplinkErrors {
  if (ending.by === 'stalled') return 'uplink-stalled';
  if (ending.by === 'ledger') return 'ledger-trouble';
  if (ending.reasonCode === 0x8e) return 'uplink-taken-over';
  return ending.reasonCode !== null && disconnectPolicy(ending.reasonCode) === 'alarm'
    ? 'uplink-refused'
    : 'uplink-lost';
}
