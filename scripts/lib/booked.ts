import type { ScriptedKit } from './scripted-kit.ts';
import { tillEmissions } from '../../agent/till/till-events.ts';
import type { StoredEvent } from '../../agent/core/event.ts';

export const TEE: { readonly sku: string; readonly qty: number; readonly unitMinor: number } = {
  sku: 'TEE-X',
  qty: 1,
  unitMinor: 2500,
};

/** The code with which this is refused. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
}

/** What the till booked, each event in the shape that is published for its type. */
export function sales(kit: ScriptedKit): readonly StoredEvent[] {
  const events = kit.ledger.range('sale', 1, 10_000, 10_000);
  const schemas = new Map(tillEmissions.map((emission) => [emission.type, emission.data]));
  for (const event of events) {
    const schema = schemas.get(event.type);
    if (schema === undefined) throw new Error(`no schema is published for ${event.type}`);
    schema.parse(event.data);
  }
  return events;
}
