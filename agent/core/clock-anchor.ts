import type { Json } from '../../drivers/api/reading.ts';

/** Where the ledger keeps the anchor of the latest boot: who sets the clock writes it, who proves records reads it. */
export const CLOCK_OWNER = 'clock';
export const CLOCK_ANCHOR_KEY = 'anchor';

/** Ties the monotonic clock of one boot to wall time: `wallMs = monoMs + offsetMs`. */
export interface ClockAnchor {
  readonly bootId: string;
  readonly offsetMs: number;
}

/** The anchor in a saved value; null when it is none. */
export function clockAnchorOf(value: Json | undefined): ClockAnchor | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { bootId, offsetMs } = value as Readonly<Record<string, Json>>;
  return typeof bootId === 'string' && typeof offsetMs === 'number' ? { bootId, offsetMs } : null;
}
