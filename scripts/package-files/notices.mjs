// Prints the licence texts of every npm package in a node_modules folder: `node notices.mjs DIR`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesIn } from './packages-in.mjs';

for (const { folder, name, version, license } of packagesIn(process.argv[2])) {
  console.log(`${'='.repeat(78)}\n${name} ${version} (${license})\n`);
  for (const file of readdirSync(folder).filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry))) {
    const path = join(folder, file);
    if (existsSync(path)) console.log(readFileSync(path, 'utf8').trimEnd(), '\n');
  }
}
