import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLedger, verifyAll } from '../ledger/read-ledger.ts';
import { copyLedger, ledgerPath } from './ledger-copy.ts';

/** A process that commits as fast as it can, so that checkpoints and a log that starts over fall into the copies. */
const WRITER = `
import { openLedger } from '${new URL('../ledger/open-ledger.ts', import.meta.url).href}';
import { stateDir } from '${new URL('./state-dir.ts', import.meta.url).href}';
import { systemChance, systemClock } from '${new URL('./clock.ts', import.meta.url).href}';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const ledger = openLedger({ store: stateDir(process.argv[1]), maxBytes: 2 ** 28, retainAckedMs: 1, clock: systemClock(), chance: systemChance(), log: quiet });
for (let n = 0; n < 1e7; n += 1) {
  ledger.transaction((tx) => {
    for (let i = 0; i < 20; i += 1) tx.append({ type: 't', stream: 'sale', subject: 's', atMono: 1, data: { n, fill: 'x'.repeat(200) } });
  });
  if (n === 50) process.stdout.write('going');
  if (n % 100 === 0) { ledger.ackThrough('sale', n * 10); ledger.maintain(1); await new Promise((resolve) => setImmediate(resolve)); }
}
`;

test('a copy made while another process writes is whole, adds up and is never older than the one before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'barrow-copy-'));
  const writer = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', WRITER, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(writer.stdout, 'data');
    let before = 0;
    for (let round = 0; round < 12; round += 1) {
      using copy = copyLedger(ledgerPath(folder));
      using ledger = readLedger(copy.path);
      expect(ledger.integrity()).toEqual([]);
      const [sale] = verifyAll(ledger);
      expect(sale).toMatchObject({ unaccounted: [], balanced: true });
      expect(sale!.last).toBeGreaterThanOrEqual(before);
      before = sale!.last;
    }
    expect(before).toBeGreaterThan(1000);
  } finally {
    const gone = once(writer, 'exit');
    writer.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
});
