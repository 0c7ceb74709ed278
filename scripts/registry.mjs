// Writes drivers/registry.ts from the folders that hold a driver, so that a device family is its folder and nothing else.
import { readdirSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const drivers = fileURLToPath(new URL('../drivers/', import.meta.url));
const notFamilies = new Set(['api', 'lib']);
const families = readdirSync(drivers, { withFileTypes: true })
  .filter(
    (entry) => entry.isDirectory() && !notFamilies.has(entry.name) && existsSync(`${drivers}${entry.name}/index.ts`),
  )
  .map((entry) => entry.name)
  .sort();
const rows = families.map((family) => `  '${family}': async () => (await import('./${family}/index.ts')).driver,`);
const text = `// Written by \`npm run registry\` from the folders beside it. Not edited by hand.
import type { DriverRegistry } from './api/driver.ts';

export const registry: DriverRegistry = {
${rows.join('\n')}${rows.length > 0 ? '\n' : ''}};
`;
const target = `${drivers}registry.ts`;
if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);
