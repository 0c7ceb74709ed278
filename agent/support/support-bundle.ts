import { failures, type ErrorEntry, type Fail } from '../../drivers/api/agent-error.ts';
import type { Json, JsonObject } from '../../drivers/api/reading.ts';
import type { AgentStatus } from '../core/status.ts';
import { holdsCardNumber } from '../till/card-guard.ts';
import { makeRedactor, type Redactor } from './redact.ts';
import { redactConfig } from './redact-config.ts';
import { redactLine } from './redact-log.ts';

export const SUPPORT_FORMAT = 'barrow.support/1';

/** Size of a bundle: an e-mail takes it, and a phone loads it over a bad network. */
export const SUPPORT_BYTES_MAX: number = 2 * 1024 * 1024;

const REASONS_MAX = 128;
const PARTS_MAX = 64;
const FINDINGS_MAX = 256;
const CODES_MAX = 256;

export const supportErrors = {
  'support-unsafe': {
    sentence: 'The support bundle was held back: it would have carried a card number',
    hint: 'Report this; send the output of `barrow doctor --json` meanwhile',
  },
} as const;

const supportFailure: Fail<typeof supportErrors> = failures(supportErrors);

/** What a bundle is made from, as it stands in the kit: nothing here is redacted yet. */
export interface SupportFacts {
  /** RFC 3339. */
  readonly madeAt: string;
  readonly version: string;
  readonly runtime: string;
  /** `null` when no agent answers. */
  readonly status: AgentStatus | null;
  /** The checked configuration without the drivers' code. */
  readonly config: unknown;
  /** What `barrow doctor` found; `null` when it was not asked. */
  readonly doctor: readonly JsonObject[] | null;
  /** Figures of the ledger on disk, where no agent tells them. */
  readonly ledger?: JsonObject | undefined;
  /** Oldest first. */
  readonly logs: readonly JsonObject[];
  /** The kit's secrets as text, so that none of them leaves. */
  readonly secrets: readonly string[];
  readonly errorEntry: (code: string) => ErrorEntry | undefined;
}

/**
 * The text of a support bundle: JSON that a technician can read before it is sent, at most {@link SUPPORT_BYTES_MAX}
 * bytes. Everything in it is named here; event data, secrets and card numbers never are. Where it would be too large the
 * oldest log lines are left out and counted.
 * Throws `support-unsafe` when the finished text still looks as if it held a card number.
 */
export function supportBundle(facts: SupportFacts): string {
  const redactor = makeRedactor(facts.secrets);
  const { status } = facts;
  const lines = facts.logs.map((line) => redactLine(redactor, line));
  const head: JsonObject = {
    format: SUPPORT_FORMAT,
    madeAt: facts.madeAt,
    versions: { agent: facts.version, runtime: facts.runtime },
    status: status === null ? null : statusOf(redactor, status),
    ledger: status === null ? cleanFigures(redactor, facts.ledger) : ledgerOf(redactor, status),
    configuration: redactConfig(redactor, facts.config),
    doctor:
      facts.doctor === null ? null : facts.doctor.slice(0, FINDINGS_MAX).map((found) => findingOf(redactor, found)),
    codes: codesSeen(redactor, facts),
    withheld: redactor.withheld,
  };
  const text = fitted(head, lines);
  // Addresses and times are digits too: the guard knows issuers, so nothing but a card's number stops a bundle.
  if (holdsCardNumber(text)) throw supportFailure('support-unsafe');
  return text;
}

/** The name under which a bundle is kept: kit and time, fit for every file system. */
export function supportFileName(kitId: string, madeAt: string): string {
  return `barrow-support-${kitId}-${madeAt.replaceAll(/[-:]|\.\d+/g, '')}.json`;
}

function fitted(head: JsonObject, lines: readonly JsonObject[]): string {
  const encoder = new TextEncoder();
  const shown = (logs: readonly JsonObject[]): string =>
    `${JSON.stringify({ ...head, logLinesLeftOut: lines.length - logs.length, logs: [...logs] }, null, 1)}\n`;
  let room = SUPPORT_BYTES_MAX - encoder.encode(shown([])).length - 64;
  let from = lines.length;
  while (from > 0) {
    // Indented by three levels: measured in the form in which it will stand.
    room -= encoder.encode(JSON.stringify([[lines[from - 1]]], null, 1)).length;
    if (room < 0) break;
    from -= 1;
  }
  return shown(lines.slice(from));
}

function statusOf(redactor: Redactor, status: AgentStatus): JsonObject {
  const { kit, clock, uplink, drivers, rules, machine } = status;
  const text = (value: string | null): string | null => (value === null ? null : redactor.text(value));
  return {
    kit: { id: kit.id, node: kit.node, group: kit.group, currency: kit.currency, timezone: kit.timezone },
    version: status.version,
    startedAt: status.startedAt,
    now: status.now,
    uptimeS: status.uptimeS,
    ready: status.ready,
    reasons: status.reasons.slice(0, REASONS_MAX).map(({ code, sentence, hint, driver }) => ({
      code,
      sentence: redactor.text(sentence),
      hint: redactor.text(hint),
      driver: driver ?? null,
    })),
    clock: { trust: clock.trust, bootId: clock.bootId },
    uplink: {
      state: uplink.state,
      url: text(uplink.url),
      protocol: uplink.protocol,
      code: uplink.code,
      detail: text(uplink.detail),
      delivered: uplink.delivered,
      duplicatesPossible: uplink.duplicatesPossible,
      quarantined: uplink.quarantined,
      droppedCommands: uplink.droppedCommands,
      drainPerS: uplink.drainPerS,
    },
    drivers: drivers.map((driver) => ({
      id: driver.id,
      type: driver.type,
      state: driver.state,
      code: driver.code,
      detail: text(driver.detail),
      parts: driver.parts
        .slice(0, PARTS_MAX)
        .map(({ part, state, code }) => ({ part: redactor.text(part), state, code })),
      events: driver.events,
      restarts: driver.restarts,
      lastEventAt: driver.lastEventAt,
      // Of the newest events only that they came: their data is the shop's.
      latest: driver.latest
        .slice(0, PARTS_MAX)
        .map(({ subject, type, at }) => ({ subject: redactor.text(subject), type, at })),
    })),
    rules:
      rules === null
        ? null
        : {
            merchant: redactor.text(rules.merchant),
            version: rules.version,
            state: rules.state,
            expires: rules.expires,
          },
    machine: { ...machine },
  };
}

function ledgerOf(redactor: Redactor, { ledger }: AgentStatus): Json {
  return {
    epoch: redactor.text(ledger.epoch),
    bytes: ledger.bytes,
    maxBytes: ledger.maxBytes,
    accepting: ledger.accepting,
    oldestPendingS: ledger.oldestPendingS,
    streams: ledger.streams.map(({ stream, last, pendingRows, pendingBytes, lostRows }) => ({
      stream,
      last,
      pendingRows,
      pendingBytes,
      lostRows,
    })),
  };
}

/** Figures from the ledger's file: numbers and names of streams. */
function cleanFigures(redactor: Redactor, figures: JsonObject | undefined): Json {
  return figures === undefined ? null : redactLine(redactor, { ...figures });
}

function findingOf(redactor: Redactor, found: JsonObject): JsonObject {
  const word = (key: string): Json => {
    const value = found[key];
    return typeof value === 'string' ? redactor.text(value) : null;
  };
  return {
    check: word('check'),
    state: word('state'),
    code: word('code'),
    sentence: word('sentence'),
    next: word('next'),
  };
}

/** Every error code in the log and the status, with what it means: most frequent first. */
function codesSeen(redactor: Redactor, facts: SupportFacts): readonly JsonObject[] {
  const seen = new Map<string, { count: number; last: string | null }>();
  const note = (code: Json | undefined, at: Json | undefined): void => {
    if (typeof code !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(code)) return;
    const known = seen.get(code) ?? { count: 0, last: null };
    seen.set(code, { count: known.count + 1, last: typeof at === 'string' ? redactor.text(at) : known.last });
  };
  for (const line of facts.logs) note(line['code'], line['time']);
  for (const { code } of facts.status?.reasons ?? []) note(code, facts.status?.now);
  return [...seen]
    .toSorted(([, a], [, b]) => b.count - a.count)
    .slice(0, CODES_MAX)
    .map(([code, { count, last }]) => ({ code, count, last, means: facts.errorEntry(code)?.sentence ?? null }));
}
