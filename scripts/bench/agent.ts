import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../agent/host/clock.ts';
import { findClip } from '../../firmware-sim/cli/read-scenario.ts';
import { virtualScanner } from '../../firmware-sim/devices/barcode-scanner/scanner.ts';
import { VirtualTerminal } from '../../firmware-sim/devices/zvt-terminal/terminal.ts';
import { startMjpegServer } from '../../firmware-sim/wire/mjpeg-server.ts';
import { pluggedPort } from '../../firmware-sim/wire/plugged-port.ts';
import { median, quantile, type BenchFigure } from './figure.ts';
import { inFolder, startBenchKit } from './kit.ts';

const STARTS = 5;
const BURST_SCANS = 5_000;
const SCAN_BYTES = 100;
const PACED_SCANS = 1_000;
const PACED_MS = 20;
const SALES = 400;
const SALE_EVERY_MS = 50;
const PAYMENTS = 60;
const IDLE_MS = 30_000;

/** The whole agent as a process of its own: start, memory, scans, sales and payments, each as its user would see it. */
export async function benchAgent(): Promise<readonly BenchFigure[]> {
  return [...(await starts()), ...(await idle()), ...(await scans()), ...(await sales()), ...(await payments())];
}

async function starts(): Promise<readonly BenchFigure[]> {
  await using camera = await startMjpegServer({ clip: findClip('vtest.avi'), fps: 7 });
  const drivers = [
    {
      id: 'door',
      type: 'camera-counter',
      source: { kind: 'mjpeg', url: camera.url },
      fps: 5,
      lines: [{ id: 'entrance', from: [350, 180], to: [350, 420] }],
    },
  ];
  const measured: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    const kit = await startBenchKit(drivers);
    measured.push(kit.firstPublishMs);
    await kit.close();
  }
  const value = Math.round(median(measured));
  return [
    {
      name: 'start to first publish, camera configured',
      value,
      unit: 'ms',
      raw: null,
      goal: '≤ 1500',
      ok: value <= 1_500,
    },
  ];
}

async function idle(): Promise<readonly BenchFigure[]> {
  return inFolder(async (folder) => {
    await using port = await pluggedPort(folder, 'scanner');
    await port.plug();
    const kit = await startBenchKit([{ id: 'scanner', type: 'barcode-scanner', port: port.path }]);
    await kit.untilReady();
    await wait(IDLE_MS);
    const value = Math.round(kit.rssMiB());
    await kit.close();
    return [{ name: 'RSS idle without camera', value, unit: 'MiB', raw: null, goal: '≤ 90', ok: value <= 90 }];
  });
}

async function scans(): Promise<readonly BenchFigure[]> {
  return inFolder(async (folder) => {
    await using port = await pluggedPort(folder, 'scanner');
    const line = await port.plug();
    const scanner = virtualScanner(line, { identifiers: true });
    const kit = await startBenchKit([{ id: 'scanner', type: 'barcode-scanner', port: port.path }]);
    await kit.untilReady();
    const sentMs = new Map<string, number>();
    const latenciesMs: number[] = [];
    let arrived = 0;
    let lastMs = 0;
    kit.onEvent(({ type, data, atMs }) => {
      if (type !== 'barrow.scan.v1') return;
      arrived += 1;
      lastMs = atMs;
      const sent = sentMs.get(String(data['text']));
      if (sent !== undefined) latenciesMs.push(atMs - sent);
    });
    for (let n = 0; n < PACED_SCANS; n += 1) {
      const text = `paced-${n}`;
      sentMs.set(text, performance.now());
      await scanner.scan({ symbology: 'code-128', text });
      await wait(PACED_MS);
    }
    await untilCount(() => arrived, PACED_SCANS);
    arrived = 0;
    const codes = Array.from({ length: BURST_SCANS }, (_, n) => ({
      symbology: 'code-128' as const,
      text: `burst-${n}-`.padEnd(SCAN_BYTES - 4, 'x'),
    }));
    const startMs = performance.now();
    await scanner.dump(codes);
    await untilCount(() => arrived, BURST_SCANS);
    const perS = Math.round(arrived / ((lastMs - startMs) / 1_000));
    const lost = BURST_SCANS - arrived;
    await kit.close();
    return [
      figure('serial byte to subscriber at 50/s, p50', quantile(latenciesMs, 0.5), 'ms', 5),
      figure('serial byte to subscriber at 50/s, p99', quantile(latenciesMs, 0.99), 'ms', 40),
      {
        name: 'burst of 5,000 scans of 100 bytes: lost',
        value: lost,
        unit: 'scans',
        raw: null,
        goal: '0',
        ok: lost === 0,
      },
      {
        name: 'burst of 5,000 scans to a QoS 1 subscriber',
        value: perS,
        unit: 'scans/s',
        raw: null,
        goal: '≥ 3000',
        ok: perS >= 3_000,
      },
    ];
  });
}

async function sales(): Promise<readonly BenchFigure[]> {
  const kit = await startBenchKit([]);
  const answeredMs: number[] = [];
  const pending: Promise<void>[] = [];
  for (let n = 0; n < SALES; n += 1) {
    pending.push(
      (async () => {
        const startMs = performance.now();
        const answer = await post(`${kit.api}/v1/sales`, { lines: [{ sku: 'TEE-BLK-M', qty: 1, unitMinor: 2_500 }] });
        if (answer.status !== 201) throw new Error(`a sale was answered ${answer.status}`);
        await answer.arrayBuffer();
        answeredMs.push(performance.now() - startMs);
      })(),
    );
    await wait(SALE_EVERY_MS);
  }
  await Promise.all(pending);
  await kit.close();
  return [
    figure('sale on disk and answered at 20/s, p50', quantile(answeredMs, 0.5), 'ms', 20),
    figure('sale on disk and answered at 20/s, p99', quantile(answeredMs, 0.99), 'ms', 20),
  ];
}

async function payments(): Promise<readonly BenchFigure[]> {
  return inFolder(async (folder) => {
    await using port = await pluggedPort(folder, 'terminal', { bitsPerByte: 11 });
    const line = await port.plug();
    const stop = new AbortController();
    let askedMs = 0;
    const terminal = new VirtualTerminal({
      clock: systemClock(),
      onHeard: ([family, instruction]) => {
        if (family === 0x06 && instruction === 0x01) askedMs = performance.now();
      },
    });
    const serving = terminal.serve(line, 'serial', stop.signal);
    const kit = await startBenchKit(
      [{ id: 'terminal', type: 'zvt-terminal', port: port.path, password: { file: 'zvt.pw' } }],
      { 'zvt.pw': '000000\n' },
    );
    await kit.untilReady();
    const measuredMs: number[] = [];
    for (let n = 0; n < PAYMENTS; n += 1) {
      const startMs = performance.now();
      const { intentId } = (await (
        await post(`${kit.api}/v1/payments`, { amountMinor: 1_000 + n, currency: 'EUR' })
      ).json()) as { readonly intentId: string };
      await (await fetch(`${kit.api}/v1/payments/${intentId}?waitS=20`)).arrayBuffer();
      measuredMs.push(askedMs - startMs);
    }
    await kit.close();
    stop.abort();
    await serving;
    return [figure('POST /v1/payments to terminal bytes, p50', quantile(measuredMs, 0.5), 'ms', 10)];
  });
}

function figure(name: string, value: number, unit: string, atMost: number): BenchFigure {
  const rounded = Math.round(value * 10) / 10;
  return { name, value: rounded, unit, raw: null, goal: `≤ ${atMost}`, ok: rounded <= atMost };
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function untilCount(count: () => number, wanted: number): Promise<void> {
  for (const untilMs = performance.now() + 60_000; count() < wanted && performance.now() < untilMs;) await wait(5);
}
