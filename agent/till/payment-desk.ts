import { AgentError } from '../../drivers/api/agent-error.ts';
import type { Chance, Clock } from '../../drivers/api/clock.ts';
import type { KitFacts, Log } from '../../drivers/api/driver.ts';
import type { PaymentIntent, PaymentTerminal } from '../../drivers/api/payment.ts';
import type { Ledger, LedgerTx, PaymentRow } from '../core/ledger.ts';
import type { PaymentDesk, PaymentRequest, PaymentView } from '../core/till.ts';
import { bodyHash } from './canonical.ts';
import { paymentFailure } from './payment-errors.ts';
import { bareResult, bodyOf, concludeIn, isPending, viewOf, withBody, type Commit } from './payment-row.ts';

export interface PaymentDeskParts {
  /** Terminals that are open now, by driver id; they come and go. */
  readonly terminals: () => ReadonlyMap<string, PaymentTerminal>;
  /** For reading. */
  readonly ledger: Pick<Ledger, 'transaction'>;
  /** For writing: on disk when it returns. */
  readonly commit: Commit;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly kit: Pick<KitFacts, 'currency'>;
  readonly log: Log;
}

/** Six BCD bytes of minor units: what a terminal can be asked for. */
const MAX_AMOUNT_MINOR = 999_999_999_999;
const MAX_RECEIPT = 9_999;

/** A payment that another session of the driver settles (after a restart of it) is looked at this often by a waiting call. */
const LOOK_MS = 100;

/** Longest wait of one call, so that no caller is held for ever. */
export const MAX_WAIT_MS = 300_000;

/**
 * Card payments from intent to outcome. The intent is on disk before the terminal is asked; the same key gives the same
 * intent across restarts; an unknown outcome blocks its terminal until an operator has spoken.
 */
export function createPaymentDesk(parts: PaymentDeskParts): PaymentDesk {
  return new Desk(parts);
}

class Desk implements PaymentDesk {
  readonly #parts: PaymentDeskParts;
  /** Payments that this process started, until the driver has done with them. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: PaymentDeskParts) {
    this.#parts = parts;
  }

  start(request: PaymentRequest, idempotencyKey: string | null): PaymentView {
    const wanted: PaymentRequest = { ...request, currency: request.currency.toUpperCase() };
    const key = idempotencyKey === null ? null : `payments/${idempotencyKey}`;
    const hash = bodyHash(wanted);
    if (key !== null) {
      const earlier = this.#read((tx) => this.#earlier(tx, key, hash));
      if (earlier !== undefined) return viewOf(earlier);
    }
    this.#check(wanted);
    const { driverId, terminal } = this.#terminal(wanted.terminal);
    const intent = this.#intent(wanted);
    const row = withBody(
      { intentId: intent.intentId, driverId, step: 'intent', outcome: 'pending', body: null },
      { intent, facts: wanted.quoteId === undefined ? {} : { quoteId: wanted.quoteId }, result: null },
    );
    this.#parts.commit((tx) => {
      this.#refuseWhileUnsettled(tx, driverId);
      tx.tables.payments.put(row);
      if (key !== null)
        tx.tables.idempotency.put(key, {
          bodyHash: hash,
          status: 202,
          answer: { intentId: intent.intentId },
          atMono: this.#parts.clock.monoMs(),
        });
    });
    this.#run(terminal, intent);
    return viewOf(row);
  }

  find(intentId: string): PaymentView | undefined {
    const row = this.#row(intentId);
    return row === undefined ? undefined : viewOf(row);
  }

  async wait(intentId: string, waitMs: number, signal: AbortSignal): Promise<PaymentView | undefined> {
    const { clock } = this.#parts;
    const endMono = clock.monoMs() + Math.min(Math.max(0, waitMs), MAX_WAIT_MS);
    for (;;) {
      const row = this.#row(intentId);
      const leftMs = endMono - clock.monoMs();
      if (row === undefined || !isPending(row) || leftMs <= 0) return row === undefined ? undefined : viewOf(row);
      await this.#settledOrSlept(intentId, Math.min(LOOK_MS, leftMs), signal);
    }
  }

  resolve(
    intentId: string,
    word: { readonly outcome: 'approved' | 'declined' | 'reversed'; readonly actor: string; readonly reason: string },
  ): PaymentView {
    return this.#parts.commit((tx) => {
      const row = tx.tables.payments.find(intentId);
      if (row === undefined) throw paymentFailure('payment-unknown');
      if (row.outcome !== 'unknown') throw paymentFailure('payment-not-unknown');
      const known = bodyOf(row).result ?? bareResult('unknown', null);
      const resolved = concludeIn(
        tx,
        row,
        { ...known, outcome: word.outcome, reason: word.reason },
        { atMono: this.#parts.clock.monoMs(), step: 'done', actor: word.actor },
      );
      return viewOf(resolved);
    });
  }

  async abort(intentId: string): Promise<void> {
    const row = this.#row(intentId);
    if (row === undefined) throw paymentFailure('payment-unknown');
    if (row.outcome === 'pending') await this.#parts.terminals().get(row.driverId)?.abort();
  }

  /** Reads without a write: nothing reaches the disk. */
  #read<T>(work: (tx: LedgerTx) => T): T {
    return this.#parts.ledger.transaction(work);
  }

  #row(intentId: string): PaymentRow | undefined {
    return this.#read((tx) => tx.tables.payments.find(intentId));
  }

  #earlier(tx: LedgerTx, key: string, hash: string): PaymentRow | undefined {
    const entry = tx.tables.idempotency.find(key);
    if (entry === undefined) return undefined;
    if (entry.bodyHash !== hash) throw paymentFailure('idempotency-mismatch');
    const { intentId } = entry.answer as { readonly intentId: string };
    return tx.tables.payments.find(intentId);
  }

  #check(request: PaymentRequest): void {
    const { amountMinor, currency, kind, receiptNo } = request;
    if (currency !== this.#parts.kit.currency.toUpperCase()) throw paymentFailure('currency-mismatch');
    const least = kind === 'reversal' ? 0 : 1;
    if (!Number.isSafeInteger(amountMinor) || amountMinor < least || amountMinor > MAX_AMOUNT_MINOR)
      throw paymentFailure('amount-invalid');
    if (kind !== 'reversal') return;
    if (receiptNo === undefined || !Number.isInteger(receiptNo) || receiptNo < 1 || receiptNo > MAX_RECEIPT)
      throw paymentFailure('receipt-missing');
  }

  #terminal(wanted: string | undefined): { readonly driverId: string; readonly terminal: PaymentTerminal } {
    const terminals = this.#parts.terminals();
    if (wanted === undefined && terminals.size > 1) throw paymentFailure('terminal-ambiguous');
    const driverId = wanted ?? [...terminals.keys()][0];
    const terminal = driverId === undefined ? undefined : terminals.get(driverId);
    if (driverId === undefined || terminal === undefined) throw paymentFailure('terminal-absent');
    this.#read((tx) => this.#refuseWhileUnsettled(tx, driverId));
    if (terminal.status === 'away') throw paymentFailure('terminal-absent');
    if (terminal.status === 'busy') throw paymentFailure('terminal-busy');
    return { driverId, terminal };
  }

  #refuseWhileUnsettled(tx: LedgerTx, driverId: string): void {
    const unsettled = tx.tables.payments.unsettled(driverId);
    const unknown = unsettled.find((row) => row.outcome === 'unknown');
    if (unknown !== undefined) throw paymentFailure('payment-blocked', { detail: unknown.intentId });
    const pending = unsettled.find(isPending);
    if (pending !== undefined) throw paymentFailure('terminal-busy', { detail: pending.intentId });
  }

  #intent(request: PaymentRequest): PaymentIntent {
    const { kind, amountMinor, currency, receiptNo } = request;
    return {
      intentId: uuidV7(this.#parts.clock.wallMs(), this.#parts.chance.bytes(10)),
      kind,
      amountMinor,
      currency,
      ...(receiptNo === undefined ? {} : { receiptNo }),
    };
  }

  #run(terminal: PaymentTerminal, intent: PaymentIntent): void {
    const settled = this.#pay(terminal, intent).finally(() => this.#running.delete(intent.intentId));
    this.#running.set(intent.intentId, settled);
  }

  /** A payment that the driver could not bring to an end is settled by its next session; only an unsent one ends here. */
  async #pay(terminal: PaymentTerminal, intent: PaymentIntent): Promise<void> {
    const { log, commit, clock } = this.#parts;
    try {
      // A started payment is never given up from here: the driver's own signal ends it, and its journal resumes it.
      await terminal.pay(intent, new AbortController().signal);
    } catch (error) {
      const code = error instanceof AgentError ? error.code : 'stopped';
      log.warn('payment-left-open', { intentId: intent.intentId, code });
      try {
        commit((tx) => {
          const row = tx.tables.payments.find(intent.intentId);
          if (row === undefined || row.step !== 'intent' || row.outcome !== 'pending') return;
          concludeIn(tx, row, bareResult('declined', 'not-sent'), { atMono: clock.monoMs(), step: 'done' });
        });
      } catch (failure) {
        // The ledger takes nothing now; the row stands at `intent` and the driver's next session ends it.
        log.error('payment-left-open', { intentId: intent.intentId, code: codeOf(failure) });
      }
    }
  }

  async #settledOrSlept(intentId: string, ms: number, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const cancel = (): void => timer.abort();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      signal.throwIfAborted();
      const slept = this.#parts.clock.sleep(ms, timer.signal).catch((error: unknown) => {
        if (!timer.signal.aborted) throw error;
      });
      await Promise.race([slept, this.#running.get(intentId) ?? slept]);
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', cancel);
      timer.abort();
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof AgentError ? error.code : 'bug';
}

/** RFC 9562 version 7: sorts by time, so that a list of intents reads in order. */
function uuidV7(wallMs: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(wallMs)).toString(16).padStart(12, '0').slice(-12);
  const tail = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = (0x8 | (Number.parseInt(tail.slice(3, 4), 16) & 0x3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(4, 7)}-${tail.slice(7, 19)}`;
}
