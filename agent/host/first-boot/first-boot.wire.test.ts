import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registry } from '../../../drivers/registry.ts';
import { firstBoot, type FirstBootReport } from './first-boot.ts';
import { tell } from './tell.ts';

const run = promisify(execFile);
let card: string;
let boot: string;
let etc: string;

let umask: number;

beforeEach(async () => {
  // As the unit has it: what the agent's group must read cannot be left to the umask.
  umask = process.umask(0o077);
  card = await mkdtemp(join(tmpdir(), 'barrow-card-'));
  boot = join(card, 'boot');
  etc = join(card, 'etc');
  await mkdir(boot);
  await mkdir(etc);
});
afterEach(async () => {
  process.umask(umask);
  await rm(card, { recursive: true });
});

const KIT = `
kit: { id: popup-014, currency: GBP, timezone: Europe/London }
state: /var/lib/barrow
api: { listen: "0.0.0.0:8080", token: { file: api.token } }
mdns: true
drivers:
  - { id: loyalty, type: loyalty-reader, protocol: magstripe, port: /dev/ttyUSB0, pseudonymKey: { file: keys/loyalty.key } }
`;

async function bring(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(boot, name, '..'), { recursive: true });
    await writeFile(join(boot, name), text);
  }
}
const look = (): Promise<FirstBootReport> => firstBoot(boot, etc, registry);
const whole = { 'kit.yaml': KIT, 'api.token': 'a-token-of-more-than-16-bytes', 'keys/loyalty.key': 'k'.repeat(32) };
const permissions = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** Signs a request as an authority does; `subjectKey` makes a certificate for another key instead. */
async function sign(request: string): Promise<string> {
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=authority',
    '-keyout',
    join(card, 'ca.key'),
    '-out',
    join(card, 'ca.crt'),
  ]);
  await run('openssl', [
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    join(card, 'ca.crt'),
    '-CAkey',
    join(card, 'ca.key'),
    '-CAcreateserial',
    '-days',
    '90',
    '-out',
    join(card, 'signed.crt'),
  ]);
  return readFile(join(card, 'signed.crt'), 'utf8');
}

describe('what lies on the card', () => {
  test('is taken whole, kept from other users, and its secrets leave the card', async () => {
    await bring(whole);
    expect(await look()).toMatchObject({ state: 'taken', word: 'READY TO START', url: 'http://popup-014.local:8080/' });
    expect(await readFile(join(etc, 'kit.yaml'), 'utf8')).toBe(KIT);
    expect(await readFile(join(etc, 'keys/loyalty.key'), 'utf8')).toBe('k'.repeat(32));
    for (const name of ['kit.yaml', 'api.token', 'keys/loyalty.key'])
      expect(await permissions(join(etc, name)), name).toBe(0o640);
    expect(await permissions(join(etc, 'keys'))).toBe(0o750);
    expect((await readdir(boot, { recursive: true })).sort()).toEqual(['keys', 'kit.taken.yaml', 'popup-014.csr']);
  });

  test('changes nothing when it is looked at again', async () => {
    await bring(whole);
    await look();
    const key = await readFile(join(etc, 'credentials/device.key'), 'utf8');
    expect(await look()).toMatchObject({ state: 'unchanged', word: 'READY TO START' });
    expect(await readFile(join(etc, 'credentials/device.key'), 'utf8')).toBe(key);
  });

  test('is refused with lines and hints when kit.yaml has faults, and the earlier configuration stays', async () => {
    await bring(whole);
    await look();
    await bring({ 'kit.yaml': KIT.replace('currency: GBP', 'curency: GBP') });
    const report = await look();
    expect(report).toMatchObject({ state: 'refused', word: 'NOT READY', kit: 'popup-014' });
    expect(report.lines.join('\n')).toMatch(
      /line 2, column \d+: There is no such setting: kit\.curency\n-> Did you mean currency\?/,
    );
    expect(await readFile(join(etc, 'kit.yaml'), 'utf8')).toBe(KIT);
    expect(await readdir(boot)).toContain('kit.yaml');
  });

  test('is left alone while a file that it names is missing', async () => {
    await bring({ 'kit.yaml': KIT, 'api.token': whole['api.token'] });
    const report = await look();
    expect(report).toMatchObject({ state: 'refused', problems: [{ code: 'kit-file-missing' }] });
    expect(report.lines.join('\n')).toContain('keys/loyalty.key');
    expect(await readdir(etc)).toEqual([]);
    expect(await readdir(boot)).toContain('api.token');
  });

  test('cannot name files outside its folder', async () => {
    await writeFile(join(card, 'stranger'), 'secret');
    await bring({ 'kit.yaml': KIT.replace('api.token', '../stranger'), 'keys/loyalty.key': 'k' });
    expect(await look()).toMatchObject({ state: 'refused', problems: [{ code: 'kit-file-outside' }] });
    expect(await readFile(join(card, 'stranger'), 'utf8')).toBe('secret');
  });

  test('is asked for when there is nothing', async () => {
    const report = await look();
    expect(report).toMatchObject({ state: 'waiting', word: 'NOT READY', identity: null });
    expect(report.lines.join('\n')).toContain('There is no kit.yaml');
    expect(await readdir(boot)).toEqual([]);
  });
});

describe('the kit’s own key', () => {
  const secured = {
    ...whole,
    'kit.yaml': `${KIT}broker: { url: "mqtts://broker.example.org", cert: { credential: barrow_device.crt }, key: { credential: barrow_device.key } }\n`,
  };

  test('is made on the kit, readable by root alone, and asks for a certificate that OpenSSL accepts', async () => {
    await bring(secured);
    expect(await look()).toMatchObject({
      state: 'waiting',
      word: 'NOT READY',
      identity: { made: true, request: 'popup-014.csr' },
    });
    expect(await permissions(join(etc, 'credentials'))).toBe(0o700);
    expect(await permissions(join(etc, 'credentials/device.key'))).toBe(0o600);
    const { stdout, stderr } = await run('openssl', [
      'req',
      '-in',
      join(boot, 'popup-014.csr'),
      '-verify',
      '-noout',
      '-subject',
      '-text',
    ]);
    expect(stdout + stderr).toMatch(/verify OK/i);
    expect(stdout).toMatch(/CN\s*=\s*popup-014/);
    expect(stdout).toContain('prime256v1');
    const onCard = await Promise.all(
      (await readdir(boot)).filter((name) => name.includes('.')).map((name) => readFile(join(boot, name), 'utf8')),
    );
    expect(onCard.join('')).not.toContain('PRIVATE KEY');
  });

  test('gets its certificate from the card, which keeps neither certificate nor request', async () => {
    await bring(secured);
    await look();
    await bring({ 'device.crt': await sign(join(boot, 'popup-014.csr')) });
    expect(await look()).toMatchObject({
      word: 'READY TO START',
      identity: { made: false, request: null, certificate: { subject: 'CN=popup-014' } },
    });
    expect(await permissions(join(etc, 'credentials/device.crt'))).toBe(0o600);
    expect((await readdir(boot)).filter((name) => /crt|csr/.test(name))).toEqual([]);
  });

  test('takes no certificate of another kit, and no text that is none', async () => {
    await bring(secured);
    await look();
    await sign(join(boot, 'popup-014.csr'));
    await bring({ 'device.crt': await readFile(join(card, 'ca.crt'), 'utf8') });
    expect(await look()).toMatchObject({ state: 'refused', problems: [{ code: 'certificate-stranger' }] });
    await bring({ 'device.crt': 'not a certificate' });
    expect(await look()).toMatchObject({ state: 'refused', problems: [{ code: 'certificate-unreadable' }] });
    expect(await readdir(join(etc, 'credentials'))).toEqual(['device.key']);
  });

  test('proves a claim code, which leaves the card at once and is forgotten with the certificate', async () => {
    await bring({ ...secured, 'claim.txt': 'BARROW-7F3K-9QX2-M4TA\r\n' });
    await look();
    expect(await readdir(boot)).not.toContain('claim.txt');
    expect(await readFile(join(boot, 'popup-014.csr'), 'utf8')).not.toContain('7F3K');
    const { stdout } = await run('openssl', ['req', '-in', join(boot, 'popup-014.csr'), '-noout', '-text']);
    expect(stdout).toMatch(/challengePassword\s*:\S{43}/);
    await bring({ 'device.crt': await sign(join(boot, 'popup-014.csr')) });
    await look();
    expect((await readdir(join(etc, 'credentials'))).sort()).toEqual(['device.crt', 'device.key']);
  });

  test('refuses a claim code that could be guessed', async () => {
    await bring({ ...secured, 'claim.txt': '1234' });
    expect(await look()).toMatchObject({ state: 'refused', problems: [{ code: 'claim-short' }] });
  });
});

describe('what the technician is told', () => {
  test('stands on the card, on the screen with a QR code, and in the board’s light', async () => {
    await bring(whole);
    const leds = join(card, 'leds');
    await mkdir(join(leds, 'ACT'), { recursive: true });
    const places = { boot, leds, screen: join(card, 'issue.d/barrow.issue') };
    const report = await look();
    expect(await tell(report, places, '2026-11-27T09:00:00Z')).toEqual([]);
    expect(await readFile(join(boot, 'BARROW.TXT'), 'utf8')).toMatch(/^Barrow: READY TO START\r\n/);
    const screen = await readFile(places.screen, 'utf8');
    expect(screen).toContain('http://popup-014.local:8080/');
    expect(screen).toMatch(/^█{29}$/m);
    expect(await readFile(join(leds, 'ACT/trigger'), 'utf8')).toBe('default-on');
    await tell({ ...report, word: 'NOT READY', url: null }, places, '2026-11-27T09:00:00Z');
    expect(await readFile(join(leds, 'ACT/trigger'), 'utf8')).toBe('timer');
  });

  test('names the places that could not be told, and goes on', async () => {
    const mute = await tell(
      { word: 'NOT READY', lines: [], url: null },
      { boot: join(card, 'gone'), leds: join(card, 'none'), screen: null },
      '2026-11-27T09:00:00Z',
    );
    expect(mute).toEqual(['boot partition', 'light']);
  });
});

test('the command says the same, for programs too', async () => {
  await bring({ 'kit.yaml': 'kit: {}' });
  const main = new URL('../../cli/main.ts', import.meta.url).pathname;
  const answer = await run(process.execPath, [
    '--import',
    'tsx',
    main,
    'first-boot',
    '--boot',
    boot,
    '--etc',
    etc,
    '--json',
  ]).catch((error: { readonly code: number; readonly stdout: string }) => error);
  expect('code' in answer && answer.code).toBe(2);
  expect(JSON.parse(answer.stdout)).toMatchObject({ ok: false, state: 'refused', kit: null });
});
