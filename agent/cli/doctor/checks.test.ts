import { describe, expect, test } from 'vitest';
import { STATUS_EXAMPLE } from '../../api/routes/status-example.ts';
import { brokerCertificate, certificateCheck } from './broker-checks.ts';
import { reportedDevices } from './device-checks.ts';
import { ledgerCheck, rulesChecks, untold } from './examine.ts';
import { doctorErrors } from './finding.ts';
import { clockCheck, mountCheck, powerCheck, spaceCheck, wearCheck } from './machine-checks.ts';

const NOW = Date.UTC(2026, 10, 27, 10);
const DAY = 86_400_000;
const MIB = 1024 * 1024;

describe('the clock', () => {
  test('is well when it is synchronised, doubtful when it is not, wrong in 1970', () => {
    expect(clockCheck({ trust: () => 'synced' }, NOW)).toMatchObject({ state: 'ok' });
    expect(clockCheck({ trust: () => 'estimated' }, NOW)).toMatchObject({
      state: 'warn',
      code: 'clock-unsynchronised',
    });
    const wrong = clockCheck({ trust: () => 'unset' }, 61_000);
    expect(wrong).toMatchObject({ state: 'fail', code: 'clock-unset' });
    expect(wrong.sentence).toContain('1970-01-01 00:01 UTC');
    expect(wrong.next).toContain('timedatectl set-time');
  });
});

describe('the mount', () => {
  const mounts = [
    '/dev/mmcblk0p2 / ext4 ro,relatime 0 0',
    '/dev/mmcblk0p3 /var/lib ext4 rw,noatime 0 0',
    'tmpfs /run tmpfs rw,nosuid 0 0',
    '/dev/sda1 /mnt/with\\040blank ext4 rw,data=writeback 0 0',
    '/dev/sdb1 /old ext3 rw,barrier=0 0 0',
    '/dev/sdc1 /failing ext4 rw,relatime,errors=remount-ro,emergency_ro 0 0',
  ].join('\n');
  test.each([
    ['/var/lib/barrow', 'ok', 'ok'],
    ['/etc/barrow', 'fail', 'mount-read-only'],
    ['/var/library', 'fail', 'mount-read-only'],
    ['/run/barrow', 'warn', 'mount-volatile'],
    ['/mnt/with blank/state', 'fail', 'mount-unsafe'],
    ['/old', 'fail', 'mount-unsafe'],
    ['/failing/state', 'fail', 'mount-read-only'],
  ])('of %s is %s (%s)', (path, state, code) => expect(mountCheck(path, mounts)).toMatchObject({ state, code }));

  test('that is mounted over another is the one that counts', () => {
    expect(mountCheck('/data/x', '/dev/a /data ext4 ro 0 0\n/dev/b /data ext4 rw 0 0')).toMatchObject({ state: 'ok' });
  });

  test('is not judged when nothing is known', () => expect(mountCheck('/x', '')).toMatchObject({ state: 'ok' }));
});

describe('the disk', () => {
  test('is well, nearly full or full', () => {
    expect(spaceCheck(200 * MIB)).toMatchObject({ state: 'ok', sentence: '200 MiB free' });
    expect(spaceCheck(200 * MIB - 1)).toMatchObject({ state: 'warn', code: 'disk-low' });
    expect(spaceCheck(16 * MIB - 1)).toMatchObject({ state: 'fail', code: 'disk-full' });
    expect(spaceCheck(null)).toMatchObject({ state: 'ok' });
  });

  test('tells its wear in tenths, where it does', () => {
    expect(wearCheck(null)).toMatchObject({ state: 'ok' });
    expect(wearCheck('0x00 0x00\n')).toMatchObject({ state: 'ok' });
    expect(wearCheck('0x01 0x03\n')).toMatchObject({
      state: 'ok',
      sentence: 'At most 30 % of the card’s life is used',
    });
    expect(wearCheck('0x0a 0x02\n')).toMatchObject({ state: 'warn', code: 'card-worn' });
    expect(wearCheck('0x0b 0x02\n')).toMatchObject({ state: 'fail', code: 'card-worn' });
    expect(wearCheck('nonsense')).toMatchObject({ state: 'ok' });
  });
});

test('a Pi that is throttled now is at fault, one that was is warned of', () => {
  const power = (throttled: string | null) => powerCheck({ throttled, temperatureC: 51.4 });
  expect(power(null)).toMatchObject({ state: 'ok', sentence: 'No sign of throttling, 51 °C' });
  expect(power('')).toMatchObject({ state: 'ok' });
  expect(power('undervoltage')).toMatchObject({ state: 'fail', code: 'pi-throttled' });
  expect(power('undervoltage since boot')).toMatchObject({ state: 'warn' });
  expect(power('frequency capped')).toMatchObject({ state: 'warn' });
  expect(power('throttled, undervoltage since boot')).toMatchObject({ state: 'fail' });
});

test('a client certificate is early, valid, about to expire or expired', () => {
  const check = (from: number, to: number) =>
    certificateCheck({ validFrom: new Date(from).toUTCString(), validTo: new Date(to).toUTCString() }, NOW);
  expect(check(NOW - DAY, NOW + 30 * DAY)).toMatchObject({ state: 'ok' });
  expect(check(NOW + DAY, NOW + 30 * DAY)).toMatchObject({ state: 'fail', code: 'certificate-early' });
  expect(check(NOW - DAY, NOW + 13 * DAY)).toMatchObject({ state: 'warn', code: 'certificate-expiring' });
  expect(check(NOW - 2 * DAY, NOW - DAY)).toMatchObject({ state: 'fail', code: 'certificate-expired' });
});

test('rules are absent, in force, about to expire or expired', () => {
  const pricing = { trust: [{ file: 'merchant.pub' }] };
  const rules = { ...STATUS_EXAMPLE.rules!, expires: new Date(NOW + 2 * DAY).toISOString() };
  expect(rulesChecks({}, { rules: null }, NOW)).toEqual([]);
  expect(rulesChecks({ pricing }, { rules: null }, NOW)).toMatchObject([{ state: 'fail', code: 'rules-missing' }]);
  expect(rulesChecks({ pricing }, { rules }, NOW)).toMatchObject([{ state: 'ok' }]);
  expect(rulesChecks({ pricing }, { rules }, NOW + 1.5 * DAY)).toMatchObject([
    { state: 'warn', code: 'rules-expiring' },
  ]);
  expect(rulesChecks({ pricing }, { rules }, NOW + 3 * DAY)).toMatchObject([{ state: 'fail', code: 'rules-expired' }]);
});

test('a ledger that refuses is at fault with its reason, one that lost events is warned of', () => {
  const { ledger } = STATUS_EXAMPLE;
  const full = { code: 'ledger-full', sentence: 'The ledger is full', hint: 'Raise ledger.maxBytes' };
  expect(ledgerCheck({ ledger, reasons: [] })).toMatchObject({ state: 'ok' });
  expect(ledgerCheck({ ledger: { ...ledger, accepting: false }, reasons: [full] })).toMatchObject({
    state: 'fail',
    code: 'ledger-full',
    next: 'Raise ledger.maxBytes',
  });
  const lossy = { ...ledger, streams: ledger.streams.map((stream) => ({ ...stream, lostRows: 3 })) };
  expect(ledgerCheck({ ledger: lossy, reasons: [] })).toMatchObject({ state: 'warn', code: 'events-lost' });
});

test('a running agent’s devices are told with the parts that are silent', () => {
  const [door] = STATUS_EXAMPLE.drivers;
  const status = {
    ...STATUS_EXAMPLE,
    drivers: [
      door!,
      {
        ...door!,
        id: 'shelves',
        state: 'ready' as const,
        code: null,
        parts: [{ part: 's1', state: 'silent' as const, code: 'sensor-silent' }],
      },
    ],
  };
  const words = (code: string) => ({ sentence: `About ${code}`, hint: `mend ${code}` });
  expect(reportedDevices(status, words)).toMatchObject([
    { check: 'driver door', state: 'fail', code: 'camera-stalled', next: 'mend camera-stalled' },
    { check: 'driver shelves', state: 'ok' },
    {
      check: 'driver shelves/s1',
      state: 'fail',
      code: 'sensor-silent',
      sentence: 'About sensor-silent: s1 is silent',
      next: 'mend sensor-silent',
    },
  ]);
});

test('a device is told by what is wrong with it, not by its state alone, and by both at once never twice', () => {
  const [door] = STATUS_EXAMPLE.drivers;
  const told = (detail: string | null, state: 'failed' | 'starting' = 'failed') =>
    reportedDevices({ drivers: [{ ...door!, state, detail, parts: [] }] }, () => ({
      sentence: 'No picture',
      hint: 'x',
    }))[0];
  expect(told(null)?.sentence).toBe('No picture: camera-counter is failed');
  expect(told('No picture: /dev/video0')?.sentence).toBe('No picture: /dev/video0');
  expect(told(null, 'starting')?.state).toBe('warn');
});

test('what keeps a running agent from being ready is never missing, and never told twice', () => {
  const reasons = [
    { code: 'uplink-refused', sentence: 'Refused', hint: 'Look' },
    { code: 'port-missing', sentence: 'Gone', hint: 'Plug', driver: 'till' },
  ];
  expect(untold({ reasons }, [])).toMatchObject([
    { check: 'agent', state: 'fail', code: 'uplink-refused', next: 'Look' },
    { check: 'driver till', state: 'fail', code: 'port-missing' },
  ]);
  expect(untold({ reasons }, [{ state: 'fail', code: 'port-missing' }])).toMatchObject([{ code: 'uplink-refused' }]);
  expect(untold({ reasons }, [{ state: 'warn', code: 'port-missing' }])).toHaveLength(2);
});

test('a broker’s certificate that soon ends is warned of', () => {
  const shown = (days: number) => brokerCertificate({ certificate: { fromMs: 0, untilMs: NOW + days * DAY } }, NOW);
  expect(brokerCertificate({}, NOW)).toEqual([]);
  expect(shown(15)).toMatchObject([{ state: 'ok', sentence: expect.stringContaining('2026-12-12') as string }]);
  expect(shown(13)).toMatchObject([{ state: 'warn', code: 'broker-certificate-expiring' }]);
});

test('every finding has a sentence and a next step', () => {
  for (const { sentence, hint } of Object.values(doctorErrors)) {
    expect(sentence).toMatch(/^[A-Z].*[^.]$/);
    expect(hint.length).toBeGreaterThan(5);
  }
});
