import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { MonoMs, WallMs } from '../../../drivers/api/clock.ts';
import type { BrokerLink, BrokerOptions, KitClock } from '../../core/host.ts';
import { makeAuthority } from '../../../scripts/lib/certificates.ts';
import { startAedes } from '../../../scripts/lib/aedes.ts';
import { startMosquitto } from '../../../scripts/lib/mosquitto.ts';
import { startFaultProxy } from '../../../scripts/lib/tcp-fault-proxy.ts';
import { freePort } from '../../../scripts/lib/free-port.ts';
import { systemClock } from '../clock.ts';
import { brokerDialer, dialBroker, type DialDeps } from './dial.ts';
import { WAITING_MESSAGES_MAX } from './link.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const never = new AbortController().signal;
const will = { topic: 'kit/state', payload: '{"online":false}' };

function deps(secrets: Record<string, string> = {}, clock: KitClock = systemClock()): DialDeps {
  return {
    secret: async (ref) => new TextEncoder().encode(secrets['file' in ref ? ref.file : '']),
    clock,
    log: silent,
    stepTimeoutMs: 2_000,
  };
}

function options(url: string, more: Partial<BrokerOptions> = {}): BrokerOptions {
  return { url, protocol: 'auto', clientId: 'kit', will, ...more };
}

async function first(link: BrokerLink): Promise<{ topic: string; text: string; retain: boolean }> {
  for await (const message of link.messages(AbortSignal.timeout(5_000)))
    return { topic: message.topic, text: new TextDecoder().decode(message.payload), retain: message.retain };
  throw new Error('nothing came');
}

describe('dialling a broker', () => {
  it('speaks MQTT 5 where it can and tells the broker’s limits and reason codes', async () => {
    await using broker = await startMosquitto({ config: ['max_inflight_messages 7', 'max_packet_size 5000'] });
    await using link = await dialBroker(options(broker.url), deps(), never);
    expect(link.protocol).toBe(5);
    expect(link.receiveMaximum).toBe(7);
    expect(link.maximumPacketSize).toBe(5000);
    expect(await link.publish('nobody/listens', 'x', { qos: 1, retain: false })).toBe(0x10);
    await link.subscribe(['somebody/+']);
    expect(await link.publish('somebody/listens', 'x', { qos: 1, retain: false })).toBe(0);
    expect((await first(link)).topic).toBe('somebody/listens');
  });

  it('falls back to 3.1.1 where the broker refuses MQTT 5, and not where 5 was demanded', async () => {
    await using broker = await startAedes();
    await using link = await dialBroker(options(broker.url), deps(), never);
    expect(link.protocol).toBe(4);
    expect(await link.publish('a', 'x', { qos: 1, retain: false })).toBe(0);
    await expect(dialBroker(options(broker.url, { protocol: '5' }), deps(), never)).rejects.toMatchObject({
      code: 'broker-protocol',
    });
  });

  it('takes a silent close for a refusal of MQTT 5 only until the broker has once spoken it', async () => {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    const dial = brokerDialer(deps());
    const link = await dial(options(proxy.url), never);
    await link.close();
    proxy.refuse(true);
    await expect(dial(options(proxy.url), never)).rejects.toMatchObject({ code: expect.stringMatching(/^broker-/) });
    proxy.refuse(false);
    await using again = await dial(options(proxy.url), never);
    expect(again.protocol).toBe(5);
  });

  it('reaches a 3.1.1 broker that hangs up on MQTT 5 without a word', async () => {
    await using broker = await startMosquitto();
    const server = createServer((near) => {
      near.on('error', () => undefined);
      near.once('data', (chunk) => {
        // Byte 8 of a CONNECT with a one-byte length is the protocol level (MQTT §3.1.2.2).
        if (chunk[8] === 5) near.destroy();
        else {
          const far = connect(broker.port, '127.0.0.1');
          far.on('error', () => undefined);
          far.write(chunk);
          near.pipe(far).pipe(near);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const link = await dialBroker(options(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`), deps(), never);
    expect(link.protocol).toBe(4);
    await link.close();
    server.close();
  });

  it('leaves its will when it vanishes, and none when it says goodbye', async () => {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    await using watcher = await dialBroker(options(broker.url, { clientId: 'watcher' }), deps(), never);
    await watcher.subscribe(['kit/state', 'mark']);
    const one = await dialBroker(options(proxy.url), deps(), never);
    await one.close();
    expect((await one.ended).by).toBe('us');
    await watcher.publish('mark', 'between', { qos: 1, retain: false });
    expect((await first(watcher)).topic).toBe('mark');
    const two = await dialBroker(options(proxy.url), deps(), never);
    proxy.reset();
    expect((await two.ended).by).toBe('network');
    expect(await first(watcher)).toMatchObject({ topic: 'kit/state', text: will.payload });
  });

  it('rejects what was in flight when the connection breaks, and everything after', async () => {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    const link = await dialBroker(options(proxy.url), deps(), never);
    proxy.set({ blackHole: true });
    const lost = link.publish('a', 'x', { qos: 1, retain: false });
    const refusal = lost.then(
      () => null,
      (error: unknown) => error,
    );
    proxy.reset();
    expect(await refusal).toMatchObject({ code: 'broker-closed' });
    await link.ended;
    await expect(link.publish('a', 'x', { qos: 1, retain: false })).rejects.toMatchObject({ code: 'broker-closed' });
  });

  it('names a refused login, a closed port, a black hole and a wrong address', async () => {
    await using broker = await startMosquitto({ config: ['allow_anonymous false'] });
    await expect(dialBroker(options(broker.url), deps(), never)).rejects.toMatchObject({ code: 'broker-login' });
    await expect(dialBroker(options(broker.url, { protocol: '3.1.1' }), deps(), never)).rejects.toMatchObject({
      code: 'broker-login',
    });
    await using proxy = await startFaultProxy(broker);
    proxy.set({ blackHole: true });
    const impatient = { ...deps(), stepTimeoutMs: 150 };
    await expect(dialBroker(options(proxy.url), impatient, never)).rejects.toMatchObject({ code: 'broker-timeout' });
    const closed = `mqtt://127.0.0.1:${await freePort()}`;
    await expect(dialBroker(options(closed), deps(), never)).rejects.toMatchObject({ code: 'broker-unreachable' });
    await expect(dialBroker(options('http://127.0.0.1'), deps(), never)).rejects.toMatchObject({ code: 'broker-url' });
  });

  it('stops dialling when told to', async () => {
    await using broker = await startMosquitto();
    await using proxy = await startFaultProxy(broker);
    proxy.set({ blackHole: true });
    const stop = new AbortController();
    const dialling = dialBroker(options(proxy.url), deps(), stop.signal);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(dialling).rejects.toBe(reason);
  });

  it('holds at most 256 unread messages and counts the rest', async () => {
    await using broker = await startMosquitto();
    await using link = await dialBroker(options(broker.url), deps(), never);
    await using sender = await dialBroker(options(broker.url, { clientId: 'sender' }), deps(), never);
    await link.subscribe(['flood']);
    for (let n = 0; n < WAITING_MESSAGES_MAX + 10; n += 1)
      await sender.publish('flood', String(n), { qos: 1, retain: false });
    await expect.poll(() => link.droppedMessages?.()).toBe(10);
  });
});

describe('dialling over TLS', () => {
  it('shows its client certificate and trusts only the given authority', async () => {
    await using authority = await makeAuthority();
    await using other = await makeAuthority();
    const server = await authority.issue('localhost');
    const kit = await authority.issue('popup-014');
    await using broker = await startTls(authority.caFile, server.certFile, server.keyFile);
    const url = `mqtts://127.0.0.1:${broker.port}`;
    const secrets = { ca: authority.ca, other: other.ca, cert: kit.cert, key: kit.key };
    const own = { cert: { file: 'cert' }, key: { file: 'key' } };
    await using link = await dialBroker(options(url, { ca: { file: 'ca' }, ...own }), deps(secrets), never);
    expect(link.protocol).toBe(5);
    expect(link.certificate).toEqual({ fromMs: Date.UTC(2020, 0, 1), untilMs: Date.UTC(2049, 11, 31, 23, 59, 59) });
    await expect(
      dialBroker(options(url, { ca: { file: 'other' }, ...own }), deps(secrets), never),
    ).rejects.toMatchObject({ code: 'broker-tls' });
  });

  it('says that the broker refuses the kit’s certificate, not that the broker’s is bad, whatever the refusal', async () => {
    await using authority = await makeAuthority();
    await using other = await makeAuthority();
    const server = await authority.issue('localhost');
    await using broker = await startTls(authority.caFile, server.certFile, server.keyFile);
    const kits = {
      expired: await authority.issue('popup-014', { notBefore: '20200101000000Z', notAfter: '20210101000000Z' }),
      early: await authority.issue('popup-014', { notBefore: '20480101000000Z' }),
      foreign: await other.issue('popup-014'),
    };
    const dial = (own: Partial<BrokerOptions>, secrets: Record<string, string>): Promise<BrokerLink> =>
      dialBroker(
        options(`mqtts://127.0.0.1:${broker.port}`, { ca: { file: 'ca' }, ...own }),
        deps({ ca: authority.ca, ...secrets }),
        never,
      );
    const refused = { code: 'broker-refuses-certificate' };
    await expect(dial({}, {})).rejects.toMatchObject(refused);
    for (const [name, { cert, key }] of Object.entries(kits))
      await expect(dial({ cert: { file: 'cert' }, key: { file: 'key' } }, { cert, key }), name).rejects.toMatchObject(
        refused,
      );
  });

  it('names the file that cannot be used, and quotes nothing of it', async () => {
    await using authority = await makeAuthority();
    const [kit, second] = [await authority.issue('popup-014'), await authority.issue('popup-015')];
    const good = { ca: authority.ca, cert: kit.cert, key: kit.key };
    const cut = (text: string): string => text.replace(/^[A-Za-z0-9+/=]{20}/m, '');
    const cases: readonly (readonly [string, Partial<typeof good>])[] = [
      ['broker.ca holds no PEM certificate', { ca: 'secret' }],
      ['broker.ca holds no PEM certificate', { ca: '' }],
      ['broker.ca holds a damaged certificate', { ca: cut(authority.ca) }],
      ['broker.cert is no PEM certificate', { cert: 'secret' }],
      ['broker.cert is no PEM certificate', { cert: cut(kit.cert) }],
      ['broker.key is no PEM private key', { key: 'secret' }],
      ['broker.key is no PEM private key', { key: kit.cert }],
      ['broker.key does not belong to broker.cert', { key: second.key }],
    ];
    const files = { ca: { file: 'ca' }, cert: { file: 'cert' }, key: { file: 'key' } };
    for (const [what, bad] of cases) {
      // Nobody listens there: the files are looked at first.
      const dialling = dialBroker(options('mqtts://127.0.0.1:9', files), deps({ ...good, ...bad }), never);
      await expect(dialling, what).rejects.toMatchObject({
        code: 'broker-material',
        message: expect.stringMatching(new RegExp(`: ${what}(?!.*secret)`)),
      });
    }
  });

  it('says that the broker hung up where mqtt:// and mqtts:// are confused', async () => {
    await using broker = await startMosquitto();
    await expect(dialBroker(options(`mqtts://127.0.0.1:${broker.port}`), deps(), never)).rejects.toMatchObject({
      code: 'broker-closed',
      hint: expect.stringContaining('mqtts://'),
    });
  });

  it('forgives “not yet valid” by the floored clock alone, and nothing else with it', async () => {
    await using authority = await makeAuthority();
    await using other = await makeAuthority();
    const future = await authority.issue('localhost', { notBefore: '20400101000000Z', notAfter: '20450101000000Z' });
    await using broker = await startTls(authority.caFile, future.certFile, future.keyFile, 'false');
    const url = `mqtts://127.0.0.1:${broker.port}`;
    const secrets = { ca: authority.ca, other: other.ca };
    const at = (year: number, trust: 'synced' | 'estimated'): DialDeps =>
      deps(secrets, {
        ...systemClock(),
        wallMs: () => Date.UTC(year, 5, 1) as WallMs,
        monoMs: () => 0 as MonoMs,
        trust: () => trust,
      });
    const dial = (ca: string, how: DialDeps): Promise<BrokerLink> =>
      dialBroker(options(url, { ca: { file: ca } }), how, never);
    await expect(dial('ca', at(2026, 'estimated'))).rejects.toMatchObject({ code: 'broker-clock' });
    await expect(dial('ca', at(2042, 'synced'))).rejects.toMatchObject({ code: 'broker-clock' });
    await expect(dial('ca', at(2046, 'estimated'))).rejects.toMatchObject({ code: 'broker-tls' });
    await expect(dial('other', at(2042, 'estimated'))).rejects.toMatchObject({ code: 'broker-tls' });
    await using link = await dial('ca', at(2042, 'estimated'));
    expect(link.protocol).toBe(5);
  });
});

async function startTls(
  caFile: string,
  certFile: string,
  keyFile: string,
  demand = 'true',
): ReturnType<typeof startMosquitto> {
  const port = await freePort();
  return startMosquitto({
    port,
    config: [
      `listener ${port} 127.0.0.1`,
      'user root',
      `cafile ${caFile}`,
      `certfile ${certFile}`,
      `keyfile ${keyFile}`,
      `require_certificate ${demand}`,
    ],
  });
}
