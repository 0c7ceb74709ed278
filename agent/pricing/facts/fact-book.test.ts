import { describe, expect, it } from 'vitest';
import type { FactReadings } from '../decide/inputs.ts';
import { makeKit, type TestKit } from '../testing/kit.ts';
import { FactBook } from './fact-book.ts';
import { newestEvents } from './refold.ts';
import { MAX_SPELLS, Watch } from './watch.ts';

const MINUTE = 60_000;

/** What an agent that starts now knows of its facts. */
function readAnew(kit: TestKit): { readonly book: FactBook; facts(): FactReadings } {
  const book = new FactBook({ clock: kit.clock, kit: { timezone: 'Europe/London' }, counters: ['door'] });
  for (const event of newestEvents(kit.ledger)) book.fold(event);
  const state = { rung: 0, priceMinor: 2500, changedAt: null, changesToday: 0 };
  const sales = { date: '', soldToday: 0, sold: 0, brought: null };
  return { book, facts: () => book.readings('S', { state, sales, soldToday: 0, budgetLeftMinor: 0 }) };
}

function started(kit: TestKit): void {
  kit.put('agent', 'barrow.agent.started.v1', {});
}
function crossing(kit: TestKit): void {
  kit.put('footfall', 'barrow.footfall.crossing.v1', { counterId: 'door', lineId: 'entrance', direction: 'in' });
}
function door(kit: TestKit, state: string): void {
  kit.put('agent', 'barrow.driver.state.v1', { driverId: 'door', state, code: null });
}
function told(facts: FactReadings, ...names: string[]): string[] {
  return names.map((name) => `${facts[name]?.value} ${facts[name]?.quality}`);
}
const footfall = (facts: FactReadings): string[] => told(facts, 'footfall_in_15m', 'footfall_in_60m');

/** A kit that has counted one person a minute for an hour. */
function openKit(): TestKit {
  const kit = makeKit({ trust: [] });
  started(kit);
  for (let minute = 0; minute < 60; minute += 1) {
    kit.clock.pass(MINUTE);
    crossing(kit);
  }
  return kit;
}

describe('footfall', () => {
  it('is known on a new kit from its first minute: there was nobody to miss', () => {
    const kit = makeKit({ trust: [] });
    started(kit);
    crossing(kit);
    expect(footfall(readAnew(kit).facts())).toEqual(['1 ok', '1 ok']);
  });

  it('outlives a short restart from the ledger, conversion with it', () => {
    const kit = openKit();
    for (let sale = 0; sale < 3; sale += 1) kit.put('sale', 'barrow.sale.v1', { lines: [] });
    kit.clock.pass(MINUTE / 2);
    started(kit);
    const { facts } = readAnew(kit);
    // The minute at a window’s far end is left out as soon as it is not whole.
    expect(footfall(facts())).toEqual(['14 ok', '59 ok']);
    expect(told(facts(), 'conversion_bp')).toEqual(['508 ok']);
  });

  it('is not relied on while a window has missed more than its share, and is again once that has passed', () => {
    const kit = openKit();
    kit.clock.pass(3 * MINUTE);
    started(kit);
    const { facts } = readAnew(kit);
    expect(footfall(facts())).toEqual(['12 suspect', '57 ok']);
    kit.clock.pass(13 * MINUTE);
    expect(footfall(facts())).toEqual(['0 suspect', '44 ok']);
    kit.clock.pass(MINUTE);
    expect(footfall(facts())).toEqual(['0 ok', '43 ok']);
    kit.clock.pass(9 * MINUTE);
    started(kit);
    const again = readAnew(kit).facts();
    expect(again['footfall_in_60m']).toMatchObject({ quality: 'suspect' });
  });

  it('misses what a counter out of order did not count, also after it came back', () => {
    const kit = openKit();
    door(kit, 'silent');
    expect(footfall(readAnew(kit).facts())).toEqual(['15 suspect', '60 suspect']);
    kit.clock.pass(2 * MINUTE);
    door(kit, 'ready');
    const { facts } = readAnew(kit);
    expect(footfall(facts())).toEqual(['13 suspect', '58 ok']);
    kit.clock.pass(14 * MINUTE);
    expect(footfall(facts())[0]).toBe('0 ok');
  });

  it('is unknown for a window’s length after a boot without the time, whose earlier crossings cannot be dated', () => {
    const kit = openKit();
    kit.clock.bootId = 'boot-2';
    kit.clock.mono = 5_000;
    kit.clock.trusted = 'unset';
    started(kit);
    const { facts } = readAnew(kit);
    expect(footfall(facts())).toEqual(['0 suspect', '0 suspect']);
    kit.clock.pass(14 * MINUTE);
    expect(footfall(facts())).toEqual(['0 ok', '0 suspect']);
    kit.clock.pass(42 * MINUTE);
    expect(footfall(facts())).toEqual(['0 ok', '0 ok']);
  });
});

describe('the watch over the door', () => {
  it('remembers no more than its bound, and forgets no missed time for it', () => {
    const watch = new Watch();
    for (let spell = 0; spell < 3 * MAX_SPELLS; spell += 1) {
      watch.leave(spell * 1_000);
      watch.enter(spell * 1_000 + 10);
    }
    // 96 spells of 10 ms fit a share of 240 s; with the oldest two made one again and again they cover 64 s.
    expect(watch.hasMissed(96_000, 3_600_000)).toBe(false);
    expect(watch.hasMissed(96_000, 96_000)).toBe(true);
  });
});
