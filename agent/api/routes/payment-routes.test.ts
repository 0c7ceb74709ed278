import { describe, expect, test } from 'vitest';
import { scriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { OPEN_SHOP } from '../../../scripts/lib/scripted-shop.ts';
import { json, post } from '../../../scripts/lib/scripted-calls.ts';

describe('a payment', () => {
  test('is 202 while pending, waits for its outcome and is 200 for the same key afterwards', async () => {
    const kit = scriptedKit();
    const body = { amountMinor: 2499, currency: 'GBP' };
    const started = await post(kit, '/v1/payments', body, { 'idempotency-key': 'p-1' });
    expect(started).toMatchObject({ status: 202, headers: { location: '/v1/payments/intent-1' } });
    expect(json(started)).toMatchObject({ intentId: 'intent-1', outcome: 'pending' });
    const waiting = kit.call({ path: '/v1/payments/intent-1', query: new URLSearchParams({ waitS: '5' }) });
    kit.desk.conclude('intent-1', { outcome: 'approved', receiptNo: 231 });
    expect(json(await waiting)).toMatchObject({ outcome: 'approved', receiptNo: 231 });
    expect((await post(kit, '/v1/payments', body, { 'idempotency-key': 'p-1' })).status).toBe(200);
    expect(kit.desk.payments.size).toBe(1);
  });

  test('is listed until it is settled, also after a restart', async () => {
    const kit = scriptedKit();
    kit.status = OPEN_SHOP;
    const listed = async (): Promise<unknown> =>
      (json(await kit.call({ path: '/v1/payments' })) as { payments: { outcome: string }[] }).payments.map(
        (one) => one.outcome,
      );
    expect(await listed()).toEqual([]);
    await post(kit, '/v1/payments', { amountMinor: 1, currency: 'GBP' });
    expect(await listed()).toEqual(['pending']);
    kit.desk.conclude('intent-1', { outcome: 'unknown' });
    kit.restart();
    expect(await listed()).toEqual(['unknown']);
    kit.desk.conclude('intent-1', { outcome: 'approved' });
    expect(await listed()).toEqual([]);
  });

  test('can be stopped, and an unknown one resolved', async () => {
    const kit = scriptedKit();
    await post(kit, '/v1/payments', { amountMinor: 1, currency: 'GBP' });
    expect((await post(kit, '/v1/payments/intent-1/abort', {})).status).toBe(202);
    expect(kit.desk.aborted).toEqual(['intent-1']);
    kit.desk.conclude('intent-1', { outcome: 'unknown' });
    const word = { outcome: 'approved', actor: 'm.lee', reason: 'receipt printed' };
    expect(json(await post(kit, '/v1/payments/intent-1/resolve', word))).toMatchObject({ outcome: 'approved' });
  });
});
