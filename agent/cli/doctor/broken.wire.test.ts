import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startAgent, type AgentProcess } from '../../../firmware-sim/cli/agent-process.ts';
import { freePort } from '../../../scripts/lib/free-port.ts';
import type { AgentStatus } from '../../core/status.ts';
import type { Finding } from './finding.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

interface Told {
  readonly status: number;
  readonly checks: readonly Finding[];
  readonly stdout: string;
}

function barrow(...args: readonly string[]): Promise<Told> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], { timeout: 50_000 }, (error, stdout) => {
      const answer = JSON.parse(stdout) as { readonly checks?: readonly Finding[] };
      resolve({ status: error === null ? 0 : Number(error.code), checks: answer.checks ?? [], stdout });
    });
  });
}

describe('a kit with everything wrong', () => {
  let folder = '';
  let kit = '';
  let api = '';
  let agent: AgentProcess | null = null;
  let running: Told;
  let alone: Told;
  let reasons: AgentStatus['reasons'] = [];
  let misread: AgentStatus['reasons'] = [];
  let reread: AgentStatus['reasons'] = [];
  let rewritten: AgentStatus['reasons'] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barrow-broken-'));
    kit = join(folder, 'kit.yaml');
    const [listen, broker, camera] = [await freePort(), await freePort(), await freePort()];
    api = `http://127.0.0.1:${listen}`;
    await writeFile(join(folder, 'zvt.pw'), '000000\n');
    await writeFile(join(folder, 'no-port'), 'a file is no serial port');
    await writeFile(
      kit,
      [
        'kit: { id: broken-kit, currency: EUR, timezone: Europe/Berlin }',
        `state: ${join(folder, 'state')}`,
        `broker: { url: "mqtt://127.0.0.1:${broker}" }`,
        `api: { listen: "127.0.0.1:${listen}" }`,
        'drivers:',
        `  - { id: terminal, type: zvt-terminal, port: ${join(folder, 'nothing-here')}, password: { file: zvt.pw } }`,
        `  - { id: scanner, type: loyalty-reader, protocol: magstripe, port: ${join(folder, 'no-port')} }`,
        `  - { id: door, type: camera-counter, source: { kind: mjpeg, url: "http://127.0.0.1:${camera}/" }, lines: [ { id: entrance, from: [1, 1], to: [1, 9] } ] }`,
        '',
      ].join('\n'),
    );
    agent = startAgent(kit, join(folder, 'agent.log'));
    await vi.waitFor(
      async () => {
        const status = (await (await fetch(`${api}/v1/status`)).json()) as AgentStatus;
        reasons = status.reasons;
        expect(reasons.map(({ driver }) => driver ?? 'kit').toSorted()).toEqual(['door', 'kit', 'scanner', 'terminal']);
        expect(status.drivers.every(({ state, code }) => state !== 'starting' && code !== null)).toBe(true);
        expect(status.uplink.code).not.toBeNull();
      },
      { timeout: 40_000, interval: 200 },
    );
    running = await barrow('doctor', '-c', kit, '--json');
    const good = await readFile(kit, 'utf8');
    await writeFile(kit, good.replace('drivers:', 'driver:'));
    await reload();
    misread = await reasonsNow();
    await writeFile(kit, good);
    await reload();
    reread = await reasonsNow();
    await writeFile(kit, good.replace(/broker: .*/, 'homeAssistant: true'));
    await reload();
    rewritten = await reasonsNow();
    await writeFile(kit, good);
    await reload();
    reread = [...reread, ...(await reasonsNow())];
    await agent.stop();
    agent = null;
    alone = await barrow('doctor', '-c', kit, '--json');
  }, 110_000);
  afterAll(async () => {
    await agent?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function reload(): Promise<void> {
    await fetch(`${api}/v1/reload`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  }

  async function reasonsNow(): Promise<AgentStatus['reasons']> {
    return ((await (await fetch(`${api}/v1/status`)).json()) as AgentStatus).reasons;
  }

  const reasonFor = (driver: string | undefined) => reasons.find((reason) => reason.driver === driver);
  const found = (told: Told, check: string) => told.checks.find((finding) => finding.check === check);

  test.each([
    ['no broker', undefined, 'broker', /broker|refused|reach/i],
    ['a port that is not there', 'terminal', 'driver terminal', /port|cable|plug/i],
    ['a port that is none', 'scanner', 'driver scanner', /port|cable|plug/i],
    ['a dead camera', 'door', 'driver door', /camera|picture|address/i],
  ])('names %s on the status and in doctor, with the same code and a next step', (_, driver, check, words) => {
    const reason = reasonFor(driver);
    expect(reason?.sentence).toMatch(words);
    expect(reason?.hint).toMatch(/^[A-Z].{8,}/);
    for (const told of [running, alone]) {
      const finding = found(told, check);
      expect(finding, check).toMatchObject({ code: reason?.code });
      expect(finding?.state).not.toBe('ok');
      expect(finding?.next).toBe(reason?.hint);
    }
  });

  test('names the line of a kit.yaml that was changed for the worse, until it is mended', () => {
    expect(misread.find(({ code }) => code === 'config-invalid')?.sentence).toMatch(/not in force: .*line 5, column 1/);
    expect(reread.map(({ code }) => code)).not.toContain('config-invalid');
  });

  test('names the parts of a kit.yaml that a reload cannot take, until they are as they were', () => {
    const waits = rewritten.find(({ code }) => code === 'config-needs-restart');
    expect(waits).toMatchObject({ sentence: expect.stringMatching(/: broker, homeAssistant$/) as string });
    expect(waits?.hint).toContain('systemctl restart');
    expect(reread.map(({ code }) => code)).not.toContain('config-needs-restart');
  });

  test('gives exit status 1 whether the agent runs or not, and asks a running one', () => {
    expect(running.status).toBe(1);
    expect(alone.status).toBe(1);
    expect(found(running, 'agent')).toMatchObject({ state: 'ok', sentence: 'The agent is running: not ready' });
    expect(found(alone, 'agent')).toBeUndefined();
  });

  test('goes on keeping events all the same', () => expect(found(running, 'ledger')).toMatchObject({ state: 'ok' }));

  test('is told the line of each fault in a bad kit.yaml by check, doctor, run and support-bundle', async () => {
    const bad = join(folder, 'bad.yaml');
    await writeFile(bad, 'kit: { id: bad kit, currency: EUR, timezone: Europe/Berlin }\nstate: s\ndriver: []\n');
    for (const command of ['check', 'doctor', 'support-bundle']) {
      const told = await barrow(command, '-c', bad, '--json');
      expect(told.status, command).toBe(2);
      expect(JSON.parse(told.stdout), command).toMatchObject({
        error: { code: 'config-invalid' },
        faults: [{ line: 1 }, { line: 3, hint: expect.stringContaining('drivers') as string }],
      });
    }
    const told = await barrow('run', '-c', bad, '--json');
    expect(told.status).toBe(2);
    expect(told.stdout).toContain('line 1');
  });
});
