import { describe, it } from 'vitest';
import type { Advertisement } from '../../../drivers/api/transports.ts';
import type { Peripheral } from '../../../firmware-sim/bluetooth/peripheral.ts';
import { radioBench, type RadioBench } from '../../../firmware-sim/devices/ble-shelf/shelf-bench.ts';

const POLL = { timeout: 20_000, interval: 25 };
const PATIENT = { timeout: 30_000, interval: 50 };

function listen(bench: RadioBench): Advertisement[] {
  const heard: Advertisement[] = [];
  void (async () => {
    for await (const entry of bench.radio.signals(bench.signal)) if (entry.kind === 'advert') heard.push(entry.advert);
  })();
  return heard;
}

const beacon = (address: string): Peripheral => ({
  address,
  addressType: 'random',
  kind: 'non-connectable',
  intervalMs: 60,
  rssiDbm: -60,
  advertise: () => ({ data: Uint8Array.of(0x02, 0x01, 0x06) }),
});

describe.concurrent('recovery ladder', () => {
  const ladder = {
    // Far enough apart for a process to start on a machine that is busy with other things.
    afterMs: { 'restart-scan': 600, 'new-process': 2_000, 'reset-adapter': 7_000, 'give-up': 10_000 },
    graceMs: 5_000,
    helpedWithinMs: 4_900,
    patienceMax: 2,
  };
  const quick = { ladder, tickMs: 100 };

  it.for([
    ['until-scan-enable', 'restart-scan', 0],
    ['until-new-host', 'new-process', 1],
    ['until-reset', 'reset-adapter', 1],
  ] as const)('a scan that is silent %s is helped by %s', async ([silent, step, restarts], { expect }) => {
    await using bench = await radioBench({ radio: quick });
    const heard = listen(bench);
    bench.controller.add(beacon('C0:00:00:00:00:09'));
    await expect.poll(() => bench.radio.health().state, POLL).toBe('scanning');
    const before = bench.radio.health().restarts;
    bench.controller.faults.silent = silent;
    const steps = (): unknown[] =>
      bench.logged.filter(({ event }) => event === 'radio-ladder').map(({ fields }) => fields['step']);
    await expect.poll(() => steps().at(-1), PATIENT).toBe(step);
    const hears = heard.length;
    await expect.poll(() => heard.length, PATIENT).toBeGreaterThan(hears);
    const health = { state: 'scanning', restarts: before + restarts };
    await expect.poll(() => bench.radio.health(), POLL).toMatchObject(health);
    const states = bench.logged.filter(({ event }) => event === 'radio-health').map(({ fields }) => fields['state']);
    expect(states.slice(-2)).toEqual(['silent', 'scanning']);
    expect(steps().at(-1)).toBe(step);
  });

  it('a scan that stays silent ends as failed, and is heard again when it heals', async ({ expect }) => {
    await using bench = await radioBench({ radio: quick });
    listen(bench);
    bench.controller.add(beacon('C0:00:00:00:00:0A'));
    await expect.poll(() => bench.radio.health().state, POLL).toBe('scanning');
    bench.controller.faults.silent = 'for-ever';
    await expect.poll(() => bench.radio.health(), PATIENT).toMatchObject({ state: 'failed', code: 'radio-silent' });
    bench.controller.faults.silent = 'no';
    await expect.poll(() => bench.radio.health(), PATIENT).toMatchObject({ state: 'scanning', code: null });
  });

  it('replaces a process that grew or grew old', async ({ expect }) => {
    await using bench = await radioBench({ radio: { recycleAfterMs: 2_000, tickMs: 100 } });
    const heard = listen(bench);
    bench.controller.add(beacon('C0:00:00:00:00:0B'));
    await expect.poll(() => bench.radio.health().restarts, PATIENT).toBeGreaterThan(0);
    const before = heard.length;
    await expect.poll(() => heard.length, PATIENT).toBeGreaterThan(before + 3);
    expect(bench.logged).toContainEqual({ event: 'radio-process-recycled', fields: { reason: 'age' } });
  });
});
