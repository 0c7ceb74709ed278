import { damage, inLog, type ScratchDisk } from './damage.ts';
import type { Fault } from './fault-plan.ts';
import type { MachineClock } from './life.ts';
import type { Lives } from './lives.ts';
import type { Oracle } from './oracle.ts';
import type { Scheduler } from './scheduler.ts';
import { CALM, type SimBroker } from './sim-broker.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimPort } from './sim-port.ts';
import type { SimTerminal } from './sim-terminal.ts';
import type { Trace } from './trace.ts';

/** How long a message takes while no fault says otherwise. */
const LATENCY_MS = 20;

export interface TroubleParts {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly lives: Lives;
  readonly clock: MachineClock;
  readonly broker: SimBroker;
  readonly disk: SimDisk;
  readonly port: SimPort;
  readonly terminal: SimTerminal;
  /** The folder of a card that loses a block; absent where no fault does that. */
  readonly scratch: ScratchDisk | undefined;
}

/** What faults do to the parts of a world, and how all is made well again. */
export interface Trouble {
  /** Blows that the card took. */
  readonly damages: number;
  /** Spells in which the disk failed. */
  readonly spells: number;
  strike(fault: Fault): void;
  mend(): void;
}

export function makeTrouble(parts: TroubleParts): Trouble {
  const { scheduler, trace, lives, clock, broker, disk, port, terminal } = parts;
  let damages = 0;
  let spells = 0;

  const damageFile = ({ how, place, noise, downMs }: Extract<Fault, { kind: 'file-damaged' }>): void => {
    const ledger = lives.ledger();
    lives.die('power-cut', downMs);
    clock.boot();
    if (ledger === null || parts.scratch === undefined) return;
    const lasts = new Map(ledger.depth().streams.map(({ stream, last }) => [stream, last]));
    if (!inLog(how)) disk.fold();
    parts.scratch.edit((bytes) => {
      const what = damage(bytes, { kind: how, place, noise });
      trace.note('damage', what ?? 'nothing there');
      if (what === null) return;
      damages += 1;
      parts.oracle.damaged(ledger.epoch, lasts);
    });
  };

  const strike = (fault: Fault): void => {
    trace.note('fault', JSON.stringify(fault));
    switch (fault.kind) {
      case 'kill':
        lives.die('kill', fault.downMs);
        return;
      case 'power-cut':
        lives.die('power-cut', fault.downMs);
        clock.boot();
        clock.trust = fault.clockKnown ? 'synced' : 'unset';
        if (!fault.clockKnown) scheduler.after(fault.downMs + 60_000, () => (clock.trust = 'synced'));
        return;
      case 'file-damaged':
        damageFile(fault);
        return;
      case 'cut-transaction':
        lives.nextDownMs = 1_000 + fault.after * 10;
        disk.cutAfter(fault.after, fault.point);
        return;
      case 'stop':
        lives.nextDownMs = fault.downMs;
        lives.stop();
        return;
      case 'broker-down':
        broker.down = true;
        scheduler.after(fault.forMs, () => (broker.down = false));
        return;
      case 'bad-link':
        broker.faults = fault.faults;
        scheduler.after(fault.forMs, () => (broker.faults = CALM));
        return;
      case 'slow-link':
        broker.latencyMs = fault.latencyMs;
        scheduler.after(fault.forMs, () => (broker.latencyMs = LATENCY_MS));
        return;
      case 'disk-fails':
        disk.failing = fault.code;
        spells += 1;
        scheduler.after(fault.forMs, () => (disk.failing = null));
        return;
      case 'clock-jump':
        clock.jump(fault.byMs);
        return;
      case 'unplug':
        port.plugged = false;
        scheduler.after(fault.forMs, () => (port.plugged = true));
        return;
      case 'unplug-terminal':
        terminal.plugged = false;
        scheduler.after(fault.forMs, () => (terminal.plugged = true));
        return;
      case 'terminal-errs':
        terminal.faults[fault.how] += fault.times;
    }
  };

  return {
    get damages() {
      return damages;
    },
    get spells() {
      return spells;
    },
    strike,
    mend() {
      broker.down = false;
      broker.faults = CALM;
      broker.latencyMs = LATENCY_MS;
      disk.failing = null;
      clock.trust = 'synced';
      port.plugged = true;
      terminal.plugged = true;
      disk.cutAfter(Number.POSITIVE_INFINITY, 'after-commit');
    },
  };
}
