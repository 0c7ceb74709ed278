import { readMessage } from '../../agent/cli/consumer/read-event.ts';
import { Collector } from '../../agent/cli/consumer/proof.ts';
import { connect, type MqttClient } from 'mqtt';

/** A back-end's ear: a durable session that keeps listening through broker restarts. */
export interface Consumer extends AsyncDisposable {
  readonly collector: Collector;
  /** Whether every sequence of a stream up to `last` has come. */
  has(last: number): boolean;
}

/** Subscribes to all of one kit with a session that the broker keeps. Resolves when subscribed. */
export async function startConsumer(url: string, kit: string, protocol: 4 | 5): Promise<Consumer> {
  const collector = new Collector(kit);
  const client: MqttClient = connect(url, {
    clientId: `consumer-${process.pid}-${kit}`,
    protocolVersion: protocol,
    clean: false,
    reconnectPeriod: 200,
    connectTimeout: 5_000,
    ...(protocol === 5 ? { properties: { sessionExpiryInterval: 3_600 } } : {}),
  });
  client.on('error', () => undefined);
  client.on('message', (topic, payload, packet) =>
    collector.take(readMessage({ topic, payload: new Uint8Array(payload), retain: packet.retain })),
  );
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  await client.subscribeAsync(`barrow/v1/${kit}/#`, { qos: 1 });
  return {
    collector,
    has: (last) => {
      const scan = collector.proof().streams.filter((stream) => stream.stream === 'scan');
      return scan.some((stream) => stream.first === 1 && stream.last >= last && stream.gaps === 0);
    },
    [Symbol.asyncDispose]: async () => {
      await client.endAsync(true);
    },
  };
}
