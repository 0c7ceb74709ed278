import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { nanodet } from '../../../models/nanodet-g/manifest.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { KitConfig } from '../../config/read-config.ts';
import type { AgentStatus } from '../../core/status.ts';
import { errorLookup } from '../../error-table.ts';
import { findModel } from '../../host/camera/model-path.ts';
import { machineHost } from '../../host/machine-host.ts';
import { brokerChecks } from './broker-checks.ts';
import { portChecks, reportedDevices, tryDevices } from './device-checks.ts';
import { failed, finding, ok, type Finding } from './finding.ts';
import { clockCheck, diskChecks, powerCheck } from './machine-checks.ts';

/**
 * Looks at everything that a kit needs, in the order in which a technician would. A running agent answers for its
 * devices; without one each device is opened for a moment.
 * @param status what the running agent says of itself; `null` when none answers
 * @param tell hears each finding as soon as it is known
 */
export async function examine(
  path: string,
  config: KitConfig,
  status: AgentStatus | null,
  tell: (found: Finding) => void,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const host = await machineHost({ configPath: path, stateDir: config.state, log: silent });
  const findings: Finding[] = [];
  const add = (...found: readonly Finding[]): void => {
    for (const one of found) tell(one);
    findings.push(...found);
  };
  add(ok('configuration', `${path} is valid: ${config.drivers.length} drivers`));
  add(
    clockCheck(host.clock, Date.now()),
    powerCheck(host.machine()),
    ...diskChecks(config.state),
    ...(await portChecks(config)),
  );
  const cameras = config.drivers.filter(({ type }) => type === 'camera-counter');
  if (cameras.length > 0) add(modelCheck('fp32'));
  if (cameras.some(({ config: camera }) => (camera as { precision?: unknown }).precision === 'int8'))
    add(modelCheck('int8'));
  if (status === null) add(...(await tryDevices(config, host, signal)));
  else {
    const lookup = errorLookup(config.drivers.map(({ driver }) => driver));
    add(
      ok('agent', `The agent is running: ${status.ready ? 'ready' : 'not ready'}`),
      // An agent that is held back by something else has not opened its ledger; it says itself what that is.
      ...(status.ledger.epoch === '' && status.reasons.every(({ code }) => !code.startsWith('ledger-'))
        ? []
        : [ledgerCheck(status)]),
      ...reportedDevices(status, lookup),
    );
  }
  add(...(await brokerChecks(config, host, signal)));
  if (status !== null) add(...rulesChecks(config, status, host.clock.wallMs()), ...untold(status, findings));
  return findings;
}

/** Why the agent says that it is not ready, where no check above has found it: the two must not contradict each other. */
export function untold(
  { reasons }: Pick<AgentStatus, 'reasons'>,
  findings: readonly Pick<Finding, 'state' | 'code'>[],
): readonly Finding[] {
  const told = new Set(findings.flatMap(({ state, code }) => (state === 'fail' ? [code] : [])));
  return reasons.flatMap(({ code, sentence, hint, driver }): readonly Finding[] =>
    told.has(code)
      ? []
      : [{ check: driver === undefined ? 'agent' : `driver ${driver}`, state: 'fail', code, sentence, next: hint }],
  );
}

/** Whether the running agent can keep what happens, and whether it ever could not. */
export function ledgerCheck({ ledger, reasons }: Pick<AgentStatus, 'ledger' | 'reasons'>): Finding {
  const reason = ledger.accepting ? undefined : reasons.find(({ code }) => code.startsWith('ledger-'));
  if (!ledger.accepting)
    return {
      check: 'ledger',
      state: 'fail',
      code: reason?.code ?? 'ledger-refusing',
      sentence: reason?.sentence ?? 'The ledger cannot accept events',
      next: reason?.hint ?? 'Look at the disk space above',
    };
  const lost = ledger.streams.reduce((sum, { lostRows }) => sum + lostRows, 0);
  const pending = ledger.streams.reduce((sum, { pendingRows }) => sum + pendingRows, 0);
  return lost > 0
    ? finding('ledger', 'warn', 'events-lost', `${lost}`)
    : ok('ledger', `Every event is kept; ${pending} wait for the broker`);
}

function modelCheck(precision: 'fp32' | 'int8'): Finding {
  const shipped = precision === 'int8' ? nanodet.int8 : nanodet.onnx;
  try {
    const digest = createHash('sha256')
      .update(readFileSync(findModel(precision)))
      .digest('hex');
    return digest === shipped.sha256
      ? ok('model', 'The neural model is the one that this version ships')
      : finding('model', 'fail', 'model-changed');
  } catch (error) {
    return failed('model', error);
  }
}

/** Judges how long the price rules of a running agent still hold. */
export function rulesChecks(
  config: Pick<KitConfig, 'pricing'>,
  { rules }: Pick<AgentStatus, 'rules'>,
  nowMs: number,
): readonly Finding[] {
  if (config.pricing === undefined) return [];
  if (rules === null) return [finding('rules', 'fail', 'rules-missing')];
  const leftMs = Date.parse(rules.expires) - nowMs;
  const which = `version ${rules.version} of ${rules.merchant}, until ${rules.expires.slice(0, 16)}`;
  if (leftMs < 0) return [finding('rules', 'fail', 'rules-expired', which)];
  return [
    leftMs < 86_400_000
      ? finding('rules', 'warn', 'rules-expiring', which)
      : ok('rules', `The price rules are ${rules.state}: ${which}`),
  ];
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
