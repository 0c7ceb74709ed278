import type { KitConfig } from './config/read-config.ts';
import type { BrokerOptions } from './core/host.ts';

/** What a dialler needs of kit.yaml's `broker:` part. */
export function brokerOptions(broker: NonNullable<KitConfig['broker']>, kitId: string): Omit<BrokerOptions, 'will'> {
  const { url, protocol, username, password, ca, cert, key } = broker;
  return {
    url,
    protocol,
    clientId: broker.clientId ?? `barrow-${kitId}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
