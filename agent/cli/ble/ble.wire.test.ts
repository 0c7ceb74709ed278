import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createController, type VirtualController } from '../../../firmware-sim/bluetooth/controller.ts';
import { virtualRuuvi } from '../../../firmware-sim/devices/ble-shelf/virtual-beacons.ts';
import { virtualShelf } from '../../../firmware-sim/devices/ble-shelf/virtual-shelf.ts';
import { openHciServer } from '../../../firmware-sim/wire/hci-server.ts';
import { systemChance, systemClock } from '../../host/clock.ts';

const run = promisify(execFile);
const clock = systemClock();
const chance = systemChance();
const MAIN = ['--import', 'tsx', 'agent/cli/main.ts'];
const KEY = '231d39c1d7cc1ab1aee224cd096db932';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function air(): Promise<{ controller: VirtualController; socket: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-ble-'));
  const stop = new AbortController();
  const controller = createController({ clock, chance });
  const socket = join(folder, 'hci.sock');
  await openHciServer({ path: socket }, controller, stop.signal);
  stops.push(async () => {
    stop.abort(new Error('test over'));
    controller[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return { controller, socket, folder };
}

const shelf = (units: number, secret: boolean) =>
  virtualShelf({
    address: 'A4:C1:38:8D:18:B2',
    unitGrams: 180,
    emptyGrams: 40,
    units,
    clock,
    chance,
    intervalMs: 50,
    cell: { handMs: 50, noiseGrams: 1 },
    ...(secret ? { key: Uint8Array.from(Buffer.from(KEY, 'hex')) } : {}),
  });

async function kitFile(folder: string, socket: string): Promise<string> {
  const path = join(folder, 'kit.yaml');
  await writeFile(join(folder, 's1.key'), `${KEY}\n`);
  await writeFile(
    path,
    `kit: { id: k, node: n, group: g, currency: GBP, timezone: Europe/London, opens: 2026-11-27T09:00:00Z, closes: 2026-11-30T18:00:00Z }
state: ${folder}/state
broker: { url: "mqtt://127.0.0.1:1883" }
api: { listen: "127.0.0.1:0" }
drivers:
  - { id: shelves, type: ble-shelf, radio: { kind: hci-socket, path: ${socket} },
      sensors: [ { id: s1, address: "A4:C1:38:8D:18:B2", format: bthome, key: { file: s1.key }, sku: TEE, unitGrams: 180, emptyGrams: 40 } ] }
`,
  );
  return path;
}

describe('barrow ble', () => {
  it('scan shows what is near, decoded, the keyed sensor with its key from kit.yaml', async () => {
    const { controller, socket, folder } = await air();
    controller.add(shelf(3, true));
    controller.add(virtualRuuvi({ address: 'C0:00:00:00:00:02', clock, chance, intervalMs: 100 }));
    const config = await kitFile(folder, socket);
    const { stdout } = await run('node', [...MAIN, 'ble', 'scan', '-c', config, '--seconds', '8', '--json']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const keyed = lines.find(({ sensorId }) => sensorId === 's1');
    expect(keyed).toMatchObject({ formats: ['bthome'], error: null });
    expect(keyed?.['measurements']).toContainEqual(expect.objectContaining({ name: 'mass', unit: 'kg' }));
    expect(lines.some(({ formats }) => String(formats) === 'ruuvi')).toBe(true);
    const table = await run('node', [...MAIN, 'ble', 'scan', '--socket', socket, '--seconds', '6']);
    expect(table.stdout).toMatch(/ADDRESS\s+SENSOR/);
    expect(table.stdout).toContain('key-missing');
  });

  it('scan without a radio is a usage error, with nothing on the air it is a failure', async () => {
    const { socket } = await air();
    await expect(run('node', [...MAIN, 'ble', 'scan', '--json'])).rejects.toMatchObject({
      code: 2,
      stdout: expect.stringContaining('ble-no-radio') as string,
    });
    await expect(
      run('node', [...MAIN, 'ble', 'scan', '--socket', socket, '--seconds', '2', '--json']),
    ).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('ble-nothing-heard') as string });
  });

  it('calibrate weighs twice and says what kit.yaml wants', async () => {
    const { controller, socket, folder } = await air();
    const board = shelf(0, true);
    controller.add(board);
    const config = await kitFile(folder, socket);
    const child = spawn('node', [...MAIN, 'ble', 'calibrate', 's1', '-c', config, '--items', '10', '--json'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await expect.poll(() => err, { timeout: 20_000 }).toContain('Take everything off');
    child.stdin.write('\n');
    await expect.poll(() => err, { timeout: 20_000 }).toContain('Put 10 items');
    board.put(10);
    // Adverts of the empty shelf that are still on their way must have passed before the second weighing begins.
    await wait(2_000);
    child.stdin.write('\n');
    expect(await exit, `${out}${err}`).toBe(0);
    const result = JSON.parse(out) as { unitGrams: number; emptyGrams: number; quantumGrams: number };
    expect(result.unitGrams).toBeGreaterThan(177);
    expect(result.unitGrams).toBeLessThan(183);
    expect(Math.abs(result.emptyGrams - 40)).toBeLessThan(12);
    expect(result).toMatchObject({ sensorId: 's1', items: 10, countable: true });
  });
});
