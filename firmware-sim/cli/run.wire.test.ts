import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

test('run makes the folder that it is given and tells where each device is, whatever folder it was started in', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-run-'));
  try {
    await writeFile(
      join(folder, 'shop.yaml'),
      `kit: { id: k, node: n, group: g, currency: EUR, timezone: Europe/Berlin }
products: [{ sku: A, gtin: '05012345678900', category: c, listMinor: 100, costMinor: 10, stock: 1 }]
devices: [{ id: reader, type: loyalty-reader }]
`,
    );
    const child = spawn(process.execPath, ['--import', tsx, main, 'run', 'shop.yaml', '--dir', 'new/kit', '--json'], {
      cwd: folder,
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    await expect.poll(() => out.endsWith('\n'), { timeout: 20_000 }).toBe(true);
    child.kill('SIGINT');
    const [status] = (await once(child, 'close')) as [number];
    expect(out).toContain('new/kit');
    const told = JSON.parse(out) as { kit: string; devices: { id: string; where: string }[] };
    expect(status).toBe(0);
    await access(join(folder, 'new/kit/kit.yaml'));
    expect(isAbsolute(told.kit)).toBe(true);
    expect(told.devices.map(({ id }) => id)).toEqual(['reader']);
    expect(isAbsolute(told.devices[0]!.where)).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 40_000);
