import { registry } from '../../drivers/registry.ts';
import { readConfig, type KitConfig } from '../../agent/config/read-config.ts';
import { SHELVES } from './shop-floor.ts';
import { MERCHANT_KEY_FILE } from './world-host.ts';

/** The kit that the world is about. */
export const KIT = 'world-1';

/** Its kit.yaml, read as the agent reads it. */
export async function worldConfig(prices: boolean): Promise<KitConfig> {
  const sensors = SHELVES.map(
    ({ id, address }) =>
      `      - { id: ${id}, address: "${address}", format: bthome, sku: SKU-${id}, unitGrams: 180, emptyGrams: 40 }`,
  );
  // A family that was taken out of the tree leaves its device unread on the counter.
  const scanner = Object.hasOwn(registry, 'barcode-scanner')
    ? '\n  - { id: scanner, type: barcode-scanner, port: /dev/scanner }'
    : '';
  const text = `
kit: { id: ${KIT}, currency: GBP, timezone: Europe/London }
state: /state
broker: { url: "mqtt://127.0.0.1:1883" }
ledger: { maxBytes: 64MiB, retainAcked: 1h }
drivers:${scanner}
  - { id: terminal, type: zvt-terminal, port: /dev/terminal, password: { file: zvt.pw } }
  - id: shelves
    type: ble-shelf
    radio: { kind: hci, adapter: 0 }
    sensors:
${sensors.join('\n')}
${prices ? `pricing: { trust: [ { file: ${MERCHANT_KEY_FILE} } ] }\n` : ''}`;
  const read = await readConfig(text, registry);
  if (!read.ok) throw new TypeError(`the world's kit.yaml is wrong: ${JSON.stringify(read.faults)}`);
  return read.config;
}
