// Takes the README's pictures of a running demo: node scripts/readme/pictures.mjs http://127.0.0.1:PORT
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const base = process.argv[2];
const folder = fileURLToPath(new URL('.', import.meta.url));
const profile = await mkdtemp(join(tmpdir(), 'barrow-pictures-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
  viewport: { width: 1280, height: 860 },
});
const shots = [
  ['status-desk', '/', { width: 1280, height: 1000 }, 'light'],
  ['status-phone', '/', { width: 390, height: 1000 }, 'dark'],
  ['shelf', '/shelf', { width: 1024, height: 236 }, 'light'],
];
for (const [name, path, viewport, colorScheme] of shots) {
  const page = await context.newPage();
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize(viewport);
  await page.goto(base + path);
  await page.waitForTimeout(2500);
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}
await context.close();
await rm(profile, { recursive: true, force: true });
