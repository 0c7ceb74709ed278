import type { Chance, Clock } from '../../drivers/api/clock.ts';
import type { AclLinks } from './acl-links.ts';
import type { ControllerFaults } from './faults.ts';

/** What a host session needs of the controller behind it. */
export interface ControllerCore {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly faults: ControllerFaults;
  readonly counters: { reports: number; commands: number };
  readonly address: string;
  readonly extended: boolean;
  readonly fragmentBytes: number;
}

/** The state of scanning, as the host has set it. */
export interface ScanState {
  enabled: boolean;
  /** The host uses the extended commands: only then are extended PDUs reported. */
  extended: boolean;
  active: boolean;
  filterDuplicates: boolean;
  /** Share of the time in which the receiver listens: window ÷ interval. */
  duty: number;
}

/** What the command table works on. */
export interface CommandContext {
  readonly core: ControllerCore;
  readonly scan: ScanState;
  readonly links: AclLinks;
  readonly complete: (opcode: number, ...parameters: number[]) => void;
  readonly status: (opcode: number, status: number) => void;
  readonly event: (code: number, parameters: readonly number[]) => void;
  readonly reset: () => void;
  readonly clearDuplicates: () => void;
}
