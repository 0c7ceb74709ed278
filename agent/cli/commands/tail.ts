import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { connectConsumer, kitFlag, secondsFlag, withBrokerOptions, type BrokerFlags } from '../consumer/connect.ts';
import { consumerFailure } from '../consumer/errors.ts';
import { readMessage, type ConsumedEvent } from '../consumer/read-event.ts';
import { Reorder, type Ordered } from '../consumer/reorder.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

/** How long an event waits for one before it: a broker that lost a connection delivers late, not never. */
const PATIENCE_MS = 2_000;

/** What is on its way when the command starts may come in any order. */
const SETTLE_MS = 300;

interface TailFlags extends BrokerFlags {
  readonly kit?: string;
  readonly seconds?: number;
}

/** `barrow tail`: follows events from a broker, in order. */
export const command: CommandModule = {
  build: (bind) =>
    withBrokerOptions(new Command('tail'))
      .description('Follow the events of one or all kits from a broker, in order')
      .option('--kit <id>', 'only this kit', kitFlag)
      .option('--seconds <n>', 'stop after this long', secondsFlag)
      .option('--json', 'one CloudEvent per line')
      .addHelpText(
        'after',
        '\nExamples:\n  barrow tail --broker mqtt://127.0.0.1:1883\n  barrow tail --broker mqtts://broker.example:8883 --ca ca.pem --cert me.pem --key me.key --kit popup-014 --json\n',
      )
      .action(bind(async (io, flags) => tail(io, flags as unknown as TailFlags))),
};

async function tail(io: CommandIo, flags: TailFlags): Promise<ExitStatus> {
  const over = new AbortController();
  const stop = (): void => over.abort(new Error('done'));
  io.signal.addEventListener('abort', stop, { once: true });
  const timer = flags.seconds === undefined ? null : setTimeout(stop, flags.seconds * 1_000);
  const reorder = new Reorder();
  const link = await connectConsumer(flags, io.signal);
  const kit = flags.kit ?? '+';
  let lastMs = performance.now();
  const tell = async (ordered: readonly Ordered[]): Promise<void> => {
    for (const { event, missedFrom } of ordered) {
      if (missedFrom !== null && !io.json)
        io.err(`${event.kit} ${event.stream}: ${missedFrom}..${event.sequence - 1} did not come`);
      await io.out(io.json ? JSON.stringify(event.whole) : line(event));
    }
  };
  const patience = async (): Promise<void> => {
    let pauseMs = SETTLE_MS;
    while (!over.signal.aborted) {
      await wait(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
      if (reorder.waiting === 0 || performance.now() - lastMs >= pauseMs - 10) await tell(reorder.giveUp());
      pauseMs = PATIENCE_MS;
    }
  };
  try {
    await link.subscribe([`barrow/v1/${kit}/event/+`, `barrow/v1/${kit}/batch/+`]);
    const waiting = patience();
    for await (const message of link.messages(over.signal)) {
      const consumed = readMessage(message);
      if (consumed.kind !== 'events') continue;
      lastMs = performance.now();
      if (consumed.malformed > 0 && !io.json) io.err(`${message.topic}: ${consumed.malformed} not readable`);
      for (const event of consumed.events) await tell(reorder.take(event));
    }
    if (!over.signal.aborted) throw consumerFailure('connection-lost', { detail: flags.broker });
    await waiting;
    await tell(reorder.giveUp());
    return 0;
  } finally {
    stop();
    if (timer !== null) clearTimeout(timer);
    io.signal.removeEventListener('abort', stop);
    await link.close();
  }
}

function line(event: ConsumedEvent): string {
  return `${event.time} ${event.kit} ${event.stream} ${event.sequence} ${event.type} ${event.subject} ${JSON.stringify(event.data)}`;
}
