import type { Chance } from '../../drivers/api/clock.ts';
import type { Log } from '../../drivers/api/driver.ts';
import type { KitClock } from '../core/host.ts';
import type { Ledger } from '../core/ledger.ts';
import type { AuditHead } from './audit/audit-log.ts';
import type { KitKey } from './audit/kit-key.ts';
import type { TrustedKey } from './bundle/sign.ts';

/** What prices are decided with. */
export interface PricingParts {
  readonly kit: {
    readonly id: string;
    readonly group?: string | undefined;
    readonly currency: string;
    readonly timezone: string;
    readonly opens?: string | undefined;
    readonly closes?: string | undefined;
  };
  readonly trust: readonly TrustedKey[];
  readonly clock: KitClock;
  readonly chance: Chance;
  readonly log: Log;
  readonly ledger: Pick<Ledger, 'epoch' | 'range' | 'depth' | 'saved'>;
  readonly auditKey: KitKey;
  /** As the ledger was opened with: delivered records may go after that long. */
  readonly retainAckedMs: number;
  /** The agent's version, for the records. */
  readonly version: string;
  /** Ids of the drivers that count people. */
  readonly counters: readonly string[];
  /**
   * Keeps the log's head outside of the database, so that an older database in its place is noticed; called while idle.
   * Returns whether it lies there now.
   */
  readonly keepHead: (head: AuditHead) => boolean;
}
