import { describe, expect, test } from 'vitest';
import { registry } from '../drivers/registry.ts';
import { cliErrors } from './cli/errors.ts';
import { agentTables } from './error-table.ts';

const tables = { ...agentTables, 'command line': cliErrors };

describe('the error table', () => {
  test('gives each code to one room only', () => {
    const codes = Object.values(tables).flatMap((table) => Object.keys(table));
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  test('names every code in kebab-case and says what is wrong and what to do', async () => {
    const drivers = await Promise.all(
      Object.entries(registry).map(async ([type, load]) => [type, (await load()).errors] as const),
    );
    for (const [room, table] of [...Object.entries(tables), ...drivers]) {
      for (const [code, { sentence, hint }] of Object.entries(table)) {
        expect(code, room).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
        expect(sentence, code).toMatch(/^[A-Za-z].{8,}[^.]$/);
        expect(hint.length, code).toBeGreaterThan(3);
      }
    }
  });
});
