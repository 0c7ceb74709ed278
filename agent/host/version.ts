import { readFileSync } from 'node:fs';

/** The version in the package.json above this file, in the tree and in dist/ alike. */
export function packageVersion(): string {
  for (const up of ['../../', '../../../']) {
    try {
      return (
        JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8')) as { readonly version: string }
      ).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return '0.0.0';
}
