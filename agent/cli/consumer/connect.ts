import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Log } from '../../../drivers/api/driver.ts';
import type { SecretRef } from '../../../drivers/api/secret.ts';
import type { BrokerLink } from '../../core/host.ts';
import { configFailure } from '../../config/errors.ts';
import { systemChance, systemClock } from '../../host/clock.ts';
import { brokerDialer } from '../../host/mqtt/dial.ts';
import { cliFailure } from '../errors.ts';

/** How a consumer reaches its broker: the options that `tail` and `verify` share. */
export interface BrokerFlags {
  readonly broker: string;
  readonly protocol: 'auto' | '5' | '3.1.1';
  readonly username?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Adds the options of {@link BrokerFlags}. */
export function withBrokerOptions(command: Command): Command {
  return command
    .requiredOption('--broker <url>', 'mqtt://HOST:PORT or mqtts://HOST:PORT')
    .option('--protocol <version>', 'auto, 5 or 3.1.1', protocolFlag, 'auto')
    .option('--username <name>', 'login at the broker')
    .option('--password-file <file>', 'file with the password')
    .option('--ca <file>', 'authorities to trust, PEM')
    .option('--cert <file>', 'client certificate, PEM')
    .option('--key <file>', 'key of the client certificate, PEM');
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Connects as a consumer: no will, a random client id, and the broker waits rather than that anything is dropped. */
export function connectConsumer(flags: BrokerFlags, signal: AbortSignal): Promise<BrokerLink> {
  const dial = brokerDialer({ secret: secretFile, clock: systemClock(), log: silent, overflow: 'wait' });
  const file = (path: string | undefined, name: 'password' | 'ca' | 'cert' | 'key'): object =>
    path === undefined ? {} : { [name]: { file: path } };
  return dial(
    {
      url: flags.broker,
      protocol: flags.protocol,
      clientId: `barrow-${Buffer.from(systemChance().bytes(6)).toString('hex')}`,
      ...(flags.username === undefined ? {} : { username: flags.username }),
      ...file(flags.passwordFile, 'password'),
      ...file(flags.ca, 'ca'),
      ...file(flags.cert, 'cert'),
      ...file(flags.key, 'key'),
    },
    signal,
  );
}

async function secretFile(ref: SecretRef): Promise<Uint8Array> {
  const path = 'file' in ref ? ref.file : '';
  try {
    return new TextEncoder().encode((await readFile(path, 'utf8')).replace(/\r?\n$/, ''));
  } catch (error) {
    throw configFailure('secret-unreadable', { detail: path, cause: error });
  }
}

function protocolFlag(value: string): 'auto' | '5' | '3.1.1' {
  if (value === '5' || value === '3.1.1') return value;
  if (value === 'auto') return 'auto';
  throw cliFailure('usage', { detail: `--protocol ${value}`, hint: 'Give auto, 5 or 3.1.1' });
}

/** A positive number of seconds. */
export function secondsFlag(value: string): number {
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400 * 30) return seconds;
  throw cliFailure('usage', { detail: `--seconds ${value}`, hint: 'Give a number of seconds above 0' });
}

/** A kit id that is one topic level. */
export function kitFlag(value: string): string {
  if (value !== '' && !/[/+#\0]/.test(value)) return value;
  throw cliFailure('usage', { detail: `--kit ${value}`, hint: 'Give the kit.id of one kit' });
}
