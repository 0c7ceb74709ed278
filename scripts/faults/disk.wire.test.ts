import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAgent, type AgentProcess } from '../../firmware-sim/cli/agent-process.ts';
import { freePort } from '../lib/free-port.ts';
import { smallDisk, type SmallDisk } from '../lib/small-disk.ts';
import { tillAt, type Till } from '../lib/till.ts';
import { heldByLedger } from './held.ts';

/** Sales as long as this fill what room is left after a few. */
const LONG_SALE_LINES = 100;
const MOST_SALES = 1_500;
const SOON = { timeout: 25_000, interval: 50 };

describe('the whole agent on a disk that fails', () => {
  let folder = '';
  let disk: SmallDisk;
  let till: Till;
  let agent: AgentProcess | null = null;

  beforeEach(async () => {
    disk = await smallDisk(12);
    folder = await mkdtemp(join(tmpdir(), 'barrow-faults-'));
    const port = await freePort();
    till = tillAt(`http://127.0.0.1:${port}`);
    await writeFile(
      join(folder, 'kit.yaml'),
      `kit: { id: disk-kit, currency: EUR, timezone: Europe/Berlin }
state: ${join(disk.path, 'state')}
api: { listen: "127.0.0.1:${port}" }
drivers: [ { id: scanner, type: loyalty-reader, protocol: magstripe, port: ${join(folder, 'no-scanner')} } ]
`,
    );
  });

  afterEach(async () => {
    await agent?.stop();
    agent = null;
    await disk[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(status: 200 | 503): Promise<void> {
    agent = startAgent(join(folder, 'kit.yaml'), join(folder, `agent-${randomUUID()}.log`));
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(status);
  }

  async function kill(): Promise<void> {
    if (agent === null) return;
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    agent = null;
  }

  /** The agent is alive, and its own words are the code and 503. */
  async function expectDegraded(...codes: readonly string[]): Promise<void> {
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(503);
    const { reasons } = (await till.health()) ?? { reasons: [] };
    expect(reasons.filter((code) => code.startsWith('ledger-')).every((code) => codes.includes(code))).toBe(true);
    // The scanner is not there; that it is told shows that devices are being tried all the same.
    expect(reasons).toContain('port-missing');
  }

  /** What was answered with 201 lies in the ledger without a hole. */
  function expectAllHeld(): void {
    const { rows } = heldByLedger(join(disk.path, 'state'));
    const highest = Math.max(...till.sold.map((id) => Number(id.split('/')[2])));
    expect(new Set(till.sold).size).toBe(till.sold.length);
    expect(rows).toBeGreaterThanOrEqual(highest);
  }

  test('refuses sales by code while it is full, starts on it, and takes sales when there is room again', async () => {
    await start(200);
    for (let n = 0; n < 5; n += 1) await till.sell();
    // Without a memory-mapped index there is nothing that a full disk could answer with SIGBUS.
    expect(readdirSync(join(disk.path, 'state')).filter((name) => name.endsWith('-shm'))).toEqual([]);
    await disk.fill();
    let refused: string | null = null;
    for (let n = 0; n < MOST_SALES && refused === null; n += 1) {
      const answer = await till.offer(LONG_SALE_LINES);
      if (answer.status !== 201) {
        expect(answer.status).toBe(503);
        refused = answer.code;
      }
    }
    expect(refused).toBe('ledger-full');
    // What no long sale fits into may still take a short one.
    for (let n = 0, whole = true; n < MOST_SALES && whole; n += 1) whole = (await till.offer()).status === 201;
    await expectDegraded('ledger-full');

    await kill();
    agent = startAgent(join(folder, 'kit.yaml'), join(folder, 'full.log'));
    await expect.poll(async () => await till.health(), SOON).not.toBeNull();

    await disk.free();
    await till.sell();
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(200);
    await till.sell();
    await kill();
    expectAllHeld();
  });

  test('starts on a full disk that never held a ledger, and opens one when there is room', async () => {
    await disk.fill();
    await start(503);
    await expectDegraded('ledger-full', 'ledger-io');
    expect(await till.offer()).toMatchObject({ status: 503, code: expect.stringMatching(/^ledger-(full|io)$/) });
    await disk.free();
    await till.sell();
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(200);
    await kill();
    expectAllHeld();
  });

  test('lives through a remount to read-only, starts on it, and goes on when it can be written', async () => {
    await start(200);
    for (let n = 0; n < 5; n += 1) await till.sell();
    await disk.breakUnderWriters();
    expect(await till.offer()).toMatchObject({ status: 503, code: expect.stringMatching(/^ledger-(readonly|io)$/) });
    await expectDegraded('ledger-readonly', 'ledger-io');

    await kill();
    await disk.remount();
    await disk.turn('ro');
    await start(503);
    await expectDegraded('ledger-readonly');
    expect(await till.offer()).toMatchObject({ status: 503, code: 'ledger-readonly' });
    await disk.turn('rw');
    await till.sell();
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(200);
    await kill();
    expectAllHeld();
    expect(till.sold.length).toBe(6);
  });
});
