import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

/** What a till is told: the answer's status, its error code, the event's id. */
export interface TillAnswer {
  readonly status: number;
  readonly code: string | null;
  readonly eventId: string | null;
}

/** The health of a kit as its local API tells it. */
export interface KitHealth {
  readonly status: number;
  readonly reasons: readonly string[];
}

/** A till that talks to one kit's local API. */
export interface Till {
  /** Ids of sales that were answered with 201. */
  readonly sold: string[];
  /** Posts one sale of `lines` lines, once. */
  offer(lines?: number, key?: string): Promise<TillAnswer>;
  /** Posts one sale under one key until it is taken. */
  sell(): Promise<void>;
  health(): Promise<KitHealth | null>;
}

const TRIES = 400;

export function tillAt(api: string): Till {
  const sold: string[] = [];
  const offer = async (lines = 1, key: string = randomUUID()): Promise<TillAnswer> => {
    const answer = await fetch(`${api}/v1/sales`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({
        lines: Array.from({ length: lines }, (_, index) => ({ sku: `SKU-${index}`, qty: 1, unitMinor: 2_500 })),
      }),
    });
    const body = (await answer.json()) as { readonly eventId?: string; readonly error?: { readonly code: string } };
    const eventId = answer.status === 201 ? (body.eventId ?? null) : null;
    if (eventId !== null && !sold.includes(eventId)) sold.push(eventId);
    return { status: answer.status, code: body.error?.code ?? null, eventId };
  };
  return {
    sold,
    offer,
    sell: async () => {
      const key = randomUUID();
      for (let attempt = 0; attempt < TRIES; attempt += 1) {
        const answer = await offer(1, key).catch(() => null);
        if (answer?.status === 201) return;
        await wait(50);
      }
      throw new Error('the sale was never taken');
    },
    health: async () => {
      const answer = await fetch(`${api}/healthz`).catch(() => null);
      if (answer === null) return null;
      const { reasons } = (await answer.json()) as { readonly reasons: readonly string[] };
      return { status: answer.status, reasons };
    },
  };
}
