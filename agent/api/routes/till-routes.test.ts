import { describe, expect, test, vi } from 'vitest';
import { scriptedKit, type ScriptedKit } from '../../../scripts/lib/scripted-kit.ts';
import { ledgerFailure } from '../../ledger/errors.ts';
import { json, post, SALE } from '../../../scripts/lib/scripted-calls.ts';

function stored(kit: ScriptedKit): number {
  return kit.ledger.range('sale', 1, 10_000, 10_000).length;
}

describe('the till’s feed', () => {
  test('answers 201 with the event that is on disk', async () => {
    const kit = scriptedKit();
    const answer = await post(kit, '/v1/sales', SALE);
    expect(answer.status).toBe(201);
    const [event] = kit.ledger.range('sale', 1, 1, 1);
    expect(json(answer)).toMatchObject({ eventId: `${event!.epoch}/sale/1`, sequence: '1', totalMinor: 2499 });
  });

  test('answers 503 and stores nothing when the ledger fails', async () => {
    const kit = scriptedKit();
    const full = vi.spyOn(kit.ledger, 'transaction').mockImplementation(() => {
      throw ledgerFailure('ledger-full');
    });
    const key = { 'idempotency-key': 'k' };
    const answer = await post(kit, '/v1/sales', SALE, key);
    expect({ status: answer.status, error: json(answer)['error'] }).toMatchObject({
      status: 503,
      error: { code: 'ledger-full' },
    });
    full.mockRestore();
    expect((await post(kit, '/v1/sales', SALE, key)).status).toBe(201);
    expect(stored(kit)).toBe(1);
  });

  test('answers a repeated key as before, across a restart, and another body under it with 422', async () => {
    const kit = scriptedKit();
    const first = await post(kit, '/v1/sales', SALE, { 'idempotency-key': '"k-1"' });
    kit.restart();
    const again = await post(kit, '/v1/sales', SALE, { 'idempotency-key': 'k-1' });
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } });
    expect(
      (await post(kit, '/v1/sales', { lines: [{ sku: 'CAP-RED', qty: 1 }] }, { 'idempotency-key': 'k-1' })).status,
    ).toBe(422);
    expect(stored(kit)).toBe(1);
  });
});
