import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { virtualScanner } from '../../firmware-sim/devices/barcode-scanner/scanner.ts';
import { pluggedPort } from '../../firmware-sim/wire/plugged-port.ts';
import { median, quantile } from '../bench/figure.ts';
import { inFolder, startBenchKit } from '../bench/kit.ts';

/**
 * A scanner whose plug is pulled and put back again and again in mid-scan, under the whole agent with a real broker. It
 * must be back, its next scan at the subscriber, within three seconds each time, and memory and CPU must not grow.
 *
 *   node --import tsx scripts/faults/unplug.ts --cycles 200
 */
const { values } = parseArgs({ options: { cycles: { type: 'string', default: '200' } } });
const BACK_MS = 3_000;
const GIVE_UP_MS = 20_000;
const SCAN_EVERY_MS = 10;
/** User and system time of /proc/pid/stat are in these. */
const TICK_MS = 10;

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function cycles(folder: string, count: number): Promise<boolean> {
  await using port = await pluggedPort(folder, 'scanner');
  await port.plug();
  const kit = await startBenchKit([{ id: 'scanner', type: 'barcode-scanner', port: port.path }]);
  try {
    await kit.untilReady();
    const heard = { ofPlug: -1 };
    kit.onEvent(({ type, data }) => {
      if (type === 'barrow.scan.v1') heard.ofPlug = Math.max(heard.ofPlug, Number(String(data['text']).split('-')[0]));
    });
    const backMs: number[] = [];
    const rss: number[] = [];
    const cpu: number[] = [];
    let busySince = cpuMs(kit.agent.pid);
    let sinceMs = performance.now();
    for (let cycle = 0; cycle < count; cycle += 1) {
      await port.unplug();
      await wait(50 + Math.random() * 400);
      const line = await port.plug();
      const pluggedMs = performance.now();
      const scanner = virtualScanner(line);
      for (let scan = 0; heard.ofPlug !== cycle && performance.now() < pluggedMs + GIVE_UP_MS; scan += 1) {
        await scanner.scan({ symbology: 'qr', text: `${cycle}-${scan}` });
        await wait(SCAN_EVERY_MS);
      }
      backMs.push(performance.now() - pluggedMs);
      if ((cycle + 1) % Math.ceil(count / 10) !== 0) continue;
      rss.push(Math.round(kit.rssMiB()));
      cpu.push(Math.round((100 * (cpuMs(kit.agent.pid) - busySince)) / (performance.now() - sinceMs)));
      busySince = cpuMs(kit.agent.pid);
      sinceMs = performance.now();
    }
    const worstMs = Math.max(...backMs);
    console.table([
      {
        cycles: count,
        p50: Math.round(median(backMs)),
        p99: Math.round(quantile(backMs, 0.99)),
        max: Math.round(worstMs),
      },
    ]);
    process.stdout.write(`RSS MiB by tenth: ${rss.join(' ')}\nCPU % by tenth: ${cpu.join(' ')}\n`);
    return worstMs <= BACK_MS;
  } finally {
    await kit.close();
  }
}

process.exitCode = (await inFolder((folder) => cycles(folder, Number(values.cycles)))) ? 0 : 1;
