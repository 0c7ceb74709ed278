import type { Log } from '../../drivers/api/driver.ts';
import type { Host, KitClock, PageFile } from '../core/host.ts';
import type { Ledger, LedgerTx } from '../core/ledger.ts';
import type { Pricing } from '../core/pricing.ts';
import type { AgentView } from '../core/status.ts';
import type { PaymentDesk } from '../core/till.ts';
import type { Till } from '../till/till.ts';

/** A file made for download. */
export interface Download {
  readonly fileName: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A page with a live picture that this machine alone can open. */
export interface OpenAim {
  readonly url: string;
  /** RFC 3339; it ends by itself. */
  readonly endsAt: string;
}

/** What the local API stands on. */
export interface ApiParts {
  readonly http: Host['http'];
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  /** At least 16 bytes; must be there beyond loopback. */
  readonly token?: Uint8Array | null | undefined;
  readonly view: AgentView;
  readonly pricing: Pricing | null;
  readonly desk: PaymentDesk;
  readonly till: Till;
  /** One transaction of the ledger, on disk when it returns. */
  readonly commit: <T>(work: (tx: LedgerTx) => T) => T;
  /** For reading: the figures of `/v1/kpi` and open payments. Absent: neither is known. */
  readonly ledger?: Pick<Ledger, 'epoch' | 'range' | 'manifest' | 'transaction'> | undefined;
  readonly kit: { readonly id: string; readonly currency: string; readonly timezone: string };
  readonly clock: KitClock;
  readonly log: Log;
  readonly version: string;
  readonly pages?: ReadonlyMap<string, PageFile> | undefined;
  /** Opens the page to aim a driver's camera. Throws `driver-unknown`, `aim-off` and the camera's errors. */
  readonly aim?: ((driverId: string) => Promise<OpenAim>) | undefined;
  readonly supportBundle?: ((signal: AbortSignal) => Promise<Download>) | undefined;
}

/** The local API at work. */
export interface Api extends AsyncDisposable {
  /** With the port that was really bound. */
  readonly url: string;
}
