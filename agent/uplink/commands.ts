import { z } from 'zod';
import { maskCards } from '../../drivers/lib/pan-scrub.ts';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { STREAMS, type JsonObject, type Stream } from '../../drivers/api/reading.ts';
import type { BrokerLink, IncomingMessage } from '../core/host.ts';
import { uplinkFailure } from './errors.ts';
import type { LinkContext } from './link-context.ts';
import type { ResendJob } from './resend.ts';

export const COMMAND_BYTES_MAX: number = 64 * 1024;
/** Nesting that a command may have: JSON.parse recurses, and so does whoever reads the result. */
export const COMMAND_DEPTH_MAX = 16;
/** Commands at work at a time. */
export const COMMANDS_AT_WORK_MAX = 8;

/** A number, or the decimal text that an event's own `sequence` is. */
const count = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
const sequence = count.refine((value) => value >= 1);
const stream = z.enum(STREAMS);
const epoch = z.string().min(1).max(64);
const resendShape = z.object({ stream, epoch, from: sequence, to: sequence });
const ackShape = z.object({ stream, epoch, through: count });

export interface CommandReader {
  /** Reads commands and rules until the connection ends. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CommandTools {
  readonly link: BrokerLink;
  /** Queues a re-send; false when too many wait. */
  resend(job: ResendJob): boolean;
}

/**
 * Serves the incoming topics of one connection. Nothing that comes in can stop it: what is too large, too deep, not
 * JSON, unknown or too much is answered with an error, or counted where no answer is possible.
 */
export function commandReader(context: LinkContext, tools: CommandTools): CommandReader {
  const { parts, topics, meter } = context;
  const { log } = parts;
  let atWork = 0;

  const answer = async (message: IncomingMessage, id: string, body: JsonObject): Promise<void> => {
    const wanted = message.responseTopic;
    if (wanted !== undefined && !topics.mayAnswer(wanted)) {
      log.warn('uplink.answer-refused', { topic: wanted.slice(0, 128) });
      return;
    }
    const correlation = message.correlationData;
    await tools.link.publish(wanted ?? topics.reply(id), JSON.stringify(body), {
      qos: 1,
      retain: false,
      ...(correlation === undefined ? {} : { correlationData: correlation }),
    });
  };

  const perform = async (name: string, payload: JsonObject): Promise<JsonObject> => {
    switch (name) {
      case 'resend':
        return resend(context, tools, payload);
      case 'ack':
        return acknowledge(context, payload);
      default:
        return parts.onCommand(name, payload);
    }
  };

  const command = async (message: IncomingMessage, name: string): Promise<void> => {
    let id = name;
    let body: JsonObject;
    try {
      const payload = commandPayload(message.payload);
      id = replyId(payload) ?? name;
      log.info('uplink.command', { name });
      body = { ok: true, ...(await perform(name, payload)) };
    } catch (error) {
      body = { ok: false, error: refusal(error) };
      log.warn('uplink.command-refused', { name, code: error instanceof AgentError ? error.code : 'command-failed' });
    }
    await answer(message, id, body);
  };

  const take = (message: IncomingMessage): void => {
    const incoming = topics.read(message.topic);
    if (incoming === null) {
      meter.droppedCommands += 1;
      log.warn('uplink.topic-unknown', { topic: message.topic.slice(0, 128) });
      return;
    }
    if (incoming.kind === 'rules') {
      // An empty retained message is how MQTT deletes one.
      if (message.payload.length > 0) parts.onRules(message.payload, message.topic);
      return;
    }
    if (message.retain) {
      // A retained order would be carried out again at every connection.
      meter.droppedCommands += 1;
      log.warn('uplink.command-retained', { name: incoming.name });
      return;
    }
    if (atWork >= COMMANDS_AT_WORK_MAX) {
      meter.droppedCommands += 1;
      settle(answer(message, incoming.name, { ok: false, error: refusal(uplinkFailure('command-busy')) }));
      return;
    }
    atWork += 1;
    settle(command(message, incoming.name).finally(() => (atWork -= 1)));
  };

  /** An answer that the broken connection could not take is the asker's to ask for again. */
  const settle = (work: Promise<void>): void => {
    work.catch((error: unknown) =>
      log.warn('uplink.answer-lost', { code: error instanceof AgentError ? error.code : 'bug' }),
    );
  };

  return {
    run: async (signal) => {
      let dropped = 0;
      for await (const message of tools.link.messages(signal)) {
        try {
          take(message);
        } catch (error) {
          log.error('uplink.message-failed', { code: error instanceof AgentError ? error.code : 'bug' });
        }
        const now = tools.link.droppedMessages?.() ?? 0;
        meter.droppedCommands += now - dropped;
        dropped = now;
      }
    },
  };
}

function resend(context: LinkContext, tools: CommandTools, payload: JsonObject): JsonObject {
  const wanted = parsed(resendShape, payload);
  const manifest = checkedEpoch(context, wanted.stream, wanted.epoch);
  if (wanted.from > wanted.to || wanted.to > manifest.last) throw uplinkFailure('range-unknown');
  const from = Math.max(wanted.from, manifest.first);
  if (!tools.resend({ stream: wanted.stream, from, to: wanted.to })) throw uplinkFailure('command-busy');
  return { stream: wanted.stream, epoch: manifest.epoch, from, to: wanted.to };
}

function acknowledge(context: LinkContext, payload: JsonObject): JsonObject {
  const wanted = parsed(ackShape, payload);
  const manifest = checkedEpoch(context, wanted.stream, wanted.epoch);
  if (wanted.through > manifest.last) throw uplinkFailure('range-unknown');
  context.parts.ledger.ackThrough(wanted.stream, wanted.through);
  return { stream: wanted.stream, epoch: manifest.epoch, through: wanted.through };
}

function checkedEpoch(
  context: LinkContext,
  of: Stream,
  wanted: string,
): { readonly epoch: string; readonly first: number; readonly last: number } {
  const manifest = context.parts.ledger.manifest(of);
  if (wanted !== manifest.epoch) throw uplinkFailure('epoch-unknown', { detail: wanted });
  return manifest;
}

function parsed<T>(shape: z.ZodType<T>, payload: JsonObject): T {
  const result = shape.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw uplinkFailure('command-invalid', { detail: `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim() });
}

/** The payload as one JSON object; nothing at all counts as `{}`. */
export function commandPayload(bytes: Uint8Array): JsonObject {
  if (bytes.length > COMMAND_BYTES_MAX) throw uplinkFailure('command-too-large');
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (depthOf(text) > COMMAND_DEPTH_MAX) throw uplinkFailure('command-invalid', { detail: 'nested too deep' });
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw uplinkFailure('command-invalid', { detail: 'not JSON', cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw uplinkFailure('command-invalid', { detail: 'not an object' });
  return value as JsonObject;
}

/** Deepest nesting of brackets; those inside strings may count too, which only errs on the strict side. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '{' || char === '[') deepest = Math.max(deepest, (depth += 1));
    else if (char === '}' || char === ']') depth -= 1;
  }
  return deepest;
}

function replyId(payload: JsonObject): string | null {
  const id = payload['id'];
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) && maskCards(id) === id ? id : null;
}

function refusal(error: unknown): JsonObject {
  const known = error instanceof AgentError ? error : uplinkFailure('command-failed');
  return { code: known.code, message: known.message, hint: known.hint };
}
