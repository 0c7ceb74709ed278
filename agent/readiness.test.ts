import { expect, test } from 'vitest';
import type { UplinkStatus } from './core/status.ts';
import { DISK_FULL_BYTES, DISK_LOW_BYTES, readinessReasons, type ReadinessFacts } from './readiness.ts';
import { UPLINK_OFF } from './start-uplink.ts';

const uplink: UplinkStatus = { ...UPLINK_OFF, state: 'online', url: 'mqtt://127.0.0.1:1883', protocol: '5' };
const well: ReadinessFacts = {
  drivers: [],
  uplink,
  clockTrust: 'synced',
  ledgerFault: null,
  pricing: { configured: false, state: null, refused: null },
  freeBytes: DISK_LOW_BYTES,
  throttled: null,
  restartFor: [],
  configFault: null,
};
const codes = (more: Partial<ReadinessFacts>): readonly string[] =>
  readinessReasons({ ...well, ...more }, () => undefined).map(({ code }) => code);

test('nothing wrong is a green light', () => expect(codes({})).toEqual([]));

test('a disk that runs out of room is told before the ledger has to refuse', () => {
  expect(codes({ freeBytes: DISK_LOW_BYTES - 1 })).toEqual(['disk-low']);
  expect(codes({ freeBytes: DISK_FULL_BYTES - 1 })).toEqual(['disk-full']);
  expect(codes({ freeBytes: null })).toEqual([]);
  const [reason] = readinessReasons({ ...well, freeBytes: 5 * 1024 * 1024 }, () => undefined);
  expect(reason?.sentence).toBe('The disk is full, so events cannot be kept: 5 MiB free');
  expect(reason?.hint).toContain('Free some space');
});

test('a change that waits for a restart is told with its parts', () => {
  const [reason] = readinessReasons({ ...well, restartFor: ['api', 'broker'] }, () => undefined);
  expect(reason).toMatchObject({
    code: 'config-needs-restart',
    sentence: expect.stringMatching(/: api, broker$/) as string,
  });
});

test('power that is too low now is a reason, power that was is none', () => {
  expect(codes({ throttled: 'undervoltage, undervoltage since boot' })).toEqual(['pi-throttled']);
  expect(codes({ throttled: 'undervoltage since boot' })).toEqual([]);
  expect(codes({ throttled: '' })).toEqual([]);
});

test('a ledger that refuses without a detail ends in no colon', () => {
  const [reason] = readinessReasons({ ...well, ledgerFault: { code: 'ledger-io', detail: '' } }, () => undefined);
  expect(reason?.sentence).toBe('The ledger cannot accept events');
});

test('a broker that is away, a clock that was never set and rules that are missing are each a reason', () => {
  expect(codes({ uplink: { ...uplink, state: 'waiting' } })).toEqual(['broker-away']);
  expect(codes({ uplink: { ...uplink, state: 'waiting', code: 'uplink-refused' } })).toEqual(['uplink-refused']);
  expect(codes({ uplink: { ...uplink, state: 'off' } })).toEqual([]);
  expect(codes({ uplink: { ...uplink, code: 'uplink-refused', detail: 'sale: reason code 0x87' } })).toEqual([
    'uplink-refused',
  ]);
  expect(codes({ clockTrust: 'unset' })).toEqual(['clock-unset']);
  expect(codes({ clockTrust: 'estimated' })).toEqual([]);
  expect(codes({ pricing: { configured: true, state: null, refused: null } })).toEqual(['rules-missing']);
  expect(codes({ pricing: { configured: true, state: 'expired', refused: null } })).toEqual(['rules-expired']);
});

test('a bundle that was refused says why no rules are in force, and nothing beside rules that are', () => {
  const refused = { code: 'signature-missing', message: 'The bundle is not signed' };
  const reasons = (state: 'in-force' | 'expired' | null) =>
    readinessReasons({ ...well, pricing: { configured: true, state, refused } }, (code) => ({
      sentence: code,
      hint: `mend ${code}`,
    }));
  expect(reasons(null)).toMatchObject([
    {
      code: 'signature-missing',
      sentence: expect.stringMatching(/refused: The bundle is not signed$/) as string,
      hint: 'mend signature-missing',
    },
  ]);
  expect(reasons('expired').map(({ code }) => code)).toEqual(['rules-expired', 'signature-missing']);
  expect(reasons('in-force')).toEqual([]);
});

test('a changed kit.yaml that cannot be read is told with its line until it can', () => {
  const configFault = {
    code: 'config-invalid',
    message: 'kit.yaml, line 3, column 1: unknown',
    hint: 'Did you mean drivers?',
  };
  expect(readinessReasons({ ...well, configFault }, () => undefined)).toEqual([
    {
      code: 'config-invalid',
      sentence: 'The changed configuration is not in force: kit.yaml, line 3, column 1: unknown',
      hint: 'Did you mean drivers?',
    },
  ]);
});

test('the ledger comes first, then the disk, then each device with its name', () => {
  const driver = {
    id: 'door',
    type: 'camera-counter',
    state: 'failed' as const,
    code: 'camera-stalled',
    detail: null,
    parts: [{ part: 's1', state: 'silent' as const, code: 'sensor-silent' }],
    events: 0,
    restarts: 0,
    lastEventAt: null,
    latest: [],
  };
  const reasons = readinessReasons(
    { ...well, drivers: [driver], ledgerFault: { code: 'ledger-full', detail: '' }, freeBytes: 0 },
    (code) => ({ sentence: `about ${code}`, hint: `mend ${code}` }),
  );
  expect(reasons.map(({ code, driver: of }) => [code, of])).toEqual([
    ['ledger-full', undefined],
    ['disk-full', undefined],
    ['sensor-silent', 'door'],
    ['camera-stalled', 'door'],
  ]);
  expect(reasons.at(-1)?.hint).toBe('mend camera-stalled');
});
