import { systemChance, systemClock } from '../../agent/host/clock.ts';
import { brokerDialer } from '../../agent/host/mqtt/dial.ts';
import { stateDir } from '../../agent/host/state-dir.ts';
import { openLedger } from '../../agent/ledger/open-ledger.ts';
import { makePulse } from '../../agent/uplink/pulse.ts';
import { runUplink } from '../../agent/uplink/run-uplink.ts';
import type { Log } from '../../drivers/api/driver.ts';

/**
 * A kit of ledger and uplink alone, as a process that can be killed: `uplink-child URL STATE KIT ROWS_PER_S`.
 * Each committed append is told on stdout as `scan N`, so that whoever kills it knows what must arrive.
 */
const [url = '', state = '', kit = 'kit', rate = '200'] = process.argv.slice(2);
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const EVERY_MS = 20;

const clock = systemClock();
const chance = systemChance();
const dial = brokerDialer({ secret: async () => new Uint8Array(), clock, log: silent });
using ledger = openLedger({
  store: stateDir(state),
  maxBytes: 512 * 1024 * 1024,
  retainAckedMs: 3_600_000,
  clock,
  chance,
  log: silent,
});
const appended = makePulse();
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')));

const perBeat = Math.max(1, Math.round((Number(rate) * EVERY_MS) / 1_000));
const beat = setInterval(() => {
  const last = ledger.transaction((tx) => {
    let sequence = 0;
    for (let n = 0; n < perBeat; n += 1)
      sequence = tx.append({
        type: 'barrow.scan.v1',
        stream: 'scan',
        subject: 'scanner',
        data: { readerId: 'scanner', symbology: 'ean13', gtin14: '05012345678900', elements: [] },
        atMono: clock.monoMs(),
      }).sequence;
    return sequence;
  });
  appended.raise();
  process.stdout.write(`scan ${last} ${ledger.epoch}\n`);
}, EVERY_MS);

await runUplink(
  {
    dial: (will, signal) => dial({ url, protocol: 'auto', clientId: kit, will }, signal),
    ledger,
    clock,
    chance,
    log: silent,
    url,
    profile: 'generic',
    kit: { id: kit },
    health: () => ({}),
    takeChangedPrices: () => [],
    onCommand: async () => ({}),
    onRules: () => undefined,
    onStatus: () => undefined,
    appended,
  },
  stop.signal,
);
clearInterval(beat);
