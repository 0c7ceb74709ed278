import { z } from 'zod';
import type { Emission } from '../../drivers/api/driver.ts';
import { STREAMS, type JsonObject } from '../../drivers/api/reading.ts';

const states = z.enum(['starting', 'ready', 'degraded', 'silent', 'failed', 'stopped']);

/** Checked shapes are JSON objects; zod's inference of optional keys is looser than {@link JsonObject}. */
function shape(schema: z.ZodType): z.ZodType<JsonObject> {
  return schema as z.ZodType<JsonObject>;
}

/** Events that the agent itself gives out, beside those that drivers, till and pricing declare. */
export const agentEmissions: readonly Emission[] = [
  {
    type: 'barrow.agent.started.v1',
    stream: 'agent',
    data: shape(
      z.strictObject({
        version: z.string(),
        node: z.string(),
        epoch: z.string(),
        previousEnd: z.enum(['clean', 'crash', 'first']),
      }),
    ),
  },
  {
    type: 'barrow.agent.stopped.v1',
    stream: 'agent',
    data: shape(z.strictObject({ reason: z.string() })),
  },
  {
    type: 'barrow.driver.state.v1',
    stream: 'agent',
    data: shape(
      z.strictObject({
        driverId: z.string(),
        state: states,
        code: z.string().nullable(),
        part: z.string().optional(),
        detail: z.string().optional(),
      }),
    ),
  },
  ...STREAMS.map((name) => ({
    type: 'barrow.loss.v1',
    stream: name,
    data: shape(
      z.strictObject({
        from: z.int().positive(),
        to: z.int().positive(),
        count: z.int().positive(),
        bytes: z.int().nonnegative(),
        reason: z.string(),
      }),
    ),
  })),
  {
    type: 'barrow.ledger.quarantined.v1',
    stream: 'agent',
    data: shape(z.looseObject({ reason: z.string() })),
  },
  {
    type: 'barrow.clock.anchor.v1',
    stream: 'agent',
    data: shape(
      z.looseObject({
        bootId: z.string(),
        monoMs: z.number(),
        wallMs: z.number(),
        trust: z.enum(['synced', 'estimated', 'unset']),
      }),
    ),
  },
];
