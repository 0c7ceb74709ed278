import { describe, expect, test } from 'vitest';
import type { JsonObject, Stream } from '../../drivers/api/reading.ts';
import { seededChance, simulatedClock } from '../../scripts/lib/simulated-clock.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { discovery, homeAssistant, homeTopic, ROWS_AT_A_TIME, THINGS_MAX, type HomeState } from './home-assistant.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const KIT = 'popup-014';
const DAY_MS = 86_400_000;

function rig() {
  const clock = simulatedClock();
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 64 * 1024 * 1024,
    retainAckedMs: 3_600_000,
    clock,
    chance: seededChance(1),
    log: silent,
  });
  const add = (type: string, stream: Stream, data: JsonObject): void =>
    void ledger.transaction((tx) => tx.append({ type, stream, subject: 's', data, atMono: clock.monoMs() }));
  const fresh = () =>
    homeAssistant({
      kit: { id: KIT, timezone: 'Europe/London' },
      version: '1',
      ledger,
      clock,
      drivers: () => ['door'],
    });
  const messages = fresh();
  const state = (from = messages): HomeState =>
    JSON.parse(from().find(({ topic }) => topic === homeTopic(KIT))!.payload) as HomeState;
  return {
    clock,
    add,
    fresh,
    messages,
    state,
    count: (sensorId: string, count: number) => add('barrow.shelf.count.v1', 'shelf', { sensorId, count }),
    cross: (lineId: string, direction: string) =>
      add('barrow.footfall.crossing.v1', 'footfall', { counterId: 'door', lineId, direction }),
  };
}

describe('a kit in Home Assistant', () => {
  test('shows the newest count of each shelf and the crossings of today', () => {
    const shop = rig();
    shop.count('s1', 20);
    shop.count('s2', 7);
    shop.count('s1', 19);
    shop.cross('entrance', 'in');
    shop.cross('entrance', 'in');
    shop.cross('entrance', 'out');
    expect(shop.state()).toMatchObject({ shelves: { s1: 19, s2: 7 }, footfall: { entrance: { in: 2, out: 1 } } });
    shop.cross('entrance', 'in');
    expect(shop.state().footfall['entrance']).toEqual({ in: 3, out: 1 });
    // An agent that starts again reads the same from its ledger.
    expect(shop.state(shop.fresh())).toEqual(shop.state());
  });

  test('starts the footfall anew with the day of the kit’s time zone', async () => {
    const shop = rig();
    shop.cross('entrance', 'in');
    expect(shop.state().footfall['entrance']?.in).toBe(1);
    for (let n = 0; n < 24; n += 1) await shop.clock.pass(DAY_MS / 24);
    expect(shop.state().footfall['entrance']).toEqual({ in: 0, out: 0 });
    shop.cross('entrance', 'in');
    expect(shop.state().footfall['entrance']?.in).toBe(1);
    expect(shop.state(shop.fresh()).footfall['entrance']?.in).toBe(1);
  });

  test('reads a long backlog a piece at a time and arrives', () => {
    const shop = rig();
    for (let n = 0; n < ROWS_AT_A_TIME * 2 + 5; n += 1) shop.cross('entrance', 'in');
    expect(shop.state().footfall['entrance']?.in).toBe(ROWS_AT_A_TIME);
    shop.state();
    expect(shop.state().footfall['entrance']?.in).toBe(ROWS_AT_A_TIME * 2 + 5);
  });

  test('has no more entities than its bound, and none of a name that could leave a template', () => {
    const shop = rig();
    for (let n = 0; n < THINGS_MAX + 10; n += 1) shop.count(`s${n}`, n);
    shop.count("x'] }}{{ states", 1);
    expect(Object.keys(shop.state().shelves)).toHaveLength(THINGS_MAX);
    expect(JSON.stringify(shop.messages())).not.toContain('states');
  });
});

describe('discovery messages', () => {
  const state: HomeState = {
    day: '2026-11-27',
    shelves: { 's.1': 4, s_2e1: 5 },
    footfall: { entrance: { in: 1, out: 0 } },
  };
  const messages = discovery(KIT, '0.1.0', state, ['door', 'shelves', "bad'id"]);
  const configs = messages.map(({ topic, payload }) => ({ topic, config: JSON.parse(payload) as JsonObject }));

  test('lie where Home Assistant looks, each under a name and an id of its own', () => {
    const topics = messages.map(({ topic }) => topic);
    for (const topic of topics)
      expect(topic).toMatch(/^homeassistant\/(sensor|binary_sensor)\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+\/config$/);
    expect(new Set(topics).size).toBe(topics.length);
    expect(new Set(configs.map(({ config }) => config['unique_id'])).size).toBe(topics.length);
    expect(topics.length).toBe(2 + 2 + 1 + 2);
  });

  test('make one device that is available while the kit is online', () => {
    for (const { config } of configs) {
      expect(config).toMatchObject({
        availability_topic: `barrow/v1/${KIT}/state`,
        device: { identifiers: ['barrow_popup-014'], sw_version: '0.1.0' },
      });
      expect([`barrow/v1/${KIT}/health`, homeTopic(KIT)]).toContain(config['state_topic']);
      expect(config['value_template']).toMatch(/^\{\{ .* \}\}$/);
    }
  });
});
