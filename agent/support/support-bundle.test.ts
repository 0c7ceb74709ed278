import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { registry } from '../../drivers/registry.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { STATUS_EXAMPLE } from '../api/routes/status-example.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { makeRedactor } from './redact.ts';
import { CONFIG_VALUES_MAX, redactConfig, SHOWN_OPTIONS } from './redact-config.ts';
import { supportBundle, supportFileName, SUPPORT_BYTES_MAX, type SupportFacts } from './support-bundle.ts';

const CARDS = ['4111111111111111', '5555555555554444', '378282246310005', '6011111111111117'];

/** Options of kit.yaml that a bundle tells by their kind only; a new option must be put here or be shown. */
const SECRET = [
  'clientId',
  'username',
  'password',
  'ca',
  'cert',
  'key',
  'token',
  'trust',
  'pseudonymKey',
  'previousKey',
];
const KEPT_BACK = [...SECRET, 'command', 'prefix', 'setup', 'file', 'env', 'credential', 'serial'];
/** Names of parts, not of values. */
const PARTS = ['kit', 'broker', 'api', 'ledger', 'drivers', 'pricing', 'radio', 'sensors', 'articles', 'source'];
const MORE_PARTS = ['lines', 'zones', 'input', 'timers'];

const facts = (more: Partial<SupportFacts> = {}): SupportFacts => ({
  madeAt: '2026-11-27T10:15:30.123Z',
  version: '0.1.0',
  runtime: 'v22.0.0',
  status: STATUS_EXAMPLE,
  config: {},
  doctor: null,
  logs: [],
  secrets: [],
  errorEntry: () => undefined,
  ...more,
});
const read = (more: Partial<SupportFacts>): JsonObject => JSON.parse(supportBundle(facts(more))) as JsonObject;

describe('a support bundle', () => {
  test('tells versions, status, ledger, configuration, findings, codes and the log', () => {
    const bundle = read({
      config: { kit: { id: 'popup-014' }, broker: { url: 'mqtt://127.0.0.1:1883' } },
      doctor: [{ check: 'clock', state: 'fail', code: 'clock-unset', sentence: 'The clock is wrong', next: 'Set it' }],
      logs: [
        { time: '2026-11-27T10:00:00.000Z', level: 'warn', event: 'driver-state', driver: 'door', code: 'camera-lost' },
        { time: '2026-11-27T10:01:00.000Z', level: 'warn', event: 'driver-state', driver: 'door', code: 'camera-lost' },
      ],
      errorEntry: (code) => (code === 'camera-lost' ? { sentence: 'The camera is gone', hint: 'Look' } : undefined),
    });
    expect(bundle).toMatchObject({
      format: 'barrow.support/1',
      versions: { agent: '0.1.0', runtime: 'v22.0.0' },
      status: { kit: { id: STATUS_EXAMPLE.kit.id }, ready: STATUS_EXAMPLE.ready },
      ledger: { epoch: STATUS_EXAMPLE.ledger.epoch },
      configuration: { kit: { id: 'popup-014' }, broker: { url: 'mqtt://127.0.0.1:1883' } },
      doctor: [{ check: 'clock', code: 'clock-unset', next: 'Set it' }],
      logLinesLeftOut: 0,
    });
    expect(bundle['codes']).toContainEqual({
      code: 'camera-lost',
      count: 2,
      last: '2026-11-27T10:01:00.000Z',
      means: 'The camera is gone',
    });
    expect(bundle['logs']).toHaveLength(2);
  });

  test('carries no data of the newest events', () => {
    const [driver] = STATUS_EXAMPLE.drivers;
    const status = {
      ...STATUS_EXAMPLE,
      drivers: [
        { ...driver!, latest: [{ subject: 's1', type: 'barrow.scan.v1', at: 'now', data: { text: 'Mrs Miller' } }] },
      ],
    };
    const text = supportBundle(facts({ status }));
    expect(text).toContain('barrow.scan.v1');
    expect(text).not.toContain('Miller');
  });

  test('leaves out the oldest log lines when it would grow beyond its bound', () => {
    const logs = Array.from({ length: 20_000 }, (_, n) => ({ event: 'x', n, detail: 'd'.repeat(200) }));
    const text = supportBundle(facts({ logs }));
    expect(text.length).toBeLessThanOrEqual(SUPPORT_BYTES_MAX);
    expect(text.length).toBeGreaterThan(SUPPORT_BYTES_MAX * 0.9);
    const bundle = JSON.parse(text) as { readonly logLinesLeftOut: number; readonly logs: readonly JsonObject[] };
    expect(bundle.logLinesLeftOut + bundle.logs.length).toBe(20_000);
    expect(bundle.logs.at(-1)).toMatchObject({ n: 19_999 });
  });

  test('has a name that every file system takes', () => {
    expect(supportFileName('popup-014', '2026-11-27T10:15:30.123Z')).toBe(
      'barrow-support-popup-014-20261127T101530Z.json',
    );
  });
});

describe('what leaves in a support bundle', () => {
  test('is no card number, wherever one stands', () => {
    for (const pan of CARDS) {
      const grouped = pan.replaceAll(/(.{4})(?=.)/g, '$1 ');
      const text = supportBundle(
        facts({
          config: {
            state: `/var/${pan}`,
            drivers: [{ id: pan, options: { [pan]: 1, adapter: Number(pan), lines: [grouped] } }],
          },
          logs: [
            {
              event: pan,
              detail: `got ${pan}=2512`,
              n: Number(pan),
              [pan]: 'x',
              deep: { list: [{ detail: grouped }] },
            },
            { event: 'x', detail: `99${pan}77` },
          ],
          doctor: [{ check: 'x', state: 'fail', code: 'x', sentence: pan, next: `${pan}0000000` }],
        }),
      );
      expect(text).not.toContain(pan);
      expect(text).not.toContain(grouped);
      expect(JSON.parse(text)).toMatchObject({ withheld: expect.any(Number) as number });
    }
  });

  test('is no secret, as text, in hex or in base64, whatever field it got into', () => {
    const secrets = [
      's3cret-broker-word',
      '123456',
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ\n-----END PRIVATE KEY-----',
    ];
    const [word = ''] = secrets;
    const hex = Buffer.from(word).toString('hex');
    const base64 = Buffer.from(word).toString('base64');
    const text = supportBundle(
      facts({
        secrets,
        config: { state: `/x/${word}`, kit: { id: 'k', node: hex } },
        logs: [
          { event: 'a', detail: `password ${word} refused` },
          { event: 'b', detail: `frame ${base64}` },
          { event: 'c', detail: 'pw 123456 sent', time: '2026-11-27T10:00:00.123456789Z' },
          { event: 'd', detail: 'MC4CAQAwBQYDK2VwBCIEIJ' },
        ],
      }),
    );
    for (const form of [word, hex, base64.slice(0, 20), 'pw 123456', 'MC4CAQAwBQYDK2VwBCIEIJ'])
      expect(text).not.toContain(form);
    expect(text).toContain('10:00:00.123456789Z');
  });

  test('of an address is scheme and host: user, password, path and query stay', () => {
    const text = supportBundle(
      facts({
        config: {
          broker: { url: 'mqtts://shop:hunter22@mqtt.example:8883' },
          drivers: [{ source: { kind: 'rtsp', url: 'rtsp://admin:pass@cam@10.0.0.7/live/tok3n?key=abcdef' } }],
        },
        logs: [{ event: 'x', detail: 'GET http://u:p4ssword@cam.local/a?token=zzz failed' }],
      }),
    );
    for (const hidden of ['hunter22', 'shop:', 'pass@', 'tok3n', 'abcdef', 'p4ssword', 'zzz'])
      expect(text).not.toContain(hidden);
    for (const shown of ['mqtts://mqtt.example:8883', 'rtsp://10.0.0.7/…', 'http://cam.local/…'])
      expect(text).toContain(shown);
  });

  test('of an option that nobody allowed is its kind', () => {
    const config = redactConfig(makeRedactor([]), {
      broker: { clientId: 'free words', username: 'shop', password: { file: 'broker.pw' } },
      drivers: [{ id: 'd', options: { pin: 1234, apiKey: 'abc', command: ['curl', '-u', 'me:word'] } }],
    });
    expect(config).toEqual({
      broker: { clientId: '[text, 10 characters]', username: '[text, 4 characters]', password: { file: 'broker.pw' } },
      drivers: [
        {
          id: 'd',
          options: {
            pin: '[number]',
            apiKey: '[text, 3 characters]',
            command: Array.from([4, 2, 7], (n) => `[text, ${n} characters]`),
          },
        },
      ],
    });
  });

  test('is decided for every option that kit.yaml knows', async () => {
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'properties') for (const name of Object.keys(inner as object)) names.add(name);
        collect(inner);
      }
    };
    collect(await configJsonSchema(registry));
    const undecided = [...names].filter(
      (name) => !SHOWN_OPTIONS.has(name) && ![...KEPT_BACK, ...PARTS, ...MORE_PARTS].includes(name),
    );
    expect(undecided).toEqual([]);
    expect(KEPT_BACK.filter((name) => SHOWN_OPTIONS.has(name))).toEqual([]);
  });

  test('is bounded and readable whatever the configuration and the log hold', () => {
    const hostile = fc.object({
      maxDepth: 5,
      withBigInt: false,
      withNullPrototype: false,
      key: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(hostile, fc.array(hostile), (config, logs) => {
        const text = supportBundle(facts({ config, logs: logs as JsonObject[] }));
        JSON.parse(text);
        return text.length <= SUPPORT_BYTES_MAX;
      }),
      { numRuns: 25 },
    );
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, 'v'.repeat(300)]));
    const kept = redactConfig(makeRedactor([]), { a: wide, b: Array.from({ length: 100_000 }, () => 'x') });
    expect(JSON.stringify(kept).length).toBeLessThan(CONFIG_VALUES_MAX * 100);
  });
});
