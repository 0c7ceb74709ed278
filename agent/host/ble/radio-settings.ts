import type { Clock } from '../../../drivers/api/clock.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import { resetAdapter, type AdapterResetStep } from './adapter-reset.ts';
import { ladderDefaults, type LadderSettings } from './radio-ladder.ts';

export interface RadioDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything in which a test's radio differs from a shop's. */
export interface RadioSettings {
  readonly ladder: LadderSettings;
  /** How often the ladder looks. */
  readonly tickMs: number;
  readonly gattTimeoutMs: number;
  /** The radio process is replaced after this long, whatever its state. */
  readonly recycleAfterMs: number;
  /** … and when its memory has grown to this. */
  readonly recycleAtRssBytes: number;
  readonly resetAdapter: (adapter: number, signal: AbortSignal) => Promise<readonly AdapterResetStep[]>;
}

export const radioDefaults: RadioSettings = {
  ladder: ladderDefaults,
  tickMs: 1_000,
  gattTimeoutMs: 10_000,
  recycleAfterMs: 24 * 3_600_000,
  recycleAtRssBytes: 256 * 1_048_576,
  resetAdapter,
};
