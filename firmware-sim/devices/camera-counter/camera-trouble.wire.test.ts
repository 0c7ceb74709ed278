import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import type { AgentStatus } from '../../../agent/core/status.ts';
import { runDemo } from '../../cli/demo/run-demo.ts';
import { scenarioFile } from '../../scenario/scenario.ts';

const busy: ChildProcess[] = [];
afterEach(() => {
  for (const child of busy.splice(0)) child.kill('SIGKILL');
});

/** The camera's process of the agent that was started from here. */
function cameraProcess(): number {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .map((match) => ({ pid: Number(match?.[1]), ppid: Number(match?.[2]), args: match?.[3] ?? '' }));
  const agents = rows.filter(({ ppid, args }) => ppid === process.pid && args.includes(' run -c '));
  return (
    rows.find(({ ppid, args }) => args.includes('camera-process') && agents.some(({ pid }) => pid === ppid))?.pid ?? 0
  );
}

test('a camera process that is killed, hangs or gets no time is told of and comes back, and the shop sells on', async () => {
  const scenario = scenarioFile.parse({
    kit: { id: 'camera-trouble', node: 'n', group: 'g', currency: 'EUR', timezone: 'Europe/Berlin' },
    shoppersPerMin: 90,
    products: [{ sku: 'TEE', gtin: '05012345678900', listMinor: 2_500, costMinor: 900, stock: 90 }],
    devices: [
      { id: 'scanner', type: 'barcode-scanner' },
      { id: 'door', type: 'camera-counter', clip: 'vtest.avi', fps: 10 },
    ],
  });
  /** What happened, in order: the camera's states, sales, crossings. */
  const story: string[] = [];
  const othersWere = new Set<string>();
  const closing = new AbortController();
  let statusPage = '';
  const door = async (): Promise<string> => {
    const status = (await (await fetch(`${statusPage}v1/status`)).json()) as AgentStatus;
    for (const { id, state } of status.drivers) if (id !== 'door') othersWere.add(`${id} ${state}`);
    const state = status.drivers.find(({ id }) => id === 'door')?.state ?? 'none';
    if (story.findLast((entry) => entry.startsWith('door ')) !== `door ${state}`) story.push(`door ${state}`);
    return state;
  };
  const spoil = async (): Promise<void> => {
    await expect.poll(door, { timeout: 30_000 }).toBe('ready');
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const pid = cameraProcess();
      process.kill(pid, signal);
      story.push(signal);
      await expect.poll(door, { timeout: 40_000, interval: 50 }).toBe('failed');
      await expect.poll(() => story.slice(story.lastIndexOf(signal)), { timeout: 40_000 }).toContain('sale');
      await expect.poll(door, { timeout: 60_000 }).toBe('ready');
      expect(cameraProcess()).not.toBe(pid);
    }
    const hung = story.slice(story.indexOf('SIGSTOP'), story.lastIndexOf('door failed'));
    expect(hung).toContain('sale');
    // As many loops as would take both cores: the camera's process is the least of all.
    for (let at = 0; at < 4; at += 1) busy.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    story.push('slow');
    await expect.poll(() => story.slice(story.indexOf('slow')), { timeout: 60_000 }).toContain('sale');
    for (const child of busy.splice(0)) child.kill('SIGKILL');
    story.push('quick');
    await expect.poll(() => story.slice(story.indexOf('quick')), { timeout: 60_000 }).toContain('crossing');
    expect(await door()).toBe('ready');
  };
  let spoiled: Promise<void> = Promise.resolve();
  const summary = await runDemo(
    {
      scenario,
      onReady: (where) => {
        statusPage = where.statusPage;
        spoiled = spoil().finally(() => closing.abort(new Error('seen enough')));
        // Awaited below; until then its failure must not end the process.
        spoiled.catch(() => undefined);
      },
      onEvent: ({ type }) => {
        if (type === 'barrow.sale.v1') story.push('sale');
        if (type === 'barrow.footfall.crossing.v1') story.push('crossing');
      },
      onIncident: () => undefined,
    },
    closing.signal,
  ).catch((error: unknown) => error);
  await spoiled;
  expect([...othersWere]).toEqual(['scanner ready']);
  expect(summary).toMatchObject({ faults: [] });
}, 240_000);
