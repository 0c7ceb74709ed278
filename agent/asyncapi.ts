import type { Emission } from '../drivers/api/driver.ts';
import { STREAMS, type JsonObject } from '../drivers/api/reading.ts';
import { eventJsonSchema } from './event-catalogue.ts';

interface Channel {
  readonly address: string;
  readonly summary: string;
  readonly action: 'send' | 'receive';
  readonly retain: boolean;
  readonly payload: JsonObject;
}

/** The MQTT surface as AsyncAPI 3.0, made from the code's own schemas. */
export function asyncApi(version: string, events: ReadonlyMap<string, Emission>): JsonObject {
  const channels = [...eventChannels(events), ...statusChannels(), ...incomingChannels()];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Barrow over MQTT',
      version,
      description: 'At least once on the wire; effectively once for a consumer that keeps (epoch, stream, sequence).',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels.map((channel) => [channelName(channel), channelObject(channel)])),
    operations: Object.fromEntries(
      channels.map((channel) => [
        `${channel.action}-${channelName(channel)}`,
        {
          action: channel.action,
          summary: channel.summary,
          channel: { $ref: `#/channels/${channelName(channel)}` },
          bindings: { mqtt: { qos: 1, retain: channel.retain, bindingVersion: '0.2.0' } },
        },
      ]),
    ),
    components: {
      schemas: Object.fromEntries([...events.values()].map((emission) => [emission.type, eventJsonSchema(emission)])),
    },
  };
}

function eventChannels(events: ReadonlyMap<string, Emission>): readonly Channel[] {
  return STREAMS.flatMap((stream): readonly Channel[] => {
    const refs = [...events.values()]
      .filter((emission) => emission.stream === stream || emission.type === 'barrow.loss.v1')
      .map((emission) => ({ $ref: `#/components/schemas/${emission.type}` }));
    return [
      {
        address: `barrow/v1/{kit}/event/${stream}`,
        summary: `One event of the stream ${stream}`,
        action: 'send',
        retain: false,
        payload: { oneOf: refs },
      },
      {
        address: `barrow/v1/{kit}/batch/${stream}`,
        summary: `Events of the stream ${stream}, ascending, at most 64 KiB: how a backlog drains`,
        action: 'send',
        retain: false,
        payload: { type: 'array', items: { oneOf: refs } },
      },
      {
        address: `barrow/v1/{kit}/manifest/${stream}`,
        summary: `What a consumer of ${stream} must have to be complete`,
        action: 'send',
        retain: true,
        payload: MANIFEST,
      },
    ];
  });
}

function statusChannels(): readonly Channel[] {
  return [
    {
      address: 'barrow/v1/{kit}/state',
      summary: 'Birth, will and farewell',
      action: 'send',
      retain: true,
      payload: object({ online: { type: 'boolean' }, reason: { type: 'string' } }, ['online'], true),
    },
    {
      address: 'barrow/v1/{kit}/health',
      summary: 'Every 60 s: drivers, backlog, losses, clock, disk, versions',
      action: 'send',
      retain: true,
      payload: { type: 'object' },
    },
    {
      address: 'barrow/v1/{kit}/home',
      summary: 'With homeAssistant: true: counts by shelf and today’s crossings by line',
      action: 'send',
      retain: true,
      payload: object(
        {
          day: { type: ['string', 'null'] },
          shelves: { type: 'object', additionalProperties: { type: 'integer' } },
          footfall: {
            type: 'object',
            additionalProperties: object({ in: { type: 'integer' }, out: { type: 'integer' } }, ['in', 'out']),
          },
        },
        ['day', 'shelves', 'footfall'],
      ),
    },
    {
      address: 'barrow/v1/{kit}/price/{sku}',
      summary: 'The current price',
      action: 'send',
      retain: true,
      payload: PRICE,
    },
    {
      address: 'barrow/v1/{kit}/reply/{id}',
      summary: 'The answer to a command that named no response topic',
      action: 'send',
      retain: false,
      payload: { type: 'object' },
    },
  ];
}

function incomingChannels(): readonly Channel[] {
  const bundle = object(
    {
      payload: { type: 'string', contentEncoding: 'base64' },
      signatures: {
        type: 'array',
        items: object({ keyid: { type: 'string' }, sig: { type: 'string' } }, ['keyid', 'sig']),
      },
    },
    ['payload', 'signatures'],
  );
  const stream: JsonObject = { enum: [...STREAMS] };
  const sequence: JsonObject = { type: 'integer', minimum: 1 };
  return [
    {
      address: 'barrow/v1/{kit}/rules',
      summary: 'A signed bundle for this kit',
      action: 'receive',
      retain: true,
      payload: bundle,
    },
    {
      address: 'barrow/v1/group/{group}/rules',
      summary: 'A signed bundle for a group of kits',
      action: 'receive',
      retain: true,
      payload: bundle,
    },
    {
      address: 'barrow/v1/{kit}/command/resend',
      summary: 'Send a range again, rate-limited',
      action: 'receive',
      retain: false,
      payload: object(
        { stream, epoch: { type: 'string' }, from: sequence, to: sequence },
        ['stream', 'epoch', 'from', 'to'],
        true,
      ),
    },
    {
      address: 'barrow/v1/{kit}/command/ack',
      summary: 'Everything up to here has been kept',
      action: 'receive',
      retain: false,
      payload: object({ stream, epoch: { type: 'string' }, through: sequence }, ['stream', 'epoch', 'through'], true),
    },
    {
      address: 'barrow/v1/{kit}/command/identify',
      summary: 'Make the devices show themselves',
      action: 'receive',
      retain: false,
      payload: { type: 'object' },
    },
    {
      address: 'barrow/v1/{kit}/command/reload',
      summary: 'Read kit.yaml again',
      action: 'receive',
      retain: false,
      payload: { type: 'object' },
    },
  ];
}

const INTEGER: JsonObject = { type: 'integer' };

const MANIFEST: JsonObject = object(
  {
    epoch: { type: 'string' },
    first: INTEGER,
    last: INTEGER,
    losses: { type: 'array', items: { type: 'object' } },
    at: { type: 'string', format: 'date-time' },
  },
  ['epoch', 'first', 'last', 'losses', 'at'],
  true,
);

const PRICE: JsonObject = object(
  {
    priceMinor: INTEGER,
    listMinor: INTEGER,
    currency: { type: 'string' },
    discountBp: INTEGER,
    announce: { type: 'boolean' },
    decision: { type: ['string', 'null'] },
  },
  ['priceMinor', 'listMinor', 'currency', 'discountBp', 'announce', 'decision'],
  true,
);

function object(properties: JsonObject, required: readonly string[], open = false): JsonObject {
  return { type: 'object', properties, required, ...(open ? {} : { additionalProperties: false }) };
}

function channelName(channel: Channel): string {
  return channel.address.replace('barrow/v1/', '').replaceAll(/[{}]/g, '').replaceAll('/', '-');
}

function channelObject(channel: Channel): JsonObject {
  const parameters = [...channel.address.matchAll(/\{(\w+)\}/g)].map(
    ([, name = '']) => [name, { description: `The ${name}’s id` }] as const,
  );
  return {
    address: channel.address,
    messages: { message: { payload: channel.payload } },
    parameters: Object.fromEntries(parameters),
  };
}
