import { AgentError } from '../drivers/api/agent-error.ts';
import type { Stream } from '../drivers/api/reading.ts';
import type { PendingEvent, StoredEvent } from './core/event.ts';
import type { Ledger } from './core/ledger.ts';
import { WAITING_ROWS, type Intake } from './intake.ts';
import { refusalOf } from './ledger/limits.ts';

/** Where events wait while there is no ledger: an intake whose commit never comes. */
export interface WaitingRoom extends Intake {
  /** Why the ledger could not be opened, as of the last try. */
  refusal(): AgentError;
  refuse(error: AgentError): void;
  /**
   * Stores what waits in one transaction and declares the rest; what comes after is stored as it comes. Throws the
   * ledger's errors; then everything still waits.
   */
  moveInto(ledger: Ledger): readonly StoredEvent[];
}

interface Row {
  readonly event: PendingEvent;
  readonly owner: string | undefined;
}

interface GivenUp {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Holds the newest {@link WAITING_ROWS} events. Sales and prices are refused: nobody may be told that they are kept.
 * What a driver reports while it also keeps state was counted from nothing, because its state could not be read; such
 * events are declared lost in place of starting a false series.
 */
export function waitingRoom(first: AgentError): WaitingRoom {
  let error = first;
  let rows: Row[] = [];
  let givenUp = new Map<Stream, GivenUp>();
  let unstoredRows = 0;
  /** Where what comes goes on to; `null` while everything waits. */
  let home: Ledger | null = null;
  const keepsState = new Set<string>();

  const giveUp = ({ stream, data }: PendingEvent, counts: Map<Stream, GivenUp>): void => {
    const { count, bytes } = counts.get(stream) ?? { count: 0, bytes: 0 };
    counts.set(stream, { count: count + 1, bytes: bytes + Buffer.byteLength(JSON.stringify(data)) });
  };
  const isFalseSeries = ({ event, owner }: Row): boolean =>
    event.stream !== 'agent' && owner !== undefined && keepsState.has(owner);

  const moveInto = (ledger: Ledger): readonly StoredEvent[] => {
    const lost = new Map(givenUp);
    for (const row of rows) if (isFalseSeries(row)) giveUp(row.event, lost);
    home = null;
    const stored = ledger.transaction((tx) => [
      ...[...lost].map(([stream, { count, bytes }]) =>
        tx.declareLoss(stream, { count, bytes, reason: error.code, atMono: newestMono(rows) }),
      ),
      ...rows.filter((row) => !isFalseSeries(row)).map(({ event }) => tx.append(event)),
    ]);
    home = ledger;
    rows = [];
    givenUp = new Map();
    return stored;
  };

  return {
    async put(event, owner, saves) {
      if (event.stream === 'sale' || event.stream === 'price') throw error;
      if (owner !== undefined && saves !== undefined) keepsState.add(owner);
      rows.push({ event, owner });
      // What no ledger would ever take would keep everything that waits with it out as well.
      const given =
        refusalOf(event, undefined) !== null ? rows.pop() : rows.length > WAITING_ROWS ? rows.shift() : null;
      if (given) {
        giveUp(given.event, givenUp);
        unstoredRows += 1;
      }
      if (home === null) return;
      try {
        moveInto(home);
      } catch (failure) {
        // It waits again, as before the ledger opened.
        if (!(failure instanceof AgentError)) throw failure;
        error = failure;
      }
    },
    async save(owner) {
      keepsState.add(owner);
    },
    commit() {
      throw error;
    },
    flush: () => false,
    run: (signal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    health: () => ({ waitingRows: rows.length, code: error.code, unstoredRows, commits: 0, lastCommitMono: null }),
    refusal: () => error,
    refuse(next) {
      error = next;
    },
    moveInto,
  };
}

function newestMono(rows: readonly Row[]): PendingEvent['atMono'] {
  return rows.at(-1)?.event.atMono ?? (0 as PendingEvent['atMono']);
}
