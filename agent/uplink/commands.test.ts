import { describe, expect, it } from 'vitest';
import type { Received } from '../../scripts/lib/simulated-broker.ts';
import { KIT, type Rig, rig, sequences, upTo } from '../../scripts/lib/uplink-rig.ts';

describe('commands', () => {
  const bytes = (value: unknown): Uint8Array =>
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
  const answers = (kit: Rig): Received[] =>
    kit.broker.received.filter((one) => one.topic.includes('/reply/') || one.topic === 'answers');

  it('sends a range again at most as fast as agreed, and takes a back-end’s cumulative word', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.add('scan', 6_000);
    await kit.clock.pass(5_000);
    kit.broker.received.length = 0;
    const { epoch } = kit.ledger;
    kit.broker.send({
      topic: `${KIT}/command/resend`,
      payload: bytes({ id: 'r1', stream: 'scan', epoch, from: 1, to: 6_000 }),
    });
    await kit.clock.pass(1_000);
    const soon = sequences(kit.broker.received, 'scan').length;
    expect(soon).toBeGreaterThan(1_000);
    expect(soon).toBeLessThanOrEqual(4_200);
    await kit.clock.pass(5_000);
    expect(sequences(kit.broker.received, 'scan')).toEqual(upTo(6_000));
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: true, from: 1, to: 6_000 });
    kit.broker.fate = ({ topic }) => (topic.includes('/event/') ? { silent: true } : {});
    kit.add('sale', 4);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(4);
    kit.broker.send({ topic: `${KIT}/command/ack`, payload: bytes({ stream: 'sale', epoch, through: 3 }) });
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(1);
  });

  it('takes sequences as numbers and as the decimal text that an event carries', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.add('scan', 5);
    await kit.clock.pass(500);
    kit.broker.received.length = 0;
    const { epoch } = kit.ledger;
    kit.broker.send({
      topic: `${KIT}/command/resend`,
      payload: bytes({ id: 'r2', stream: 'scan', epoch, from: '2', to: '4' }),
    });
    await kit.clock.pass(2_000);
    expect(sequences(kit.broker.received, 'scan')).toEqual([2, 3, 4]);
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: true, from: 2, to: 4 });
  });

  it('says that it is online before the first health message is made', async () => {
    let seen = '';
    await using kit = rig({
      health: () => {
        seen ||= kit.status().state;
        return {};
      },
    });
    await kit.clock.pass(500);
    expect(seen).toBe('online');
  });

  it('answers to the MQTT 5 response topic, else under reply, and passes other commands on', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.send({ topic: `${KIT}/command/identify`, payload: new Uint8Array(), responseTopic: 'answers' });
    kit.broker.send({ topic: `${KIT}/command/reload`, payload: bytes({ id: 'q-7' }) });
    await kit.clock.pass(50);
    expect(kit.commands).toEqual(['identify', 'reload']);
    expect(
      answers(kit)
        .map((one) => one.topic)
        .toSorted(),
    ).toEqual(['answers', `${KIT}/reply/q-7`]);
  });

  it('hands over rules as they came and ignores their deletion', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    kit.broker.send({ topic: `${KIT}/rules`, payload: bytes('{}'), retain: true });
    kit.broker.send({ topic: 'barrow/v1/group/northern/rules', payload: new Uint8Array(), retain: true });
    await kit.clock.pass(50);
    expect(kit.rules.map((one) => new TextDecoder().decode(one))).toEqual(['{}']);
  });

  it('survives everything hostile that can come in, and refuses it by code', async () => {
    await using kit = rig();
    await kit.clock.pass(50);
    const { epoch } = kit.ledger;
    const refused: [unknown, string][] = [
      ['{', 'command-invalid'],
      ['[1]', 'command-invalid'],
      ['null', 'command-invalid'],
      ['['.repeat(5_000), 'command-invalid'],
      [`{"a":${'['.repeat(20)}${']'.repeat(20)}}`, 'command-invalid'],
      ['x'.repeat(70_000), 'command-too-large'],
      [{ stream: 'scan', epoch: 'other', from: 1, to: 1 }, 'epoch-unknown'],
      [{ stream: 'scan', epoch, from: 1, to: 9e15 }, 'range-unknown'],
      [{ stream: 'scan', epoch, from: -1, to: 1 }, 'command-invalid'],
      [{ stream: '__proto__', epoch, from: 1, to: 1 }, 'command-invalid'],
    ];
    for (const [payload, code] of refused) {
      kit.broker.received.length = 0;
      kit.broker.send({ topic: `${KIT}/command/resend`, payload: bytes(payload) });
      await kit.clock.pass(20);
      expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: false, error: { code } });
    }
    kit.broker.received.length = 0;
    kit.broker.send({ topic: `${KIT}/command/fails`, payload: bytes({}) });
    kit.broker.send({ topic: `${KIT}/command/UPPER/case`, payload: bytes({}) });
    kit.broker.send({ topic: `${KIT}/command/reload`, payload: bytes({}), retain: true });
    for (const responseTopic of [
      'a/#',
      '$SYS/x',
      'barrow/v1/other/command/reload',
      `${KIT}/event/sale`,
      'x'.repeat(300),
    ])
      kit.broker.send({ topic: `${KIT}/command/identify`, payload: bytes({}), responseTopic });
    await kit.clock.pass(50);
    expect(answers(kit)).toHaveLength(1);
    expect(JSON.parse(answers(kit)[0]!.text)).toMatchObject({ ok: false, error: { code: 'command-failed' } });
    expect(kit.commands).not.toContain('reload');
    expect(kit.status().state).toBe('online');
    kit.add('sale', 1);
    await kit.clock.pass(100);
    expect(kit.pending('sale')).toBe(0);
  });
});
