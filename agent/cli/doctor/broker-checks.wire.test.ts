import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '../../../scripts/lib/certificates.ts';
import { freePort } from '../../../scripts/lib/free-port.ts';
import { startMosquitto } from '../../../scripts/lib/mosquitto.ts';
import { readConfig } from '../../config/read-config.ts';
import { machineHost } from '../../host/machine-host.ts';
import { brokerChecks } from './broker-checks.ts';
import type { Finding } from './finding.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barrow-broker-checks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function checks(kit: string, broker: string): Promise<readonly Finding[]> {
  const text = `kit: { id: ${kit}, currency: EUR, timezone: Europe/Berlin }\nstate: ${folder}\nbroker: ${broker}\ndrivers: []\n`;
  const read = await readConfig(text, {});
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  const host = await machineHost({ configPath: join(folder, 'kit.yaml'), stateDir: folder, log: silent });
  return brokerChecks(read.config, host, new AbortController().signal);
}

test('a broker that lets the kit in and takes nothing from it is at fault, and only for that kit', async () => {
  await using authority = await makeAuthority();
  const port = await freePort();
  const server = await authority.issue('localhost', { notAfter: '20400101000000Z' });
  const kit = await authority.issue('popup-014');
  const rules = join(folder, 'acl');
  await writeFile(rules, 'pattern readwrite barrow/v1/%u/#\n', { mode: 0o600 });
  await writeFile(join(folder, 'kit.pem'), kit.cert);
  await writeFile(join(folder, 'kit.key'), kit.key);
  await using broker = await startMosquitto({
    config: [
      `listener ${port} 127.0.0.1`,
      `cafile ${authority.caFile}`,
      `certfile ${server.certFile}`,
      `keyfile ${server.keyFile}`,
      'require_certificate true',
      'use_identity_as_username true',
      `acl_file ${rules}`,
      'user root',
    ],
    port,
  });
  const where = `{ url: "mqtts://127.0.0.1:${broker.port}", ca: { file: ${authority.caFile} }, cert: { file: kit.pem }, key: { file: kit.key } }`;
  expect(await checks('popup-014', where)).toMatchObject([
    { check: 'certificate', state: 'ok' },
    { check: 'broker', state: 'ok', sentence: expect.stringMatching(/takes messages in \d+ ms over MQTT 5/) as string },
    { check: 'broker certificate', state: 'ok', sentence: 'The broker’s certificate is valid until 2040-01-01' },
  ]);
  expect(await checks('popup-015', where)).toMatchObject([
    { check: 'certificate', state: 'ok' },
    {
      check: 'broker',
      state: 'fail',
      code: 'uplink-refused',
      next: expect.stringContaining('this kit’s own') as string,
    },
  ]);
  await writeFile(join(folder, 'kit.pem'), 'nonsense');
  expect(await checks('popup-014', where)).toMatchObject([
    { check: 'certificate', state: 'fail', code: 'certificate-unreadable' },
    { check: 'broker', state: 'fail', code: 'broker-material' },
  ]);
});
