import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Advertisement, BleRadio } from '../../../drivers/api/transports.ts';
import { systemClock } from '../clock.ts';
import { openRadio } from './open-radio.ts';

// Controllers of another make than the simulator's: their answers are bytes of the specification and of what others do.
const POLL = { timeout: 20_000, interval: 25 };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Answers one command (opcode, parameters) with bytes, or with nothing. */
type Answers = (opcode: number, parameters: Uint8Array) => Buffer | undefined;

interface Foreign extends AsyncDisposable {
  readonly radio: BleRadio;
  readonly heard: Advertisement[];
  readonly commands: number[];
  /** Sends to the host; the socket is the newest. */
  readonly send: (packet: Buffer) => void;
}

async function foreign(library: 'abandonware' | 'stoprocent', answers: Answers): Promise<Foreign> {
  const sockets: Socket[] = [];
  const commands: number[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + (rest[3] ?? 0)) {
        const opcode = rest.readUInt16LE(1);
        const end = 4 + (rest[3] ?? 0);
        commands.push(opcode);
        const answer = answers(opcode, rest.subarray(4, end));
        if (answer !== undefined) setImmediate(() => socket.write(answer));
        rest = rest.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  const stop = new AbortController();
  const radio = await openRadio(
    { kind: 'hci-socket', host: '127.0.0.1', port: address.port, library },
    { clock: systemClock(), log: quiet },
    stop.signal,
  );
  const heard: Advertisement[] = [];
  void (async () => {
    for await (const entry of radio.signals(stop.signal)) if (entry.kind === 'advert') heard.push(entry.advert);
  })();
  return {
    radio,
    heard,
    commands,
    send: (packet) => void sockets.at(-1)?.write(packet),
    [Symbol.asyncDispose]: async () => {
      await radio[Symbol.asyncDispose]();
      stop.abort(new Error('test over'));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const complete = (opcode: number, parameters: string): Buffer => {
  const body = bytes(parameters);
  return Buffer.concat([Buffer.from([0x04, 0x0e, 3 + body.length, 1, opcode & 0xff, opcode >> 8]), body]);
};
const status = (opcode: number, code: number): Buffer =>
  Buffer.from([0x04, 0x0f, 4, code, 1, opcode & 0xff, opcode >> 8]);

/** What every controller answers alike; the features are legacy scanning or, with bit 12, extended. */
const usual = (features: string): Readonly<Record<number, string>> => ({
  0x0c03: '00',
  0x0c01: '00',
  0x2001: '00',
  0x1001: '00 09 0000 09 ffff 0000',
  0x0c6d: '00',
  0x1009: '00 563412efcdab',
  0x2002: '00 1b00 40',
  0x2003: `00 ${features}`,
  0x200b: '00',
  0x200c: '00',
});
const isScanEnable = (opcode: number, parameters: Uint8Array): boolean =>
  (opcode === 0x200c || opcode === 0x2042) && parameters[0] === 1;
const valuesOf = (heard: readonly Advertisement[]): number[] =>
  heard.flatMap(({ serviceData }) => serviceData.map(({ data }) => data[2] ?? -1));

const hex = (value: number): string => value.toString(16).padStart(2, '0');
/** LE Meta event with this subevent and body. */
const leMeta = (body: string): Buffer => {
  const packed = bytes(body);
  return Buffer.concat([Buffer.from([0x04, 0x3e, packed.length]), packed]);
};
/** BTHome battery values of one sensor, ADV_NONCONN_IND, all in one event. */
const legacy = (...values: readonly number[]): Buffer =>
  leMeta(
    `02 ${hex(values.length)} ${values.map((value) => `03 00 a5808fe64854 0a 020106 0616d2fc4001${hex(value)} c4`).join(' ')}`,
  );
/** A part of an extended advert of C0:00:00:00:00:06. */
const part = (more: boolean, data: string): Buffer =>
  leMeta(
    `0d 01 ${more ? '20' : '00'}00 01 0600000000c0 01 01 01 7f c4 0000 00 000000000000 ${hex(bytes(data).length)} ${data}`,
  );

describe.each(['abandonware', 'stoprocent'] as const)('another controller under %s', (library) => {
  it('may know few commands, and may send two reports in one event', async () => {
    const known = usual('ff49010000000000');
    await using foreigner = await foreign(library, (opcode) => complete(opcode, known[opcode] ?? '01'));
    await expect.poll(() => foreigner.commands.filter((opcode) => opcode === 0x200c).length, POLL).toBeGreaterThan(1);
    let value = 0;
    await expect
      .poll(() => {
        foreigner.send(legacy(value, value + 1));
        value += 2;
        return foreigner.heard.length;
      }, POLL)
      .toBeGreaterThan(9);
    const values = valuesOf(foreigner.heard);
    expect(values).toEqual(Array.from(values, (_, index) => (values[0] ?? 0) + index));
    expect(foreigner.heard[0]).toMatchObject({ address: '54:48:E6:8F:80:A5', rssiDbm: -60 });
  });

  it('may refuse by command status, chatter in between, and cut its bytes anywhere', async () => {
    const known = usual('ff59010000000000');
    let refusals = 2;
    let scanning = false;
    await using foreigner = await foreign(library, (opcode, parameters) => {
      if (opcode === 0x2041) return complete(opcode, '00');
      if (opcode === 0x2042 || opcode === 0x200c) {
        if (isScanEnable(opcode, parameters)) {
          refusals -= 1;
          if (refusals >= 0) return status(opcode, 0x0c);
          scanning = true;
        } else if (!scanning) return status(opcode, 0x0c);
        return complete(opcode, '00');
      }
      const answer = known[opcode];
      return answer === undefined ? status(opcode, 0x01) : complete(opcode, answer);
    });
    await expect.poll(() => scanning, POLL).toBe(true);
    const chatter = ['04ff0401020304', '043e0212ff', '04100142', '041a0101', '040f0400015555', '043e0402ff0300'].map(
      bytes,
    );
    let value = 0;
    const round = async (): Promise<void> => {
      value = (value + 1) & 0x7f;
      const stream = Buffer.concat([
        chatter[value % chatter.length] ?? Buffer.alloc(0),
        part(true, '020106 0616d2fc'),
        ...chatter,
        legacy(value),
        part(false, `4001${hex(value)}`),
      ]);
      for (let at = 0; at < stream.length; at += 7) {
        foreigner.send(stream.subarray(at, at + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await expect
      .poll(async () => {
        await round();
        return foreigner.heard.filter(({ address }) => address === 'C0:00:00:00:00:06').length;
      }, POLL)
      .toBeGreaterThan(5);
    for (const advert of foreigner.heard.filter(({ address }) => address === 'C0:00:00:00:00:06'))
      expect(advert.serviceData.map(({ data }) => data.length)).toEqual([3]);
    expect(foreigner.radio.health()).toMatchObject({ state: 'scanning', restarts: 0 });
  });
});
