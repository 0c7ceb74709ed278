import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const tree = fileURLToPath(new URL('..', import.meta.url));

describe('the fence between the rooms', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barrow-fence-'));
    await symlink(join(tree, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(
      join(folder, 'tsconfig.json'),
      '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
    );
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const violations: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    [
      'drivers-know-models-only',
      {
        'drivers/toy/index.ts': `import { a } from '../../agent/a.ts'; export const b = a;`,
        'agent/a.ts': 'export const a = 1;',
      },
    ],
    [
      'agent-knows-drivers-and-models',
      {
        'agent/x.ts': `import { s } from '../firmware-sim/s.ts'; export const x = s;`,
        'firmware-sim/s.ts': 'export const s = 1;',
      },
    ],
    [
      'models-know-nobody',
      {
        'models/m.ts': `import { d } from '../drivers/d.ts'; export const m = d;`,
        'drivers/d.ts': 'export const d = 1;',
      },
    ],
    [
      'a-simulated-device-never-reads-the-decoder',
      {
        'firmware-sim/devices/toy.ts': `import { decode } from '../../drivers/toy/decode.ts'; export const t = decode;`,
        'drivers/toy/decode.ts': 'export const decode = 1;',
      },
    ],
    [
      'a-family-knows-no-other',
      {
        'drivers/one/index.ts': `import { two } from '../two/two.ts'; export const one = two;`,
        'drivers/two/two.ts': 'export const two = 2;',
      },
    ],
    [
      'the-operating-system-is-reached-through-the-host',
      { 'agent/ledger/y.ts': `import { readFileSync } from 'node:fs'; export const y = readFileSync;` },
    ],
    [
      'no-circular',
      {
        'agent/p.ts': `import { q } from './q.ts'; export const p = (): number => q;`,
        'agent/q.ts': `import { p } from './p.ts'; export const q = 1; export const r = p;`,
      },
    ],
  ];

  test.each(violations)('catches a planted violation of %s', async (rule, files) => {
    const root = join(folder, rule);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    for (const shared of ['package.json', 'tsconfig.json', 'node_modules'])
      await symlink(join(folder, shared), join(root, shared));
    const tops = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))];
    const outcome = await run(
      process.execPath,
      [
        join(tree, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        '--config',
        join(tree, '.dependency-cruiser.cjs'),
        ...tops,
      ],
      { cwd: root },
    ).then(
      ({ stdout }) => ({ status: 0, text: stdout }),
      (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => ({
        status: error.code,
        text: error.stdout + error.stderr,
      }),
    );
    expect(outcome.text).toContain(rule);
    expect(outcome.status).not.toBe(0);
  });
});
