import type { DriverIo, KitFacts, Log } from '../drivers/api/driver.ts';
import type { PaymentJournal } from '../drivers/api/payment.ts';
import type { Host } from './core/host.ts';
import type { Ledger } from './core/ledger.ts';
import { childLog } from './log-ring.ts';

export interface DriverIoParts {
  readonly host: Host;
  readonly log: Log;
  readonly kit: KitFacts;
  readonly ledger: Ledger;
  readonly payments: PaymentJournal;
}

/** Who owns what a driver saves. */
export function driverOwner(driverId: string): string {
  return `driver/${driverId}`;
}

/** All that one driver may touch of the world, and nothing of any other driver's. */
export function driverIo(driverId: string, parts: DriverIoParts): DriverIo {
  const { host, ledger, kit, payments } = parts;
  return {
    driverId,
    kit,
    clock: host.clock,
    chance: host.chance,
    log: childLog(parts.log, { driver: driverId }),
    serial: (options, signal) => host.serial(options, signal),
    tcp: (options, signal) => host.tcp(options, signal),
    radio: (options, signal) => host.radio(options, signal),
    camera: (options, signal) => host.camera(options, signal),
    secret: (ref) => host.secret(ref),
    saved: (key) => ledger.saved(driverOwner(driverId), key),
    payments,
  };
}
