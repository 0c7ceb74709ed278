import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Driver } from '../../drivers/api/driver.ts';
import type { JsonObject } from '../../drivers/api/reading.ts';
import { registry } from '../../drivers/registry.ts';
import { askPromises } from './promises.ts';

for (const [type, load] of Object.entries(registry)) {
  describe(`the driver ${type}`, () => {
    test('keeps the promises that every driver makes', async () => {
      const promises = await askPromises(await load(), 20_261_127);
      expect(promises.filter(({ broken }) => broken !== null)).toEqual([]);
      expect(promises.length).toBeGreaterThan(8);
    });
  });
}

describe('the contract suite', () => {
  test('catches a driver that emits what it never declared', async () => {
    const promises = await askPromises(toy({ type: 'barrow.other.v1' }), 1);
    expect(promises.filter(({ broken }) => broken !== null).map(({ name }) => name)).toContain(
      'emits only what it declares',
    );
  });

  test('catches a driver that leaves its port open', async () => {
    const promises = await askPromises(toy({ leak: true }), 1);
    expect(promises.filter(({ broken }) => broken !== null).map(({ name }) => name)).toContain(
      'closes every transport',
    );
  });

  test('catches a driver that takes settings it does not know', async () => {
    const promises = await askPromises({ ...toy({}), config: z.looseObject({}) }, 1);
    expect(promises.filter(({ broken }) => broken !== null).map(({ name }) => name)).toContain(
      'refuses settings that it does not know',
    );
  });

  test('finds nothing wrong with a driver that keeps its word', async () => {
    const promises = await askPromises(toy({}), 1);
    expect(promises.filter(({ broken }) => broken !== null)).toEqual([]);
  });
});

function toy(fault: { readonly type?: string; readonly leak?: boolean }): Driver {
  return {
    type: 'toy',
    emits: [
      { type: 'barrow.toy.v1', stream: 'scan', data: z.strictObject({ bytes: z.number() }) as z.ZodType<JsonObject> },
    ],
    errors: {},
    config: z.strictObject({}),
    example: {},
    open: async (_config, io, signal) => {
      const link = await io.serial({ path: '/dev/ttyACM0', baudRate: 9_600 }, signal);
      return {
        async *readings(stop) {
          for await (const chunk of link.chunks(stop))
            yield {
              kind: 'event',
              type: fault.type ?? 'barrow.toy.v1',
              atMono: io.clock.monoMs(),
              data: { bytes: chunk.length },
            };
        },
        [Symbol.asyncDispose]: async () => {
          if (fault.leak !== true) await link.close();
        },
      };
    },
  };
}
