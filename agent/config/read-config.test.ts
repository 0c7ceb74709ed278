import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Driver, DriverRegistry } from '../../drivers/api/driver.ts';
import { secretRef } from '../../drivers/api/secret.ts';
import type { ConfigFault } from './fault.ts';
import { readConfig } from './read-config.ts';

const toy: Driver = {
  type: 'toy',
  emits: [],
  errors: {},
  config: z.strictObject({ port: z.string(), baud: z.int().default(9_600), password: secretRef.optional() }),
  open: () => Promise.reject(new Error('never opened here')),
};
const lamp: Driver = {
  ...toy,
  type: 'lamp',
  config: z.strictObject({
    source: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file'), path: z.string() }),
      z.strictObject({ kind: z.literal('bus'), device: z.string() }),
    ]),
  }),
};
const registry: DriverRegistry = { toy: async () => toy, lamp: async () => lamp };

const KIT = `kit: { id: popup-014, currency: GBP, timezone: Europe/London }
state: /var/lib/barrow
`;

async function faultsIn(text: string): Promise<readonly ConfigFault[]> {
  const read = await readConfig(text, registry);
  return read.ok ? [] : read.faults;
}

describe('reading kit.yaml', () => {
  test('fills in the defaults of a minimal kit', async () => {
    const read = await readConfig(KIT, registry);
    expect(read).toMatchObject({
      ok: true,
      config: {
        api: { listen: '127.0.0.1:8080' },
        ledger: { maxBytes: 256 * 1024 * 1024, retainAcked: 72 * 3_600_000 },
        drivers: [],
        mdns: false,
      },
    });
  });

  test('reads sizes, durations and the driver’s own options', async () => {
    const read = await readConfig(
      `${KIT}ledger: { maxBytes: 1GiB, retainAcked: 30m }\ndrivers: [{ id: a, type: toy, port: /dev/x }]\n`,
      registry,
    );
    expect(read).toMatchObject({
      ok: true,
      config: {
        ledger: { maxBytes: 2 ** 30, retainAcked: 1_800_000 },
        drivers: [{ id: 'a', config: { port: '/dev/x', baud: 9_600 } }],
      },
    });
  });

  test('tells all faults at once, in the order of their lines, each at its place', async () => {
    const faults = await faultsIn(`kit: { id: popup-014, currency: GBP, timezone: Europe/Lodon }
state: /var/lib/barrow
broker: { url: "mqtt://h", protocl: auto, password: hunter2 }
api: { listen: "0.0.0.0:8080" }
drivers:
  - { id: a, type: toy, port: 5 }
  - { id: a, type: tyo }
`);
    expect(faults.map(({ code, path, line, column }) => `${line}:${column} ${code} ${path}`)).toEqual([
      '1:48 config-value kit.timezone',
      '3:28 config-unknown-key broker.protocl',
      '3:53 config-secret-inline broker.password',
      '4:16 config-open-api api.listen',
      '6:31 config-type drivers[0].port',
      '7:20 config-driver-type drivers[1].type',
    ]);
  });

  test('guesses what was meant', async () => {
    const faults = await faultsIn(
      `${KIT}broker: { url: "mqtt://h", protocl: auto }\ndrivers: [{ id: a, type: tyo }, { id: b, type: toy, prot: /dev/x, port: /dev/x }]\n`,
    );
    expect(faults.map(({ hint }) => hint)).toEqual([
      'Did you mean protocol?',
      'Did you mean toy?',
      'Did you mean port?',
    ]);
  });

  test('refuses a currency that ISO 4217 does not have, and a file without settings', async () => {
    const [pence] = await faultsIn('kit: { id: a, currency: GBX, timezone: UTC }\nstate: s\ndrivers: []\n');
    expect(pence).toMatchObject({ path: 'kit.currency', line: 1, column: 25 });
    const [empty] = await faultsIn('');
    expect(empty?.message).toBe('This value is of the wrong type: the file must be an object');
  });

  test('does not guess the very key that is wrong here, though another kind of the setting has it', async () => {
    const faults = await faultsIn(`${KIT}drivers: [{ id: a, type: lamp, source: { kind: bus, path: /dev/x } }]\n`);
    const wrong = faults.find(({ path }) => path.endsWith('.path'));
    expect(wrong?.hint).toMatch(/^Remove it/);
  });

  test('never repeats a secret that was written inline', async () => {
    const faults = await faultsIn(
      `${KIT}broker: { url: "mqtt://h", password: hunter2 }\ndrivers: [{ id: a, type: toy, port: /dev/x, password: hunter2 }]\n`,
    );
    expect(faults.map(({ code }) => code)).toEqual(['config-secret-inline', 'config-secret-inline']);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  test('names what is missing and where', async () => {
    const faults = await faultsIn('kit: { id: a, currency: GBP, timezone: UTC }\ndrivers: [{ id: a, type: toy }]\n');
    expect(faults.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'config-missing state',
      'config-missing drivers[0].port',
    ]);
  });

  test.each([
    ['a list where a kit should be', '- 1\n'],
    ['an empty file', ''],
    ['a scalar', '42\n'],
    ['an unclosed quote', 'kit: "\n'],
    ['a tab as indentation', 'kit:\n\tid: x\n'],
    ['a doubled key', `${KIT}state: /b\n`],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    ],
    ['a prototype name', `${KIT}__proto__: { polluted: true }\n`],
    ['a constructor as a driver', `${KIT}drivers: [{ id: a, type: constructor }]\n`],
  ])('refuses %s with a place and a code', async (_what, text) => {
    const faults = await faultsIn(text);
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults) {
      expect(fault.line).toBeGreaterThan(0);
      expect(fault.column).toBeGreaterThan(0);
      expect(fault.hint).not.toBe('');
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('holds the broker to its profile', async () => {
    const faults = await faultsIn(`${KIT}broker: { url: "mqtt://a.iot.example", profile: aws }\n`);
    expect(faults.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'config-profile broker.url',
      'config-profile broker.profile',
    ]);
  });

  test('never throws, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.json().map((json) => `${KIT}drivers: ${json}\n`),
          fc.json().map((json) => `kit: ${json}\n`),
        ),
        async (text) => {
          const read = await readConfig(text, registry);
          if (!read.ok) expect(read.faults.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
