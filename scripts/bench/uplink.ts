import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import type { Log } from '../../drivers/api/driver.ts';
import { STREAMS } from '../../drivers/api/reading.ts';
import type { Ledger } from '../../agent/core/ledger.ts';
import { toCloudEvent } from '../../agent/core/event.ts';
import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { brokerDialer } from '../../agent/host/mqtt/dial.ts';
import { nullStore } from '../../agent/host/mqtt/null-store.ts';
import { keepHeapSmall } from '../../agent/host/small-heap.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import { makePulse } from '../../agent/uplink/pulse.ts';
import { runUplink } from '../../agent/uplink/run-uplink.ts';
import { startMosquitto } from '../lib/mosquitto.ts';
import { median, type BenchFigure } from './figure.ts';

const WINDOW = 100;
/** Pairs of a raw and a single drain, each a few seconds long; the middle one of their ratios counts. */
const ROUNDS = 5;
const BATCH_OF_APPENDS = 1_000;
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * The uplink against a real mosquitto on loopback: single drain against raw mqtt.js QoS 1 with the same window and
 * bytes, in pairs; batched drain; memory over a long drain. `rows` scales all of it.
 */
export async function benchUplink(rows = 40_000, longRows = 1_000_000): Promise<readonly BenchFigure[]> {
  await using broker = await startMosquitto({ config: [`max_inflight_messages ${WINDOW}`, 'log_type none'] });
  const singles: number[] = [];
  const raws: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    raws.push(await inChild('raw', broker.url, rows));
    singles.push(await inChild('single', broker.url, rows));
  }
  const batched = await inChild('batched', broker.url, rows * 6);
  const rss = await inChild('rss', broker.url, longRows);
  const raw = median(raws);
  const single = median(singles);
  const ratio = median(singles.map((each, round) => each / (raws[round] ?? Number.NaN)));
  return [
    { name: 'drain singly', value: single, unit: 'events/s', raw, goal: '≥ 0.8 × raw', ok: ratio >= 0.8 },
    { name: 'drain batched', value: batched, unit: 'events/s', raw, goal: '≥ 80,000', ok: batched >= 80_000 },
    { name: `RSS draining ${longRows} rows`, value: rss, unit: 'MB', raw: null, goal: '≤ 120', ok: rss <= 120 },
  ];
}

type Mode = 'raw' | 'fill' | 'single' | 'batched' | 'rss';

/**
 * Each measurement has a process of its own: neither heap nor compiled code is shared with another, and what filled
 * the ledger does not weigh on what drains it.
 */
async function inChild(mode: Mode, url: string, rows: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-bench-'));
  try {
    if (mode !== 'raw') await child('fill', url, rows, folder);
    return await child(mode, url, rows, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function child(...args: readonly [mode: Mode, url: string, rows: number, folder: string]): Promise<number> {
  const worker = fork(new URL(import.meta.url), args.map(String), { execArgv: process.execArgv });
  const [figure] = (await Promise.race([once(worker, 'message'), once(worker, 'exit')])) as [number];
  worker.kill('SIGKILL');
  return figure;
}

async function measure(mode: Mode, url: string, rows: number, folder: string): Promise<number> {
  return mode === 'raw' ? rawPublish(url, rows) : drain(mode, url, rows, folder);
}

async function drain(mode: Exclude<Mode, 'raw'>, url: string, rows: number, folder: string): Promise<number> {
  const clock = systemClock();
  const chance = systemChance();
  const dial = brokerDialer({ secret: async () => new Uint8Array(), clock, log: silent });
  const ledger = openLedger({
    store: stateDir(folder),
    maxBytes: 4e9,
    retainAckedMs: 3_600_000,
    clock,
    chance,
    log: silent,
  });
  try {
    if (mode === 'fill') return fill(ledger, rows, clock.monoMs());
    const stop = new AbortController();
    const done = drained(ledger, rows, stop);
    await runUplink(
      {
        dial: (will, signal) => dial({ url, protocol: '5', clientId: 'bench', will }, signal),
        ledger,
        clock,
        chance,
        log: silent,
        url,
        profile: 'generic',
        kit: { id: 'bench' },
        health: () => ({}),
        takeChangedPrices: () => [],
        onCommand: async () => ({}),
        onRules: () => undefined,
        onStatus: () => undefined,
        appended: makePulse(),
        ...(mode === 'single' ? { batchFromRows: Number.POSITIVE_INFINITY } : {}),
      },
      stop.signal,
    );
    const { perS, peakBytes } = await done;
    return Math.round(mode === 'rss' ? peakBytes / 1e6 : perS);
  } finally {
    ledger[Symbol.dispose]();
  }
}

/** From the first acknowledgement on: dialling is not draining, and the raw figure is taken after CONNACK too. */
async function drained(
  ledger: Ledger,
  rows: number,
  stop: AbortController,
): Promise<{ readonly perS: number; readonly peakBytes: number }> {
  let peakBytes = 0;
  let start: { readonly atMs: number; readonly pending: number } | null = null;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
      const pending = ledger.depth().streams.reduce((sum, stream) => sum + stream.pendingRows, 0);
      if (start === null && pending < rows) start = { atMs: performance.now(), pending };
      if (pending > 0) return;
      clearInterval(timer);
      stop.abort(new Error('drained'));
      const elapsedMs = performance.now() - (start?.atMs ?? 0);
      resolve({ perS: ((start?.pending ?? 0) * 1_000) / elapsedMs, peakBytes });
    }, 20);
  });
}

function fill(ledger: Ledger, rows: number, atMono: ReturnType<ReturnType<typeof systemClock>['monoMs']>): number {
  for (let done = 0; done < rows; done += BATCH_OF_APPENDS)
    ledger.transaction((tx) => {
      for (let n = done; n < Math.min(rows, done + BATCH_OF_APPENDS); n += 1)
        tx.append({
          type: 'barrow.scan.v1',
          stream: 'scan',
          subject: 'scanner',
          atMono,
          data: { readerId: 'scanner', symbology: 'ean13', gtin14: '05012345678900', elements: [], n },
        });
    });
  return rows;
}

/** As fast as the library goes with the same window, payload size and topic. */
async function rawPublish(url: string, rows: number): Promise<number> {
  const clock = systemClock();
  const ledger = openLedger({
    store: { image: null },
    maxBytes: 1e8,
    retainAckedMs: 1,
    clock,
    chance: systemChance(),
    log: silent,
  });
  fill(ledger, 1, clock.monoMs());
  const [row] = ledger.peek(STREAMS[2], 0, { maxRows: 1, maxBytes: 1 });
  if (row === undefined) throw new Error('no row was stored');
  const payload = JSON.stringify(toCloudEvent(row, { id: 'bench' }));
  const client = connect(url, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    outgoingStore: nullStore(),
    incomingStore: nullStore(),
    log: () => undefined,
  });
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  const startMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let acked = 0;
    const next = (): void => {
      sent += 1;
      client.publish('barrow/v1/bench/event/scan', payload, { qos: 1 }, (error) => {
        if (error != null) reject(error);
        acked += 1;
        if (sent < rows) next();
        else if (acked === rows) resolve();
      });
    };
    for (let n = 0; n < WINDOW; n += 1) next();
  });
  const perS = Math.round((rows * 1_000) / (performance.now() - startMs));
  client.end(true);
  return perS;
}

if (process.send !== undefined && process.argv[2] !== undefined) {
  // As the daemon does; the raw client it is compared with runs under the same rule.
  keepHeapSmall();
  const [, , mode, url = '', rows, folder = ''] = process.argv;
  process.send(await measure(mode as Mode, url, Number(rows), folder));
} else if (process.argv[1] === new URL(import.meta.url).pathname) {
  const figures = await benchUplink();
  console.table(figures);
  process.exitCode = figures.every((figure) => figure.ok) ? 0 : 1;
}
