import { AgentError } from '../api/agent-error.ts';
import type { Clock } from '../api/clock.ts';
import type { Log } from '../api/driver.ts';
import type { Reading } from '../api/reading.ts';
import type { ByteLink } from '../api/transports.ts';
import { linkChanges, type Reopening } from '../lib/reopening-link.ts';
import { holdsPaymentCard } from './decode-magstripe.ts';
import { decodeTargets, type Target } from './decode-pn532.ts';
import type { Identity } from './identity.ts';
import { readNdefId } from './ndef-reader.ts';
import { pn532Chip, type Pn532Chip } from './pn532-chip.ts';
import { COMMAND, SAK_ISO_DEP, SELECT_PPSE, WAKE_UP } from './pn532-protocol.ts';
import { uidId } from './uid.ts';

/** How often the field is searched. People hold a tag for half a second at least. */
const POLL_MS = 200;

const SETUP_MS = 500;
const SEARCH_MS = 1_000;
const EXCHANGE_MS = 1_000;

/** SAM in normal mode, i.e. not used (UM0701-02 7.2.10). */
const SAM_NORMAL = [0x01, 0x14, 0x01] as const;
/** MaxRetries: ATR and PSL as by default, passive activation twice, so that an empty field is told soon (7.3.1). */
const FEW_RETRIES = [0x05, 0xff, 0x01, 0x02] as const;
/** At most one target, 106 kbps type A (7.3.5). */
const ONE_TYPE_A = [0x01, 0x00] as const;
const ALL_TARGETS = [0x00] as const;

export interface Pn532Options {
  readonly port: Reopening;
  readonly identity: Identity;
  /** What of a tag identifies the customer. */
  readonly idFrom: 'uid' | 'ndef';
  readonly clock: Clock;
  readonly log: Log;
}

/** Tags in the field of a PN532 as readings, whatever happens to its cable. */
export async function* pn532Readings(
  options: Pn532Options,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  for await (const change of linkChanges(options.port, signal)) {
    if (change.kind === 'down') {
      yield { kind: 'state', state: 'failed', code: change.code, detail: change.detail };
      continue;
    }
    try {
      yield* tags(change.link, options, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AgentError)) throw error;
      yield { kind: 'state', state: 'failed', code: error.code, detail: error.message };
    }
  }
}

async function* tags(
  link: ByteLink,
  options: Pn532Options,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const { identity, clock, log } = options;
  const chip = pn532Chip(link, clock, signal);
  await link.write(WAKE_UP, signal);
  await chip.command(COMMAND.samConfiguration, SAM_NORMAL, SETUP_MS);
  const [ic = 0, version = 0, revision = 0] = await chip.command(COMMAND.getFirmwareVersion, [], SETUP_MS);
  await chip.command(COMMAND.rfConfiguration, FEW_RETRIES, SETUP_MS);
  log.info('pn532-ready', { ic, version, revision });
  yield identity.resting();
  for (;;) {
    const answer = await chip.command(COMMAND.inListPassiveTarget, ONE_TYPE_A, SEARCH_MS);
    const targets = decodeTargets(answer);
    if (targets === null) log.warn('pn532-answer-malformed', { length: answer.length });
    for (const target of targets ?? []) {
      const atMono = clock.monoMs();
      if (await isPaymentCard(chip, target)) yield* identity.paymentCard(atMono);
      else {
        const id = options.idFrom === 'uid' ? uidId(target.uid) : await readNdefId(chip, target);
        if (id === null) continue;
        if (holdsPaymentCard(id)) {
          id.fill(0);
          yield* identity.paymentCard(atMono);
        } else yield* identity.present(id, atMono);
      }
    }
    if (targets !== null && targets.length > 0) await chip.command(COMMAND.inRelease, ALL_TARGETS, EXCHANGE_MS);
    answer.fill(0);
    await clock.sleep(POLL_MS, signal);
  }
}

/** A contactless payment card, or a phone that acts as one, answers to the name of the payment directory. */
async function isPaymentCard(chip: Pn532Chip, target: Target): Promise<boolean> {
  if ((target.sak & SAK_ISO_DEP) === 0) return false;
  const answer = await chip.command(COMMAND.inDataExchange, [target.number, ...SELECT_PPSE], EXCHANGE_MS);
  const error = (answer[0] ?? 0xff) & 0x3f;
  return error === 0 && answer.length >= 3 && answer.at(-2) === 0x90 && answer.at(-1) === 0x00;
}
