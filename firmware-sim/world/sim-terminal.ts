import type { Clock } from '../../drivers/api/clock.ts';
import type { ByteLink } from '../../drivers/api/transports.ts';
import type { Book } from '../devices/zvt-terminal/book.ts';
import { TEST_CARD, type Customer, type TerminalFaults } from '../devices/zvt-terminal/customer.ts';
import { MemoryPort } from '../devices/zvt-terminal/memory-port.ts';
import { VirtualTerminal } from '../devices/zvt-terminal/terminal.ts';
import type { Life } from './life.ts';
import type { SeededChance } from './seeded-chance.ts';

/** The card terminal on its cable. It outlives every process of the kit, and its book is what was really charged. */
export interface SimTerminal {
  readonly book: Book;
  readonly faults: TerminalFaults;
  plugged: boolean;
  open(life: Life): Promise<ByteLink>;
}

/** Customers that are told apart; a shop day of the world has fewer. */
const CUSTOMERS = 500;

export interface SimTerminalOptions {
  readonly clock: Clock;
  readonly chance: SeededChance;
  readonly currency: string;
  /** A lie for the oracle to find: each finished payment is charged once more. */
  readonly chargesTwice?: boolean;
  /** The simulated terminal itself has failed. */
  readonly broke: (error: unknown) => void;
}

export function simTerminal(options: SimTerminalOptions): SimTerminal {
  const { clock, chance } = options;
  const terminal: VirtualTerminal = new VirtualTerminal({
    clock,
    currency: options.currency,
    onStep: async (step) => {
      const last = terminal.book.last();
      if (step !== 'completed' || options.chargesTwice !== true || last === undefined) return;
      terminal.book.hold(last.kind, last.amountMinor, last).state = 'booked';
    },
  });
  const port = new MemoryPort();
  const ever = new AbortController();
  let plugged = true;
  let holder: Life | null = null;

  const plug = (): void => {
    void terminal.serve(port.plug(), 'serial', ever.signal).catch(options.broke);
  };
  plug();
  // Each customer of a long row comes once; after the last of them everyone is like them.
  terminal.customers.splice(0, 1, ...Array.from({ length: CUSTOMERS }, () => nextCustomer(chance)));
  return {
    book: terminal.book,
    faults: terminal.faults,
    get plugged() {
      return plugged;
    },
    set plugged(value) {
      if (value === plugged) return;
      plugged = value;
      if (value) plug();
      else port.pull();
    },
    async open(life) {
      // What a dead process had not read is gone with it: the next one opens a cable of its own.
      if (plugged && holder !== null && !holder.alive) plug();
      holder = life;
      return ofLife(await life.outside(port.open()), life);
    },
  };
}

/** Most pay; some think about it, some have the wrong card, some walk away. */
export function nextCustomer(chance: SeededChance): Customer {
  return {
    card: TEST_CARD,
    does: chance.hit(0.9) ? 'pay' : chance.pick(['cancel', 'nothing']),
    issuer: chance.hit(0.85) ? 'approve' : 'decline',
    hesitatesMs: chance.int(200, 12_000),
  };
}

/** What a dead process writes reaches nobody, and nothing reaches it. */
function ofLife(link: ByteLink, life: Life): ByteLink {
  return {
    get droppedBytes() {
      return link.droppedBytes;
    },
    async *chunks(signal) {
      const chunks = link.chunks(signal)[Symbol.asyncIterator]();
      for (;;) {
        const next = await life.outside(chunks.next());
        if (next.done === true) return;
        yield next.value;
      }
    },
    write: (bytes, signal) => life.outside(life.alive ? link.write(bytes, signal) : Promise.resolve()),
    close: () => link.close(),
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}
