import { createPaymentDesk } from './till/payment-desk.ts';
import { createPaymentJournal } from './till/payment-journal.ts';
import type { Log } from '../drivers/api/driver.ts';
import type { KitConfig } from './config/read-config.ts';
import { toCloudEvent } from './core/event.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import type { Pricing } from './core/pricing.ts';
import type { PaymentDesk } from './core/till.ts';
import { driverIo } from './driver-io.ts';
import { createIntake, type Intake } from './intake.ts';
import { LiveFeed } from './live-feed.ts';
import { LogRing } from './log-ring.ts';
import { Supervisor } from './supervisor/supervise.ts';

/** The agent's rooms, opened in the order in which a reading walks through them. */
export interface Rooms {
  readonly host: Host;
  readonly log: Log;
  readonly logs: LogRing;
  readonly ledger: Ledger;
  readonly intake: Intake;
  readonly feed: LiveFeed;
  readonly supervisor: Supervisor;
  readonly desk: PaymentDesk;
}

/** Opens the ledger and everything that writes to it; nothing runs yet. */
export function openRooms(host: Host, config: KitConfig, pricing: () => Pricing | null): Rooms {
  const logs = new LogRing(host.log, host.clock);
  const ledger = host.openLedger({
    stateDir: config.state,
    maxBytes: config.ledger.maxBytes,
    retainAckedMs: config.ledger.retainAcked,
  });
  const feed = new LiveFeed();
  const intake = createIntake({
    ledger,
    clock: host.clock,
    log: logs,
    observe: (tx, events) => pricing()?.observe(tx, events),
    published: (events) => feed.push(events.map((event) => toCloudEvent(event, config.kit))),
  });
  const journalOf = (driverId: string): ReturnType<typeof createPaymentJournal> =>
    createPaymentJournal({ driverId, ledger, commit: intake.commit, clock: host.clock });
  const supervisor: Supervisor = new Supervisor({
    clock: host.clock,
    chance: host.chance,
    log: logs,
    io: (entry) => driverIo(entry.id, { host, log: logs, kit: config.kit, ledger, payments: journalOf(entry.id) }),
    put: (event, owner, saves) => (event === null ? intake.save(owner, saves ?? {}) : intake.put(event, owner, saves)),
  });
  const desk = createPaymentDesk({
    terminals: () => supervisor.terminals(),
    ledger,
    commit: intake.commit,
    clock: host.clock,
    chance: host.chance,
    kit: config.kit,
    log: logs,
  });
  return { host, log: logs, logs, ledger, intake, feed, supervisor, desk };
}
