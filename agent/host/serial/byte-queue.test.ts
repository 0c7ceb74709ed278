import { describe, expect, test } from 'vitest';
import type { MonoMs } from '../../../drivers/api/clock.ts';
import { byteQueue, type ByteQueue } from './byte-queue.ts';

const never = new AbortController().signal;
const clock = { now: 0, monoMs: () => clock.now as MonoMs };
const chunk = (length: number): Uint8Array => new Uint8Array(length);

async function take(queue: ByteQueue, count: number): Promise<number[]> {
  const lengths: number[] = [];
  if (count === 0) return lengths;
  for await (const bytes of queue.chunks(never)) {
    lengths.push(bytes.length);
    if (lengths.length === count) break;
  }
  return lengths;
}

describe('the queue between a port and its reader', () => {
  test('takes just its bound', async () => {
    const queue = byteQueue(clock, 10);
    queue.push(chunk(4));
    queue.push(chunk(6));
    queue.push(chunk(1));
    expect(await take(queue, 2)).toEqual([4, 6]);
    expect(queue.droppedBytes).toBe(0);
  });

  test('tells of a gap when the reader comes to it, not before', async () => {
    const queue = byteQueue(clock, 10);
    queue.push(chunk(8));
    queue.push(chunk(5));
    queue.push(chunk(2));
    const reader = queue.chunks(never);
    expect((await reader.next()).value?.length).toBe(8);
    expect(queue.droppedBytes).toBe(0);
    expect((await reader.next()).value?.length).toBe(2);
    expect(queue.droppedBytes).toBe(5);
    queue.push(chunk(11));
    queue.end(null);
    expect((await reader.next()).done).toBe(true);
    expect(queue.droppedBytes).toBe(16);
  });

  test('keeps the time at which each chunk came in', async () => {
    const queue = byteQueue(clock, 10);
    clock.now = 100;
    queue.push(chunk(1));
    clock.now = 200;
    queue.push(chunk(1));
    clock.now = 900;
    const reader = queue.chunks(never);
    await reader.next();
    expect(queue.chunkAtMono).toBe(100);
    await reader.next();
    expect(queue.chunkAtMono).toBe(200);
  });

  test('hands out everything before the failure that ended it, and nothing after', async () => {
    const queue = byteQueue(clock, 10);
    queue.push(chunk(3));
    queue.end(new Error('gone'));
    queue.end(null);
    queue.push(chunk(4));
    const reader = queue.chunks(never);
    expect((await reader.next()).value?.length).toBe(3);
    await expect(reader.next()).rejects.toThrow('gone');
  });
});
