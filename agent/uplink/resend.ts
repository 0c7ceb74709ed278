import type { MonoMs } from '../../drivers/api/clock.ts';
import type { Stream } from '../../drivers/api/reading.ts';
import type { LinkContext } from './link-context.ts';
import { batch, single, type Outgoing } from './outgoing.ts';
import { makeTokenBucket } from './token-bucket.ts';

/** Re-sends that wait. */
export const RESEND_JOBS_MAX = 32;

/** Rows a second: a consumer that asks for a day again must not crowd out what happens now. */
export const RESEND_ROWS_PER_S = 2_000;

/** Rows per message. */
const RESEND_ROWS = 100;

export interface ResendJob {
  readonly stream: Stream;
  readonly from: number;
  readonly to: number;
}

/** What consumers asked for again: after everything else, at its own pace. */
export interface Resends {
  add(job: ResendJob): boolean;
  next(now: MonoMs): Outgoing | null;
  dueAt(): MonoMs | null;
}

export function makeResends(context: LinkContext, packetBytesMax: number, startMono: MonoMs): Resends {
  const { ledger, kit } = context.parts;
  const bucket = makeTokenBucket(RESEND_ROWS_PER_S, startMono);
  const jobs: { readonly stream: Stream; from: number; readonly to: number }[] = [];
  let due: MonoMs | null = null;

  return {
    add: (job) => {
      if (jobs.length >= RESEND_JOBS_MAX) return false;
      jobs.push({ ...job });
      return true;
    },
    next: (now) => {
      for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
        if (due !== null && now < due) return null;
        due = null;
        const rows = ledger.range(job.stream, job.from, job.to, RESEND_ROWS);
        const [head] = rows;
        if (head === undefined) {
          jobs.shift();
          continue;
        }
        const waitMs = bucket.take(rows.length, now);
        if (waitMs > 0) {
          due = (now + waitMs) as MonoMs;
          return null;
        }
        const outgoing = batch(rows, kit, context.topics, packetBytesMax) ?? single(head, kit, context.topics);
        job.from = (outgoing.sequences.at(-1) ?? job.to) + 1;
        if (outgoing.packetBytes <= packetBytesMax) return outgoing;
      }
      return null;
    },
    dueAt: () => due,
  };
}
