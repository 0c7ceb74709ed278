import { z } from 'zod';
import { STREAMS, type JsonObject, type Stream } from '../../../drivers/api/reading.ts';
import type { IncomingMessage } from '../../core/host.ts';

/** One event as a consumer needs it: identity, and the whole as it came. */
export interface ConsumedEvent {
  readonly kit: string;
  readonly epoch: string;
  readonly stream: Stream;
  readonly sequence: number;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: JsonObject;
  readonly whole: JsonObject;
}

export interface ConsumedManifest {
  readonly stream: Stream;
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  readonly losses: readonly {
    readonly from: number;
    readonly to: number;
    readonly count: number;
    readonly reason: string;
  }[];
}

/** What one message from a kit says. */
export type Consumed =
  | { readonly kind: 'events'; readonly events: readonly ConsumedEvent[]; readonly malformed: number }
  | { readonly kind: 'manifest'; readonly kit: string; readonly manifest: ConsumedManifest }
  | { readonly kind: 'state'; readonly kit: string; readonly online: boolean }
  | { readonly kind: 'other' };

const stream = z.enum(STREAMS);
const eventShape = z.looseObject({
  specversion: z.literal('1.0'),
  type: z.string(),
  subject: z.string().default(''),
  time: z.string().default(''),
  epoch: z.string().min(1),
  stream,
  sequence: z.string().regex(/^[1-9][0-9]{0,15}$/),
  data: z.looseObject({}),
});
const loss = z.object({ from: z.int(), to: z.int(), count: z.int(), reason: z.string() });
const manifestShape = z.object({ epoch: z.string(), first: z.int(), last: z.int(), losses: z.array(loss).default([]) });
const stateShape = z.looseObject({ online: z.boolean() });

/** Reads one message. Never throws: what is not as published is counted as malformed. */
export function readMessage(message: IncomingMessage): Consumed {
  const [root, version, kit, kind = '', name] = message.topic.split('/');
  if (root !== 'barrow' || version !== 'v1' || kit === undefined) return { kind: 'other' };
  const value = json(message.payload);
  switch (kind) {
    case 'event':
      return events(kit, [value]);
    case 'batch':
      return events(kit, Array.isArray(value) ? value : [undefined]);
    case 'manifest': {
      const of = stream.safeParse(name);
      const read = manifestShape.safeParse(value);
      if (!of.success || !read.success) return { kind: 'other' };
      return { kind: 'manifest', kit, manifest: { stream: of.data, ...read.data } };
    }
    case 'state': {
      const read = stateShape.safeParse(value);
      return read.success ? { kind: 'state', kit, online: read.data.online } : { kind: 'other' };
    }
    default:
      return { kind: 'other' };
  }
}

function events(kit: string, values: readonly unknown[]): Consumed {
  const good: ConsumedEvent[] = [];
  for (const value of values) {
    const read = eventShape.safeParse(value);
    if (!read.success) continue;
    const { epoch, sequence, type, subject, time } = read.data;
    const whole = value as JsonObject;
    const data = read.data.data as JsonObject;
    good.push({ kit, epoch, stream: read.data.stream, sequence: Number(sequence), type, subject, time, data, whole });
  }
  return { kind: 'events', events: good, malformed: values.length - good.length };
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
