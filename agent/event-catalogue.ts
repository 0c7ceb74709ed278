import { z } from 'zod';
import type { DriverRegistry, Emission } from '../drivers/api/driver.ts';
import { STREAMS, type JsonObject } from '../drivers/api/reading.ts';
import { agentEmissions } from './core/agent-events.ts';

/** Every event type that an agent with these drivers may give out, by type; the first declaration of a type stands. */
export async function eventCatalogue(
  registry: DriverRegistry,
  more: readonly Emission[],
): Promise<ReadonlyMap<string, Emission>> {
  const catalogue = new Map<string, Emission>();
  const drivers = await Promise.all(Object.values(registry).map(async (load) => (await load()).emits));
  for (const emission of [...more, ...drivers.flat(), ...agentEmissions])
    if (!catalogue.has(emission.type)) catalogue.set(emission.type, emission);
  return new Map([...catalogue].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON Schema of one event: the CloudEvents envelope around the type's own `data`. */
export function eventJsonSchema(emission: Emission): JsonObject {
  const { $schema: _dialect, ...data } = z.toJSONSchema(emission.data, { unrepresentable: 'any' }) as JsonObject;
  // A loss may stand in any stream; every other type has one of its own.
  const stream: JsonObject = emission.type === 'barrow.loss.v1' ? { enum: [...STREAMS] } : { const: emission.stream };
  return {
    title: emission.type,
    type: 'object',
    properties: {
      specversion: { const: '1.0' },
      id: {
        type: 'string',
        description: '<epoch>/<stream>/<sequence>; with source the key by which a consumer drops duplicates',
      },
      source: { type: 'string', pattern: '^/kits/' },
      type: { const: emission.type },
      subject: { type: 'string' },
      time: { type: 'string', format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      epoch: { type: 'string' },
      stream,
      sequence: { type: 'string', pattern: '^[1-9][0-9]*$' },
      bootid: { type: 'string' },
      monoms: { type: 'integer', minimum: 0 },
      clocktrust: { enum: ['synced', 'estimated', 'unset'] },
      node: { type: 'string' },
      data,
    },
    required: [
      'specversion',
      'id',
      'source',
      'type',
      'subject',
      'time',
      'datacontenttype',
      'epoch',
      'stream',
      'sequence',
      'bootid',
      'monoms',
      'clocktrust',
      'data',
    ],
    additionalProperties: false,
  };
}
