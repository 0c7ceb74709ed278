import { describe, expect, test, vi } from 'vitest';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { json, post, SALE } from '../../scripts/lib/scripted-calls.ts';

describe('a key', () => {
  const KEY = { 'idempotency-key': 'k-1' };
  const override = {
    sku: 'CAP-RED',
    pin: { priceMinor: 1600 },
    actor: 'm.lee',
    reason: 'press day',
    until: '2026-11-27T18:00:00Z',
  };

  test('is kept for every other POST too, across a restart', async () => {
    const kit = scriptedKit();
    const quote = json(await post(kit, '/v1/quotes', SALE, KEY));
    await post(kit, '/v1/overrides', override, KEY);
    await post(kit, '/v1/drivers/door/restart', {}, KEY);
    kit.restart();
    expect(json(await post(kit, '/v1/quotes', SALE, KEY))).toEqual(quote);
    expect(json(await post(kit, '/v1/quotes', SALE, { 'idempotency-key': 'k-2' }))['quoteId']).not.toBe(
      quote['quoteId'],
    );
    expect((await post(kit, '/v1/overrides', { ...override, reason: 'other' }, KEY)).status).toBe(422);
    await post(kit, '/v1/drivers/door/restart', {}, KEY);
    expect(kit.restarted).toEqual(['door']);
  });

  test('sent twice at the same time does its work once', async () => {
    const kit = scriptedKit();
    let release = (): void => undefined;
    vi.spyOn(kit.parts.view, 'restartDriver').mockImplementation(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const both = [post(kit, '/v1/drivers/door/restart', {}, KEY), post(kit, '/v1/drivers/door/restart', {}, KEY)];
    await vi.waitFor(() => expect(kit.parts.view.restartDriver).toHaveBeenCalledOnce());
    release();
    expect((await Promise.all(both)).map((answer) => answer.status)).toEqual([202, 202]);
    expect(kit.parts.view.restartDriver).toHaveBeenCalledOnce();
  });

  test('of work that failed is free again', async () => {
    const kit = scriptedKit();
    expect((await post(kit, '/v1/drivers/none/restart', {}, KEY)).status).toBe(404);
    expect((await post(kit, '/v1/drivers/none/restart', {}, KEY)).status).toBe(404);
  });
});
