import { expect, test } from 'vitest';
import { MemoryPort } from '../../firmware-sim/devices/zvt-terminal/memory-port.ts';
import { VirtualClock } from '../../firmware-sim/devices/zvt-terminal/virtual-clock.ts';
import { encodeFrame } from './frame.ts';
import { serialLink, tcpLink, type LinkParts } from './link.ts';
import { createMailbox, MAILBOX_ITEMS } from './mailbox.ts';
import { BUSY_WAIT_MS, T1_MS, T2_MS, T3_MS, T4_MS } from './protocol.ts';

const timers = { t1Ms: T1_MS, t2Ms: T2_MS, t3Ms: T3_MS, t4Ms: T4_MS, busyWaitMs: BUSY_WAIT_MS };
const never = new AbortController().signal;
const clockOf = () => new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function wire(over: Partial<LinkParts> = {}) {
  const clock = clockOf();
  const port = new MemoryPort();
  const terminal = port.plug();
  const said: string[] = [];
  const stop = new AbortController();
  void (async () => {
    for await (const chunk of terminal.chunks(stop.signal)) said.push(hexOf(chunk));
  })().catch(() => undefined);
  const delivered: string[] = [];
  let disturbances = 0;
  const parts: LinkParts = {
    bytes: await port.open(),
    clock,
    timers,
    deliver: (apdu) => {
      delivered.push(hexOf(apdu));
      return true;
    },
    disturbed: () => (disturbances += 1),
    ...over,
  };
  return { clock, port, terminal, said, delivered, parts, stop, disturbances: () => disturbances };
}

test('a mailbox holds 64 things, refuses more, and takes what must not be lost', async () => {
  const mailbox = createMailbox<number>(clockOf());
  for (let item = 0; item < MAILBOX_ITEMS; item += 1) expect(mailbox.push(item)).toBe(true);
  expect(mailbox.push(64)).toBe(false);
  expect(mailbox.push(65, 'must')).toBe(true);
  for (let item = 0; item < MAILBOX_ITEMS; item += 1) expect(await mailbox.next(0, never)).toBe(item);
  expect(await mailbox.next(0, never)).toBe(65);
  expect(await mailbox.next(0, never)).toBeUndefined();
});

test('a block for which there is no room is refused, so that the terminal sends it again', async () => {
  let room = false;
  const { clock, parts, terminal, said, stop } = await wire({ deliver: () => room });
  const receiving = serialLink(parts).receive(stop.signal);
  const block = encodeFrame(Uint8Array.of(0x80, 0, 0));
  await terminal.write(block);
  await clock.until(() => said.length === 1, 100);
  room = true;
  await terminal.write(block);
  await clock.until(() => said.length === 2, 100);
  expect(said).toEqual(['15', '06']);
  stop.abort();
  await receiving;
});

test('three bad blocks in a row disturb the line, and a good one ends the row', async () => {
  const { clock, parts, terminal, said, stop, disturbances } = await wire();
  const receiving = serialLink(parts).receive(stop.signal);
  const bad = encodeFrame(Uint8Array.of(0x80, 0, 0));
  bad[bad.length - 1]! ^= 1;
  for (let count = 0; count < 3; count += 1) await terminal.write(bad);
  await clock.until(() => said.length === 3, 100);
  expect([said.join(''), disturbances()]).toEqual(['151515', 1]);
  await terminal.write(encodeFrame(Uint8Array.of(0x80, 0, 0)));
  await terminal.write(bad);
  await clock.until(() => said.length === 5, 100);
  expect(disturbances()).toBe(1);
  stop.abort();
  await receiving;
});

test('a storm of NAK ends after three sends', async () => {
  const { clock, parts, terminal, said, stop, disturbances } = await wire();
  const link = serialLink(parts);
  const receiving = link.receive(stop.signal);
  const sending = link.send(Uint8Array.of(0x06, 0x70, 0), never);
  for (let count = 1; count <= 3; count += 1) {
    await clock.until(() => said.length === count, 100);
    await terminal.write(Uint8Array.of(0x15));
  }
  expect(await sending).toEqual({ result: 'refused', repeated: true, left: false });
  for (let count = 0; count < 100; count += 1) await terminal.write(Uint8Array.of(0x15));
  await clock.until(() => false, 60_000);
  expect(said).toHaveLength(3);
  expect(disturbances()).toBe(1);
  stop.abort();
  await receiving;
});

test('nothing is sent on a line that is gone, and nothing waits for the next one', async () => {
  const { clock, parts, port, stop } = await wire();
  const link = serialLink(parts);
  const receiving = link.receive(stop.signal).catch((error: unknown) => error);
  const sending = link.send(Uint8Array.of(0x06, 0x70, 0), never);
  port.pull();
  expect(await sending).toEqual({ result: 'lost', repeated: false, left: false });
  expect(await receiving).toMatchObject({ code: 'port-lost' });
  const next = port.plug();
  const heard: string[] = [];
  void (async () => {
    for await (const chunk of next.chunks(stop.signal)) heard.push(hexOf(chunk));
  })();
  expect(await link.send(Uint8Array.of(0x06, 0x70, 0), never)).toEqual({
    result: 'lost',
    repeated: false,
    left: false,
  });
  await clock.until(() => false, 60_000);
  expect(heard).toEqual([]);
  stop.abort();
});

test('a network terminal that stops in the middle of an APDU loses its connection, for nobody knows where it is', async () => {
  const { clock, parts, terminal, delivered, stop } = await wire();
  const receiving = tcpLink(parts)
    .receive(stop.signal)
    .catch((error: unknown) => error);
  await terminal.write(Uint8Array.of(0x80, 0, 0, 0x04, 0xff));
  await clock.until(() => delivered.length === 1, 100);
  let ended = false;
  void receiving.then(() => (ended = true));
  await clock.until(() => ended, T2_MS - 1);
  expect(ended).toBe(false);
  await clock.until(() => ended, 2);
  expect(ended).toBe(true);
  expect(delivered).toEqual(['800000']);
  stop.abort();
});
