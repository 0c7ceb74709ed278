import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every npm package below a node_modules folder, nested ones too, sorted by name and version. */
export function packagesIn(modules) {
  const found = [];
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('@')) visit(path);
      else {
        const file = join(path, 'package.json');
        if (existsSync(file)) {
          const { name, version, license, licenses } = JSON.parse(readFileSync(file, 'utf8'));
          const said = license ?? licenses;
          found.push({
            folder: path,
            name,
            version,
            license: typeof said === 'string' ? said : (said?.type ?? said?.[0]?.type ?? 'NOASSERTION'),
          });
        }
        if (existsSync(join(path, 'node_modules'))) visit(join(path, 'node_modules'));
      }
    }
  };
  visit(modules);
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}
