import type { PaymentDesk, PaymentView } from '../../agent/core/till.ts';

/** A terminal whose customer pays when told to. */
export class ScriptedDesk implements PaymentDesk {
  readonly payments: Map<string, PaymentView> = new Map();
  readonly #keys = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  readonly aborted: string[] = [];

  start(request: Parameters<PaymentDesk['start']>[0], key: string | null): PaymentView {
    const known = key === null ? undefined : this.#keys.get(key);
    if (known !== undefined) return this.#must(known);
    const intentId = `intent-${this.payments.size + 1}`;
    const view: PaymentView = {
      intentId,
      deviceId: 'terminal',
      amountMinor: request.amountMinor,
      currency: request.currency,
      outcome: 'pending',
      terminalId: null,
      receiptNo: null,
      trace: null,
      maskedPan: null,
      reason: null,
    };
    this.payments.set(intentId, view);
    this.changed(view);
    if (key !== null) this.#keys.set(key, intentId);
    return view;
  }
  /** Told of every change, as the real desk tells the ledger. */
  changed: (view: PaymentView) => void = () => undefined;

  conclude(intentId: string, result: Partial<PaymentView>): void {
    const view = { ...this.#must(intentId), ...result };
    this.payments.set(intentId, view);
    this.changed(view);
    for (const wake of this.#waiting) wake();
  }
  find(intentId: string): PaymentView | undefined {
    return this.payments.get(intentId);
  }
  async wait(intentId: string, _waitMs: number, signal: AbortSignal): Promise<PaymentView | undefined> {
    while (this.payments.get(intentId)?.outcome === 'pending' && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    return this.payments.get(intentId);
  }
  resolve(intentId: string, word: Parameters<PaymentDesk['resolve']>[1]): PaymentView {
    this.conclude(intentId, { outcome: word.outcome });
    return this.#must(intentId);
  }
  abort(intentId: string): Promise<void> {
    this.aborted.push(intentId);
    return Promise.resolve();
  }
  #must(intentId: string): PaymentView {
    const view = this.payments.get(intentId);
    if (view === undefined) throw new TypeError(`no payment ${intentId}`);
    return view;
  }
}
