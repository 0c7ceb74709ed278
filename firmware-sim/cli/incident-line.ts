import type { Incident } from '../scenario/incident.ts';

/** One line for a person who watches a kit suffer. */
export function incidentLine({ device, what, forS, times }: Incident, phase: 'begins' | 'ends'): string {
  if (phase === 'ends') return `${device}: ${what} is over`;
  return `${device}: ${what}${forS === undefined ? '' : ` for ${forS} s`}${times === undefined ? '' : times === 1 ? ' once' : ` ${times} times`}`;
}
