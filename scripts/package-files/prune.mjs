// Leaves of an installed node_modules only what one Linux architecture loads at run time: `node prune.mjs DIR x64|arm64`.
import { readdirSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const [root, cpu] = process.argv.slice(2);
const drop = (path) => rmSync(path, { recursive: true, force: true });

/** Folders that hold sources, tests or other platforms' binaries; relative to their package. */
const packageFolders = {
  'better-sqlite3': ['deps', 'src', 'binding.gyp'],
  koffi: ['vendor', 'doc'],
  usb: ['libusb', 'libusb_config', 'src', 'binding.gyp'],
};
const sourceFolders = new Set([
  'test',
  'tests',
  '__tests__',
  'docs',
  'doc',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  'bench',
  '.github',
  'coverage',
  'patches',
]);
const unneeded =
  /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|c|cc|cpp|h|hh|hpp|inc|S|asm|gyp|gypi|tgz|flow|yml|yaml|exe|lib|pdb)$|^(\.npmignore|\.eslintrc.*|\.prettierrc.*|\.travis\.yml|\.editorconfig|tsconfig.*\.json|Makefile|package-lock\.json|yarn\.lock)$/i;
const kept = /licen[cs]e|notice|copying/i;
/** Packages that are run from a folder called like a source folder. */
const runsFrom = (path) => existsSync(join(path, 'package.json'));

for (const folder of readdirSync(join(root, 'onnxruntime-node/bin'))) {
  for (const system of readdirSync(join(root, 'onnxruntime-node/bin', folder))) {
    if (system !== 'linux') drop(join(root, 'onnxruntime-node/bin', folder, system));
    else
      for (const arch of readdirSync(join(root, 'onnxruntime-node/bin', folder, system)))
        if (arch !== cpu) drop(join(root, 'onnxruntime-node/bin', folder, system, arch));
  }
}
for (const [name, folders] of Object.entries(packageFolders))
  for (const folder of folders) drop(join(root, name, folder));
drop(join(root, 'zod/src'));
// The browser bundle of mqtt; `build` is what Node loads.
drop(join(root, 'mqtt/dist'));
drop(join(root, '.bin'));
drop(join(root, '.package-lock.json'));
walk(root);

function walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === 'prebuilds') prebuilds(path);
      else if (sourceFolders.has(entry.name) && !runsFrom(path) && !isMain(folder, entry.name)) drop(path);
      else walk(path);
    } else if (entry.name.endsWith('.node') && /musl/.test(path)) drop(path);
    else if (unneeded.test(entry.name) && !kept.test(entry.name)) drop(path);
  }
}

/** A folder that its package's entry points name is no source folder, whatever it is called. */
function isMain(folder, name) {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return true;
  const { main = '', exports = '' } = JSON.parse(readFileSync(file, 'utf8'));
  return `${JSON.stringify(exports)}${main}`.includes(`${name}/`);
}

function prebuilds(folder) {
  for (const platform of readdirSync(folder)) {
    const path = join(folder, platform);
    if (platform !== `linux-${cpu}`) drop(path);
    else for (const file of readdirSync(path)) if (/musl/.test(file)) drop(join(path, file));
  }
}
