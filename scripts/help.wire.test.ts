import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const scripts = fileURLToPath(new URL('.', import.meta.url));

let folder = '';
afterEach(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

/** A tree with one script and nothing else, so that one which begins its work finds nothing to spoil. */
function treeWith(script: string): string {
  folder = mkdtempSync(join(tmpdir(), 'barrow-help-'));
  mkdirSync(join(folder, 'tree/scripts'), { recursive: true });
  cpSync(join(scripts, script), join(folder, 'tree/scripts', script));
  return join(folder, 'tree');
}

test.each(['package', 'package-test', 'systemd-test', 'image-test', 'kernel-test', 'package-audit', 'test', 'setup'])(
  'scripts/%s says what it does when asked for help, and does nothing',
  (script) => {
    const tree = treeWith(script);
    const { status, stdout, stderr } = spawnSync('bash', [join(tree, 'scripts', script), '--help'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[A-Z][^#]{30,}\n$/);
    expect(readdirSync(tree)).toEqual(['scripts']);
  },
);

test('scripts/setup installs nothing through a link to the packages of another checkout', () => {
  const tree = treeWith('setup');
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'kept'), '');
  symlinkSync(other, join(tree, 'node_modules'));
  for (const file of ['package.json', 'package-lock.json']) writeFileSync(join(tree, file), '{}');
  const { status, stderr } = spawnSync('bash', [join(tree, 'scripts/setup'), 'demo'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('node_modules is a link');
  expect(readdirSync(other)).toEqual(['kept']);
});
