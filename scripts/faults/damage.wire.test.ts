import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectConsumer } from '../../agent/cli/consumer/connect.ts';
import type { ConsumedEvent } from '../../agent/cli/consumer/read-event.ts';
import { PAGE_BYTES } from '../../agent/ledger/database.ts';
import { startAgent, type AgentProcess } from '../../firmware-sim/cli/agent-process.ts';
import { watchKit, type Witness } from '../../firmware-sim/cli/demo/witness.ts';
import { freePort } from '../lib/free-port.ts';
import { startMosquitto, type Mosquitto } from '../lib/mosquitto.ts';
import { tillAt, type Till } from '../lib/till.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url));

const KIT = 'damage-kit';
const SALES = 60;
const SOON = { timeout: 25_000, interval: 50 };

/** SQLite's log: a header, then frames of a header and a page (fileformat2.html §4). */
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

interface Missing {
  readonly from: number;
  readonly to: number;
}

describe('the whole agent on a ledger that was damaged while it was off', () => {
  let folder = '';
  let broker: Mosquitto;
  let till: Till;
  let agent: AgentProcess | null = null;
  let witness: Witness;
  const over: AbortController[] = [];
  const arrived = new Map<string, ConsumedEvent>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barrow-damage-'));
    broker = await startMosquitto({ persistent: true });
    const port = await freePort();
    till = tillAt(`http://127.0.0.1:${port}`);
    arrived.clear();
    await writeFile(
      join(folder, 'kit.yaml'),
      `kit: { id: ${KIT}, currency: EUR, timezone: Europe/Berlin }\nstate: ${join(folder, 'state')}\nbroker: { url: "${broker.url}" }\napi: { listen: "127.0.0.1:${port}" }\n`,
    );
  });

  afterEach(async () => {
    await agent?.stop();
    agent = null;
    over.splice(0).forEach((stop) => stop.abort());
    await broker[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    agent = startAgent(join(folder, 'kit.yaml'), join(folder, `agent-${randomUUID()}.log`));
    await expect.poll(async () => (await till.health())?.status, SOON).toBe(200);
  }

  /** Trades with the broker away, and ends: `how` decides what is in the log and what in the database. */
  async function tradeOffline(how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await broker.stop();
    await start();
    for (let n = 0; n < SALES; n += 1) expect(await till.offer()).toMatchObject({ status: 201 });
    expect(till.sold).toHaveLength(SALES);
    if (how === 'SIGTERM') await agent?.stop();
    else {
      process.kill(agent?.pid ?? 0, 'SIGKILL');
      await agent?.ended;
    }
    agent = null;
  }

  /** Starts on what is left, with the broker back. */
  async function startOnline(): Promise<void> {
    await broker.start();
    const stop = new AbortController();
    over.push(stop);
    const link = await connectConsumer({ broker: broker.url, protocol: 'auto' }, stop.signal);
    witness = await watchKit(
      link,
      KIT,
      (event) => void arrived.set(`${event.epoch}/${event.stream}/${event.sequence}`, event),
      stop.signal,
    );
    await start();
  }

  function scribble(at: number, bytes: Uint8Array, file = 'ledger.db'): void {
    const fd = openSync(join(folder, 'state', file), 'r+');
    writeSync(fd, bytes, 0, bytes.length, at);
    closeSync(fd);
  }

  const size = (file = 'ledger.db'): number => statSync(join(folder, 'state', file)).size;
  const oldEpoch = (): string => till.sold[0]?.split('/')[0] ?? '';

  async function quarantined(): Promise<ConsumedEvent> {
    const find = (): ConsumedEvent | undefined =>
      [...arrived.values()].find(({ type }) => type === 'barrow.ledger.quarantined.v1');
    await expect.poll(find, SOON).toBeDefined();
    return find() as ConsumedEvent;
  }

  /** Every sale that was answered has come under the id that its till was told, or is named as missing. */
  async function expectAccounted(): Promise<{ readonly came: number; readonly named: number }> {
    const said = await quarantined();
    expect(said.epoch).not.toBe(oldEpoch());
    const streams = (said.data['streams'] ?? []) as unknown as readonly {
      readonly stream: string;
      readonly missing: readonly Missing[];
    }[];
    const missing = streams.find(({ stream }) => stream === 'sale')?.missing ?? [];
    const named = (id: string): boolean => {
      const sequence = Number(id.split('/')[2]);
      return missing.some(({ from, to }) => from <= sequence && sequence <= to);
    };
    const unaccounted = (): readonly string[] => till.sold.filter((id) => !arrived.has(id) && !named(id));
    await expect.poll(unaccounted, SOON).toEqual([]);
    return {
      came: till.sold.filter((id) => arrived.has(id)).length,
      named: till.sold.filter((id) => named(id)).length,
    };
  }

  /** Where in the middle of the log a page lies that a later commit wrote again: its damage need cost nothing. */
  function rewrittenLater(): number {
    const log = readFileSync(join(folder, 'state', 'ledger.db-wal'));
    const salt = log.readBigUInt64BE(16);
    const frames: { readonly at: number; readonly page: number }[] = [];
    for (
      let at = WAL_HEADER_BYTES;
      at + FRAME_HEADER_BYTES + PAGE_BYTES <= log.length;
      at += FRAME_HEADER_BYTES + PAGE_BYTES
    )
      if (log.readBigUInt64BE(at + 8) === salt)
        frames.push({ at: at + FRAME_HEADER_BYTES, page: log.readUInt32BE(at) });
    const middle = frames.slice(frames.length >> 1, -frames.length >> 2);
    const found = middle.find(({ at, page }) => frames.some((later) => later.at > at && later.page === page));
    if (found === undefined) throw new Error('no page of the log is written twice');
    return found.at;
  }

  /** The kit trades on in its new epoch, and a consumer can prove that it has all of that. */
  async function expectTradesOn(): Promise<void> {
    const { epoch } = await quarantined();
    const answer = await till.offer();
    expect(answer).toMatchObject({ status: 201, eventId: `${epoch}/sale/1` });
    await expect.poll(() => arrived.has(answer.eventId ?? ''), SOON).toBe(true);
    expect(witness.streams().length).toBeGreaterThan(0);
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', main, 'verify', '--broker', broker.url, '--kit', KIT, '--json'],
      { timeout: 60_000 },
    );
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  }

  test('flipped bits and a page of zeros cost only their own rows, which are named', async () => {
    await tradeOffline('SIGTERM');
    const pages = Math.floor(size() / PAGE_BYTES);
    const file = readFileSync(join(folder, 'state', 'ledger.db'));
    // Pages that hold sales: the text of one is in them.
    const held = Array.from({ length: pages }, (_, page) => page).filter((page) =>
      file.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES).includes('barrow.sale.v1'),
    );
    const zeroed = held[Math.floor(held.length / 2)] ?? 0;
    const flipped = held[Math.floor(held.length / 4)] ?? 0;
    scribble(zeroed * PAGE_BYTES, new Uint8Array(PAGE_BYTES));
    // The page's header: its kind and the place of its cells.
    scribble(
      flipped * PAGE_BYTES,
      file.subarray(flipped * PAGE_BYTES, flipped * PAGE_BYTES + 8).map((byte) => byte ^ 0x40),
    );
    await startOnline();
    const { came, named } = await expectAccounted();
    expect(came).toBeGreaterThan(SALES / 2);
    expect(came + named).toBe(SALES);
    await expectTradesOn();
  });

  test('a file cut short and one without its head give up what they hold', async () => {
    await tradeOffline('SIGTERM');
    scribble(0, new Uint8Array(100));
    truncateSync(join(folder, 'state', 'ledger.db'), size() - 20 * PAGE_BYTES);
    await startOnline();
    await expectAccounted();
    await expectTradesOn();
  });

  test('a log damaged in its middle begins a new epoch instead of giving sequences twice', async () => {
    await tradeOffline('SIGKILL');
    expect(size('ledger.db-wal')).toBeGreaterThan(0);
    scribble(rewrittenLater() + PAGE_BYTES / 2, new Uint8Array(64).fill(0xa5), 'ledger.db-wal');
    await startOnline();
    const { came } = await expectAccounted();
    // The commits behind the damage are read as well, and one of them wrote the damaged page again.
    expect(came).toBe(SALES);
    await expectTradesOn();
  });
});
