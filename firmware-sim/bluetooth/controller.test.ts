import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Chance, Clock, MonoMs, WallMs } from '../../drivers/api/clock.ts';
import { createController, type VirtualController } from './controller.ts';
import { duplicateFilter, DUPLICATE_FILTER_ENTRIES } from './duplicate-filter.ts';
import type { HostSession } from './host-session.ts';
import { addressText, type Peripheral } from './peripheral.ts';

/** Time that moves only when told to, and chance from a seed. */
function world(): { clock: Clock; chance: Chance; pass(ms: number): Promise<void> } {
  let now = 0;
  let seed = 42;
  const sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    wallMs: () => now as WallMs,
    monoMs: () => now as MonoMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => reject(signal.reason as Error);
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        const wake = (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        sleepers.push({ at: now + ms, wake });
      }),
  };
  const float = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const chance: Chance = {
    float,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(float() * 256)),
  };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  };
  return {
    clock,
    chance,
    pass: async (ms) => {
      const end = now + ms;
      await settle();
      for (;;) {
        sleepers.sort((a, b) => a.at - b.at);
        const next = sleepers[0];
        if (next === undefined || next.at > end) break;
        sleepers.shift();
        now = next.at;
        next.wake();
        await settle();
      }
      now = end;
    },
  };
}

interface Host {
  readonly out: Uint8Array[];
  readonly session: HostSession;
  command(hex: string): Promise<string>;
  reports(): readonly Uint8Array[];
}

function attach(controller: VirtualController): Host {
  const out: Uint8Array[] = [];
  const session = controller.attach(
    (packet) => void out.push(packet),
    () => undefined,
  );
  return {
    out,
    session,
    command: async (hex) => {
      const before = out.length;
      session.receive(Uint8Array.from(Buffer.from(hex, 'hex')));
      expect(out.length).toBe(before);
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
      return Buffer.from(out[before] ?? []).toString('hex');
    },
    reports: () => out.filter((packet) => packet[1] === 0x3e && (packet[3] === 0x02 || packet[3] === 0x0d)),
  };
}

const peripheral = (extra: Partial<Peripheral> = {}): Peripheral => ({
  address: 'C0:00:00:00:00:01',
  addressType: 'random',
  kind: 'non-connectable',
  intervalMs: 100,
  rssiDbm: -60,
  advertise: () => ({ data: Uint8Array.of(2, 1, 6) }),
  ...extra,
});

const SCAN_ALL = ['010b200701120012000000', '010c20020100'];
const EXTENDED_SCAN = ['0141200d0000010112001200', '014220060100000000'];

describe('virtual controller', () => {
  it('answers its commands later, never within the call, and the unknown ones with "unknown command"', async () => {
    const { clock, chance } = world();
    const host = attach(createController({ clock, chance, address: '00:1A:7D:DA:71:13' }));
    expect(await host.command('01030c00')).toBe('040e0401030c00');
    expect(await host.command('01091000')).toBe('040e0a010910001371da7d1a00');
    expect(await host.command('01032000')).toBe('040e0c010320000010000000000000');
    expect(await host.command('01fffc00')).toBe('040e0401fffc01');
  });

  it('reports legacy adverts at their interval, to a host that scans', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance });
    const host = attach(controller);
    controller.add(peripheral());
    await pass(1_000);
    expect(host.reports()).toHaveLength(0);
    for (const command of SCAN_ALL) await host.command(command);
    await pass(10_500);
    expect(host.reports().length).toBeGreaterThan(90);
    expect(host.reports().length).toBeLessThanOrEqual(105);
    const report = host.reports()[0]!;
    expect(report.subarray(4, 14)).toEqual(Uint8Array.of(1, 3, 1, 1, 0, 0, 0, 0, 0xc0, 3));
  });

  it('loses as many adverts as it is told', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance });
    const host = attach(controller);
    for (const command of SCAN_ALL) await host.command(command);
    controller.add(peripheral({ lossRate: 0.5, intervalMs: 20 }));
    await pass(60_000);
    const share = host.reports().length / controller.counters.advertisingEvents;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
  });

  it('asks for scan responses when the scan is active, and filters repetitions by address and PDU', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance });
    const host = attach(controller);
    await host.command(SCAN_ALL[0]!);
    await host.command('010c20020101');
    controller.add(
      peripheral({
        kind: 'connectable',
        advertise: () => ({ data: Uint8Array.of(2, 1, 6), scanResponse: Uint8Array.of(2, 9, 65) }),
      }),
    );
    await pass(2_000);
    expect(host.reports().map((report) => report[5])).toEqual([0, 4]);
  });

  it('sends extended adverts in fragments, and only to a host that scans extended', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance, fragmentBytes: 10 });
    const host = attach(controller);
    const data = Uint8Array.from({ length: 25 }, (_, index) => index);
    controller.add(peripheral({ kind: 'extended', advertise: () => ({ data }), intervalMs: 1_000 }));
    for (const command of SCAN_ALL) await host.command(command);
    await pass(3_000);
    expect(host.reports()).toHaveLength(0);
    await host.command('010c20020000');
    for (const command of EXTENDED_SCAN) await host.command(command);
    await pass(1_005);
    const [first, second, third] = host.reports();
    expect([first?.[5], second?.[5], third?.[5]]).toEqual([0x20, 0x20, 0x00]);
    expect([first, second, third].map((report) => report?.[28])).toEqual([10, 10, 5]);
    expect(third?.subarray(29)).toEqual(data.subarray(20));
  });

  it('rotates resolvable private addresses that the identity key resolves', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance });
    const host = attach(controller);
    for (const command of SCAN_ALL) await host.command(command);
    const identityKey = Uint8Array.from({ length: 16 }, (_, index) => index * 7);
    controller.add(peripheral({ privacy: { identityKey, rotateMs: 5_000 } }));
    await pass(21_000);
    const addresses = new Set(host.reports().map((report) => addressText(report.subarray(7, 13))));
    expect(addresses.size).toBe(5);
    for (const address of addresses) {
      const bytes = address.split(':').map((part) => Number.parseInt(part, 16));
      expect((bytes[0]! & 0xc0) >> 6).toBe(1);
      const block = Uint8Array.of(...new Uint8Array(13), ...bytes.slice(0, 3));
      const hash = createCipheriv('aes-128-ecb', identityKey, null).setAutoPadding(false).update(block);
      expect([...hash.subarray(13)]).toEqual(bytes.slice(3));
    }
  });

  it('shows its faults: silence, refusals, strictness, damage, and a cut', async () => {
    const { clock, chance, pass } = world();
    const controller = createController({ clock, chance });
    const host = attach(controller);
    controller.add(peripheral());
    controller.faults.strictDisable = true;
    expect(await host.command('010c20020000')).toBe('040e04010c200c');
    controller.faults.refuseScanEnables = 1;
    expect(await host.command('010c20020100')).toBe('040e04010c200c');
    expect(await host.command('010c20020100')).toBe('040e04010c2000');
    controller.faults.truncateReports = 1;
    await pass(500);
    const [cut, whole] = host.reports();
    expect(cut!.length).toBe(whole!.length - 3);
    expect(cut![2]).toBe(cut!.length - 3);
    controller.faults.silent = 'until-scan-enable';
    const before = host.reports().length;
    await pass(1_000);
    expect(host.reports()).toHaveLength(before);
    await host.command('010c20020100');
    await pass(1_000);
    expect(host.reports().length).toBeGreaterThan(before);
    controller.powerOff();
    const after = host.out.length;
    await pass(1_000);
    expect(host.out).toHaveLength(after);
  });
});

describe('duplicate filter', () => {
  it('forgets the address that was longest unheard', () => {
    const filter = duplicateFilter();
    for (let index = 0; index <= DUPLICATE_FILTER_ENTRIES; index += 1)
      expect(filter.seen(String(index), 'a')).toBe(false);
    expect(filter.size).toBe(DUPLICATE_FILTER_ENTRIES);
    expect(filter.seen('0', 'a')).toBe(false);
    expect(filter.seen(String(DUPLICATE_FILTER_ENTRIES), 'a')).toBe(true);
  });
});
