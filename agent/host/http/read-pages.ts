import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { PageFile } from '../../core/host.ts';

const FOLDER = new URL('../../api/pages/', import.meta.url);
const TYPES: readonly (readonly [ending: string, contentType: string])[] = [
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.client.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
];

/** Reads the files of the local pages and packs them once, so that a page costs no work while the shop is open. */
export async function readPages(): Promise<ReadonlyMap<string, PageFile>> {
  const pages = new Map<string, PageFile>();
  for (const name of (await readdir(FOLDER)).sort()) {
    const type = TYPES.find(([ending]) => name.endsWith(ending));
    if (type === undefined) continue;
    const bytes = await readFile(new URL(name, FOLDER));
    pages.set(name, { contentType: type[1], bytes, gzipped: await promisify(gzip)(bytes, { level: 9 }) });
  }
  return pages;
}
