import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { documentOf } from '../../agent/cli/commands/schema.ts';
import { connectConsumer } from '../../agent/cli/consumer/connect.ts';
import { Closing } from '../../agent/core/closing.ts';
import type { CloudEvent } from '../../agent/core/event.ts';
import type { BrokerLink } from '../../agent/core/host.ts';
import type { AgentStatus } from '../../agent/core/status.ts';
import { systemClock } from '../../agent/host/clock.ts';
import { startAgent, type AgentProcess } from '../../firmware-sim/cli/agent-process.ts';
import { demoPricing } from '../../firmware-sim/cli/demo/rules.ts';
import { writeKitFolder } from '../../firmware-sim/cli/kit-folder.ts';
import { scanMessage } from '../../firmware-sim/devices/barcode-scanner/scanner.ts';
import { swipeMessage } from '../../firmware-sim/devices/loyalty-reader/stripe-reader.ts';
import { PAYING_CUSTOMER, TEST_CARD } from '../../firmware-sim/devices/zvt-terminal/customer.ts';
import { VirtualTerminal } from '../../firmware-sim/devices/zvt-terminal/terminal.ts';
import { registry } from '../../drivers/registry.ts';
import type { VirtualDevice } from '../../firmware-sim/kit/virtual-device.ts';
import type { Scenario } from '../../firmware-sim/scenario/scenario.ts';
import { pluggedPort } from '../../firmware-sim/wire/plugged-port.ts';
import { freePort } from '../lib/free-port.ts';
import { startMosquitto } from '../lib/mosquitto.ts';
import { attacksOf } from './attack.ts';
import { CANARIES, disguises, leaks } from './disguises.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));

const KIT = 'canary-kit';
const SCENARIO: Scenario = {
  seed: 1,
  kit: { id: KIT, node: 'n', group: 'g', currency: 'EUR', timezone: 'Europe/Berlin' },
  shoppersPerMin: 0,
  loyaltyShare: 0,
  products: [
    { sku: 'TEE-BLK-M', gtin: '05012345678900', listMinor: 2_500, costMinor: 900, category: 'tees', stock: 20 },
  ],
  devices: [],
  incidents: [],
};

/** A masked card is what may be kept: its presence proves that the number was really there. */
const mask = (pan: string): string => `${pan.slice(0, 6)}${'*'.repeat(pan.length - 10)}${pan.slice(-4)}`;

interface Artefact {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Which of them must be seen masked: with a scanner all, because it reads them as free text. */
const SHOWN: readonly string[] = Object.hasOwn(registry, 'barcode-scanner') ? CANARIES : [];

describe('the whole agent, with card numbers driven into everything that takes anything', () => {
  const closing = new Closing();
  const artefacts: Artefact[] = [];
  const capture: string[] = [];
  const answers: string[] = [];
  let folder = '';
  let api = '';
  let masked = '';
  let limits = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barrow-canary-'));
    closing.defer(() => rm(folder, { recursive: true, force: true }));
    const broker = await startMosquitto({ persistent: true });
    closing.defer(() => Promise.resolve(broker[Symbol.asyncDispose]()));
    const over = new AbortController();
    const link = await connectConsumer({ broker: broker.url, protocol: 'auto' }, over.signal);
    closing.defer(() => link.close());
    const topics = ['event/+', 'batch/+', 'manifest/+', 'price/+', 'reply/+', 'state', 'health'];
    await link.subscribe(topics.map((topic) => `barrow/v1/${KIT}/${topic}`));
    const capturing = captureAll(link, over.signal);
    closing.defer(async () => {
      over.abort(new Error('done'));
      await capturing;
    });
    const shop = await openShop();
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    const kitPath = await writeKitFolder({
      folder,
      state: join(folder, 'state'),
      scenario: SCENARIO,
      kit: { devices: shop.devices, hands: {}, [Symbol.asyncDispose]: () => Promise.resolve() },
      brokerUrl: broker.url,
      listen: `127.0.0.1:${port}`,
      pricing: demoPricing(SCENARIO),
    });
    const agent = startNoisyAgent(kitPath);
    closing.defer(async () => void (await agent.stop()));
    await untilReady();

    await payWithEveryCard(shop.terminal);
    await shop.swipeAndScan();
    await attackTheApi();
    await attackOverMqtt(link);
    await keepBundles(kitPath);
    // Everything that is on its way: the masked cards are in the till's stream and the reader has told of what it dropped.
    await vi.waitFor(
      () => {
        const seen = capture.join('\n');
        expect(SHOWN.filter((pan) => !seen.includes(mask(pan)))).toEqual([]);
        expect(seen).toContain('barrow.loyalty.v1');
      },
      { timeout: 15_000, interval: 100 },
    );

    // A diagnostic report, then the harshest end: what a crash leaves is what a thief of the box would read.
    process.kill(agent.pid, 'SIGUSR2');
    await vi.waitFor(
      async () => expect((await readdir(folder)).filter((name) => name.startsWith('report.'))).toHaveLength(1),
      { timeout: 10_000, interval: 100 },
    );
    limits = await readFile(`/proc/${agent.pid}/limits`, 'utf8');
    process.kill(agent.pid, 'SIGABRT');
    await agent.ended;
    for (const path of await filesOf(folder))
      artefacts.push({ name: relative(folder, path), bytes: await readFile(path) });
    for (const path of await filesOf(broker.folder))
      artefacts.push({ name: `broker/${relative(broker.folder, path)}`, bytes: await readFile(path) });
    artefacts.push({ name: 'MQTT capture', bytes: Buffer.from(capture.join('\n')) });
    artefacts.push({ name: 'answers of the API', bytes: Buffer.from(answers.join('\n')) });
    masked = capture.join('\n');
  }, 150_000);
  afterAll(() => closing.close());

  /** The agent at its most talkative, with diagnostic reports switched on. */
  function startNoisyAgent(kitPath: string): AgentProcess {
    const more = {
      BARROW_LOG_LEVEL: 'debug',
      NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`,
    };
    Object.assign(process.env, more);
    try {
      return startAgent(kitPath, join(folder, 'agent.log'));
    } finally {
      for (const name of Object.keys(more)) delete process.env[name];
    }
  }

  async function captureAll(link: BrokerLink, signal: AbortSignal): Promise<void> {
    for await (const { topic, payload } of link.messages(signal))
      capture.push(`${topic} ${Buffer.from(payload).toString('latin1')}`);
  }

  async function openShop(): Promise<{
    readonly devices: readonly VirtualDevice[];
    readonly terminal: VirtualTerminal;
    swipeAndScan(): Promise<void>;
  }> {
    const wires = join(folder, 'wires');
    const terminal = new VirtualTerminal({ clock: systemClock(), currency: 'EUR', receiptLines: 6 });
    const ports = {
      terminal: await pluggedPort(wires, 'terminal'),
      loyalty: await pluggedPort(wires, 'loyalty'),
      scanner: await pluggedPort(wires, 'scanner'),
    };
    const off = new AbortController();
    const serving = terminal.serve(await ports.terminal.plug(), 'serial', off.signal).catch((error: unknown) => {
      if (!off.signal.aborted) throw error;
    });
    closing.defer(async () => {
      off.abort(new Error('switched off'));
      for (const port of Object.values(ports)) await port.unplug();
      await serving;
    });
    const stripe = await ports.loyalty.plug();
    const codes = await ports.scanner.plug();
    const device = (id: string, type: string, port: string, more: object, files: object): VirtualDevice =>
      ({
        id,
        type,
        where: port,
        kitEntry: { id, type, port, ...more },
        files,
        hands: {},
        subjects: [id],
      }) as unknown as VirtualDevice;
    return {
      terminal,
      devices: [
        device(
          'terminal',
          'zvt-terminal',
          ports.terminal.path,
          { password: { file: 'zvt.pw' } },
          { 'zvt.pw': '000000\n' },
        ),
        device(
          'loyalty',
          'loyalty-reader',
          ports.loyalty.path,
          { protocol: 'magstripe', pseudonymKey: { file: 'l.key' }, doubleTapMs: 0 },
          { 'l.key': `${'5a'.repeat(32)}\n` },
        ),
        device('scanner', 'barcode-scanner', ports.scanner.path, {}, {}),
        // A family is its folder: where one was taken out, the others are attacked all the same.
      ].filter(({ type }) => Object.hasOwn(registry, type)),
      swipeAndScan: async () => {
        for (const pan of CANARIES) {
          const track2 = `${pan}=25121010000012300000`;
          await stripe.write(swipeMessage({ track1: `B${pan}^DOE/JOHN^2512101`, track2 }));
          await stripe.write(swipeMessage({ track1: null, track2 }, { framed: true, insertion: true }));
          await stripe.write(swipeMessage({ track3: `01${pan}=0` }));
          await stripe.write(Buffer.from(`;${pan}\r`, 'latin1'));
          await codes.write(scanMessage({ symbology: 'code-128', text: pan }));
          await codes.write(scanMessage({ symbology: 'qr', text: `https://pay.example/${pan}?card=${pan}` }));
          await codes.write(scanMessage({ symbology: 'gs1-128', elements: [['99', pan]] }));
        }
        await stripe.write(swipeMessage({ track2: '9900001234567=' }));
      },
    };
  }

  function untilReady(): Promise<void> {
    return vi.waitFor(
      async () => {
        const { drivers, uplink } = (await (await fetch(`${api}/v1/status`)).json()) as AgentStatus;
        expect(uplink.state).toBe('online');
        expect(drivers.length).toBeGreaterThanOrEqual(2);
        expect(drivers.filter(({ state }) => state !== 'ready')).toEqual([]);
      },
      { timeout: 45_000, interval: 100 },
    );
  }

  /** The terminal sends whole numbers, tracks and verification codes, as some do. */
  async function payWithEveryCard(terminal: VirtualTerminal): Promise<void> {
    terminal.faults.unmasked = 1_000;
    terminal.customers.splice(
      0,
      terminal.customers.length,
      ...CANARIES.map((pan, at) => ({
        ...PAYING_CUSTOMER,
        card: { ...TEST_CARD, pan },
        issuer: at === 1 ? ('decline' as const) : ('approve' as const),
      })),
    );
    for (const _ of CANARIES) {
      const started = await fetch(`${api}/v1/payments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ amountMinor: 1_250, currency: 'EUR' }),
      });
      const { intentId } = (await started.json()) as { readonly intentId: string };
      const ended = await fetch(`${api}/v1/payments/${intentId}?waitS=20`);
      answers.push(await ended.text());
    }
  }

  async function attackTheApi(): Promise<void> {
    const document: unknown = await (await fetch(`${api}/openapi.json`)).json();
    for (const [at, pan] of CANARIES.entries()) {
      const attacks = attacksOf(document, pan);
      expect(attacks.length).toBeGreaterThan(60);
      // Each number everywhere would be five times the same: one goes everywhere, the others into a part each.
      for (const [n, { method, path, headers, body }] of attacks.entries())
        if (at === 0 || n % 4 === at - 1) answers.push(await send(method, path, headers, body));
    }
  }

  /** Over node:http, because fetch refuses some of the headers. */
  function send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(`${api}${path}`, { method, headers, timeout: 10_000 }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('end', () =>
          resolve(
            `${response.statusCode} ${JSON.stringify(response.headers)} ${Buffer.concat(parts).toString('latin1')}`,
          ),
        );
        response.once('error', reject);
      });
      call.once('error', reject);
      call.end(body ?? undefined);
    });
  }

  async function attackOverMqtt(link: BrokerLink): Promise<void> {
    const base = `barrow/v1/${KIT}`;
    for (const pan of CANARIES) {
      for (const name of ['resend', 'ack', 'identify', 'reload', `x${pan}`])
        await link.publish(
          `${base}/command/${name}`,
          JSON.stringify({ id: pan, stream: pan, epoch: pan, driver: pan, [pan]: pan }),
          {
            qos: 1,
            retain: false,
          },
        );
      await link.publish(`${base}/rules`, JSON.stringify({ payload: pan, signatures: [{ keyid: pan, sig: pan }] }), {
        qos: 1,
        retain: false,
      });
    }
  }

  async function keepBundles(kitPath: string): Promise<void> {
    answers.push(await (await fetch(`${api}/v1/support-bundle`)).text());
    answers.push(await (await fetch(`${api}/v1/logs?limit=1000`)).text());
    answers.push(await (await fetch(`${api}/v1/status`)).text());
    answers.push(await (await fetch(`${api}/metrics`)).text());
    const out = join(folder, 'support.json');
    await run(process.execPath, [
      '--import',
      'tsx',
      main,
      'support-bundle',
      '--no-doctor',
      '-c',
      kitPath,
      '--out',
      out,
    ]);
  }

  test('leaves no core file behind, which would hold what passed through the decoders', () => {
    expect(limits).toMatch(/Max core file size +1 +1 /);
    expect(artefacts.map(({ name }) => name).filter((name) => /(^|\/)core(\.\d+)?$/.test(name))).toEqual([]);
  });

  test('keeps none of them in its database, log, answers, messages, support bundle or crash report', () => {
    const names = artefacts.map(({ name }) => name);
    for (const needed of [
      /^state\/.*\.db$/,
      /-wal$/,
      /^agent\.log$/,
      /^support\.json$/,
      /^report\./,
      /^broker\/.*\.db$/,
    ])
      expect(
        names.filter((name) => needed.test(name)),
        String(needed),
      ).not.toEqual([]);
    const found = artefacts.flatMap(({ name, bytes }) => leaks(bytes).map((pan) => `${mask(pan)} in ${name}`));
    expect(found).toEqual([]);
  });

  test('has seen each of them all the same: what may be kept is there', () => {
    for (const pan of SHOWN) expect(masked).toContain(mask(pan));
    expect(masked).toContain('payment-card');
    expect(masked).toContain('barrow.loyalty.v1');
    // A refusal of each kind was given, so the attacks reached the handlers behind the guard.
    const statuses = new Set(answers.map((answer) => answer.slice(0, 3)));
    for (const status of ['200', '400', '404', '422']) expect([...statuses]).toContain(status);
  });

  test('publishes nothing but what its schemas say', async () => {
    const ajv = new Ajv2020({ strict: false });
    for (const format of ['date-time', 'date']) ajv.addFormat(format, true);
    const { $defs } = (await documentOf('events')) as { readonly $defs: Readonly<Record<string, object>> };
    const types = new Set<string>();
    for (const line of capture) {
      const blank = line.indexOf(' ');
      const [topic, payload] = [line.slice(0, blank), line.slice(blank + 1)];
      if (!/\/(event|batch)\//.test(topic)) continue;
      for (const event of [JSON.parse(payload) as CloudEvent | readonly CloudEvent[]].flat()) {
        const check =
          ajv.getSchema(event.type) ?? ajv.addSchema($defs[event.type] ?? false, event.type).getSchema(event.type);
        expect(check?.(event), `${event.type} ${JSON.stringify(check?.errors)}`).toBe(true);
        types.add(event.type);
      }
    }
    const scans = Object.hasOwn(registry, 'barcode-scanner') ? ['scan'] : [];
    for (const kind of ['agent.started', 'driver.state', 'payment', 'sale', 'loyalty', 'rules.activated', ...scans])
      expect([...types]).toContain(`barrow.${kind}.v1`);
  });

  test('would be told of a single leak in any of these places', () => {
    const [pan = ''] = CANARIES;
    for (const { name, bytes } of artefacts) {
      const at = Math.floor(bytes.length / 2);
      for (const form of [Buffer.from(`"${pan}"`), ...disguises(pan).slice(0, 8)])
        expect(leaks(Buffer.concat([bytes.subarray(0, at), form, bytes.subarray(at)])), name).toEqual([pan]);
    }
  });
});

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
