import { describe, expect, it } from 'vitest';
import { STREAMS } from '../../drivers/api/reading.ts';
import { seededChance } from '../../scripts/lib/simulated-clock.ts';
import { rig, sequences, upTo } from '../../scripts/lib/uplink-rig.ts';

describe('the uplink on a bad day', () => {
  it.each(upTo(30))('loses nothing to broken, silent, late and refusing brokers (seed %i)', async (seed) => {
    const kit = rig({ seed });
    const chance = seededChance(seed * 7919);
    const trouble = (): boolean => kit.clock.monoMs() < 120_000;
    kit.broker.fate = () => {
      const dice = trouble() ? chance.float() : 1;
      if (dice < 0.01) return { break: true, taken: chance.float() < 0.5, silent: true };
      if (dice < 0.012) return { silent: true, taken: true };
      if (dice < 0.03) return { code: 0x97 };
      if (dice < 0.06) return { delayMs: 900 };
      return {};
    };
    for (let n = 0; n < 120; n += 1) {
      kit.add(STREAMS[Math.floor(chance.float() * STREAMS.length)]!, 1 + Math.floor(chance.float() * 30));
      if (chance.float() < 0.02) kit.broker.hangUp(0x8b);
      await kit.clock.pass(1_000);
    }
    await kit.clock.pass(300_000);
    await kit.stop();
    for (const stream of STREAMS) {
      const { last } = kit.ledger.manifest(stream);
      expect(kit.pending(stream)).toBe(0);
      expect([...new Set(sequences(kit.broker.received, stream))].toSorted((a, b) => a - b)).toEqual(upTo(last));
    }
    kit.ledger[Symbol.dispose]();
  });

  it('keeps a row whose PUBACK never came, and sends it again on the next connection', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.fate = ({ topic }) => (topic.endsWith('event/sale') ? { taken: true, silent: true } : {});
    kit.add('sale', 1);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(1);
    kit.broker.fate = () => ({});
    kit.broker.hangUp(null);
    await kit.clock.pass(5_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual([1, 1]);
    expect(kit.pending('sale')).toBe(0);
    expect(kit.status().duplicatesPossible).toBe(1);
  });

  it('gives up a connection on which nothing is acknowledged for 30 s', async () => {
    await using kit = rig();
    await kit.clock.pass(100);
    kit.broker.fate = () => ({ silent: true });
    kit.add('scan', 1);
    await kit.clock.pass(29_000);
    expect(kit.broker.dials).toBe(1);
    await kit.clock.pass(5_000);
    expect(kit.broker.dials).toBeGreaterThan(1);
  });

  it('keeps a sale that no subscriber would have had, without holding up anything else', async () => {
    await using kit = rig();
    await kit.clock.pass(100);
    let listeners = false;
    kit.broker.fate = ({ topic }) =>
      topic.includes('/event/') || topic.includes('/batch/') ? { code: listeners ? 0 : 0x10, taken: listeners } : {};
    kit.add('sale', 5);
    kit.add('scan', 5);
    await kit.clock.pass(20_000);
    expect(kit.pending('sale')).toBe(5);
    expect(kit.pending('scan')).toBe(0);
    expect(kit.status().code).toBe('uplink-no-subscriber');
    listeners = true;
    await kit.clock.pass(10_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual(upTo(5));
    expect(kit.status().code).toBeNull();
  });

  it('quarantines a row that alone is too large for the broker, and goes on', async () => {
    await using kit = rig();
    kit.broker.maximumPacketSize = 2_000;
    kit.add('sale', 1, { text: 'x'.repeat(3_000) });
    kit.add('sale', 2);
    await kit.clock.pass(1_000);
    expect(sequences(kit.broker.received, 'sale')).toEqual([2, 3, 4]);
    expect(kit.ledger.manifest('sale').losses).toEqual([expect.objectContaining({ from: 1, to: 1 })]);
    expect(kit.status().quarantined).toBe(1);
  });

  it('finds the one row that ends connections, quarantines it and delivers all others', async () => {
    await using kit = rig({
      before: (add) => {
        add('scan', 100);
        add('scan', 1, { poison: true });
        add('scan', 100);
      },
    });
    kit.broker.fate = ({ text }) => (text.includes('"poison":true') ? { break: true, silent: true, taken: false } : {});
    await kit.clock.pass(400_000);
    expect(kit.pending('scan')).toBe(0);
    expect(kit.ledger.manifest('scan').losses).toEqual([expect.objectContaining({ from: 101, to: 101 })]);
    const all = new Set(sequences(kit.broker.received, 'scan'));
    expect(upTo(202).filter((sequence) => !all.has(sequence))).toEqual([101]);
  });

  it('does not quarantine because of a network that breaks again and again', async () => {
    await using kit = rig({ before: (add) => add('sale', 500) });
    let message = 0;
    kit.broker.fate = () => ((message += 1) % 40 === 0 ? { break: true, silent: true, taken: false } : {});
    await kit.clock.pass(900_000);
    expect(kit.pending('sale')).toBe(0);
    expect(kit.status().quarantined).toBe(0);
  });

  it('comes back more and more slowly, with jitter, and starts afresh only after a stable connection', async () => {
    await using kit = rig();
    kit.broker.refuse = 'broker-unreachable';
    await kit.clock.pass(600_000);
    expect(kit.broker.dials).toBeGreaterThan(8);
    expect(kit.broker.dials).toBeLessThan(30);
    kit.broker.refuse = null;
    await kit.clock.pass(95_000);
    expect(kit.status().state).toBe('online');
    kit.broker.hangUp(null);
    await kit.clock.pass(2_000);
    expect(kit.status().state).toBe('online');
  });

  it('waits long and says so when the broker refuses the login or someone else took its place', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.hangUp(0x8e);
    await kit.clock.pass(25_000);
    expect(kit.broker.dials).toBe(1);
    expect(kit.status().code).toBe('uplink-taken-over');
    await kit.clock.pass(40_000);
    expect(kit.broker.dials).toBe(2);
  });

  it('halves its window when the broker calls it too much', async () => {
    await using kit = rig({ before: (add) => add('scan', 3_000), batchFromRows: Number.POSITIVE_INFINITY });
    await kit.clock.pass(20);
    kit.broker.hangUp(0x93);
    kit.broker.inFlightMost = 0;
    await kit.clock.pass(30_000);
    expect(kit.broker.inFlightMost).toBe(50);
  });

  it('keeps to 100 publishes and 512 KB a second for AWS', async () => {
    await using kit = rig({
      profile: 'aws',
      batchFromRows: Number.POSITIVE_INFINITY,
      before: (add) => add('scan', 2_000),
    });
    await kit.clock.pass(10_000);
    const sent = kit.broker.received.length;
    expect(sent).toBeGreaterThan(900);
    expect(sent).toBeLessThanOrEqual(1_101);
  });
});
