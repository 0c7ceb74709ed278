import { describe, expect, it } from 'vitest';
import { KIT, rig, sequences, topics, upTo } from '../../scripts/lib/uplink-rig.ts';

describe('the uplink on a good day', () => {
  it('is born, carries each event once and in order, and says why it went', async () => {
    const kit = rig();
    await kit.clock.pass(50);
    expect(JSON.parse(kit.broker.retained.get(`${KIT}/state`)!)).toMatchObject({ online: true });
    kit.add('sale', 3);
    kit.add('shelf', 20);
    await kit.clock.pass(200);
    expect(sequences(kit.broker.received, 'sale')).toEqual(upTo(3));
    expect(sequences(kit.broker.received, 'shelf')).toEqual(upTo(20));
    expect(topics(kit.broker)).not.toContain('batch/shelf');
    expect(kit.status()).toMatchObject({ state: 'online', protocol: '5', code: null });
    await kit.stop();
    expect(kit.broker.retained.get(`${KIT}/state`)).toBe('{"online":false,"reason":"stopped"}');
    expect(kit.pending('sale') + kit.pending('shelf')).toBe(0);
    expect(kit.status()).toMatchObject({ state: 'off', delivered: 23, duplicatesPossible: 0 });
  });

  it('drains a backlog in ascending batches of at most 64 KiB, behind what happens now', async () => {
    await using kit = rig({ before: (add) => add('shelf', 3_000, { text: 'é'.repeat(100) }) });
    kit.broker.receiveMaximum = 4;
    await kit.clock.pass(7);
    kit.add('shelf', 1);
    kit.add('sale', 1);
    await kit.clock.pass(5_000);
    const batches = kit.broker.received.filter((one) => one.topic.endsWith('batch/shelf'));
    expect(batches.length).toBeGreaterThan(10);
    for (const one of batches) expect(Buffer.byteLength(one.text)).toBeLessThanOrEqual(64 * 1024);
    const order = topics(kit.broker);
    expect(order.indexOf('event/sale')).toBeLessThan(order.lastIndexOf('batch/shelf'));
    expect(order.indexOf('event/shelf')).toBeLessThan(order.lastIndexOf('batch/shelf'));
    expect(sequences(batches, 'shelf')).toEqual(upTo(3_000));
    expect(kit.pending('shelf')).toBe(0);
    expect(kit.broker.inFlightMost).toBeLessThanOrEqual(4);
  });

  it('sends sales first, and yet never starves the others', async () => {
    await using kit = rig({ batchFromRows: Number.POSITIVE_INFINITY });
    kit.broker.receiveMaximum = 1;
    await kit.clock.pass(200);
    kit.broker.received.length = 0;
    kit.add('shelf', 40);
    kit.add('sale', 40);
    await kit.clock.pass(5 * 40);
    const seen = topics(kit.broker).filter((topic) => topic.startsWith('event/'));
    const early = seen.slice(0, 32);
    expect(early.filter((topic) => topic === 'event/sale').length).toBeGreaterThan(24);
    expect(early).toContain('event/shelf');
  });

  it('announces manifests, health and prices as retained messages, the newest price only', async () => {
    await using kit = rig();
    kit.prices.push({ sku: 'A/1', message: { priceMinor: 1 } }, { sku: 'A/1', message: { priceMinor: 2 } });
    kit.add('scan', 2);
    await kit.clock.pass(6_000);
    expect(JSON.parse(kit.broker.retained.get(`${KIT}/manifest/scan`)!)).toMatchObject({
      epoch: kit.ledger.epoch,
      first: 1,
      last: 2,
      losses: [],
    });
    expect(kit.broker.retained.get(`${KIT}/price/A%2F1`)).toBe('{"priceMinor":2}');
    expect(kit.broker.retained.get(`${KIT}/health`)).toBe('{"healthy":true}');
    await kit.clock.pass(120_000);
    expect(topics(kit.broker).filter((topic) => topic === 'health')).toHaveLength(3);
  });
});
