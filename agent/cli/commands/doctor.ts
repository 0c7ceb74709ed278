import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { registry } from '../../../drivers/registry.ts';
import { nanodet } from '../../../models/nanodet-g/manifest.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { KitConfig } from '../../config/read-config.ts';
import type { AgentStatus } from '../../core/status.ts';
import { errorLookup } from '../../error-table.ts';
import { findModel } from '../../host/camera/model-path.ts';
import { machineHost } from '../../host/machine-host.ts';
import { readKit } from '../../host/read-kit.ts';
import { brokerChecks } from '../doctor/broker-checks.ts';
import { portChecks, reportedDevices, tryDevices } from '../doctor/device-checks.ts';
import { failed, finding, ok, type Finding } from '../doctor/finding.ts';
import { clockCheck, diskChecks, powerCheck } from '../doctor/machine-checks.ts';
import { tellFaults } from './check.ts';
import type { CommandIo, CommandModule, ExitStatus } from '../program.ts';

export const command: CommandModule = {
  build: (bind) =>
    new Command('doctor')
      .description('look at everything that a kit needs: each ok, warn or fail, and the next step')
      .option('-c, --config <file>', 'the configuration', 'kit.yaml')
      .addHelpText(
        'after',
        '\nWhile the agent runs it is asked for its devices; otherwise each device is opened for a moment.\n\nExamples:\n  barrow doctor -c kit.yaml\n  barrow doctor -c /etc/barrow/kit.yaml --json',
      )
      .action(bind(async (io, options: { readonly config: string }) => doctor(io, options.config))),
};

async function doctor(io: CommandIo, path: string): Promise<ExitStatus> {
  const read = await readKit(path, registry);
  if (!read.ok) {
    await tellFaults(io, path, read.faults);
    return 2;
  }
  const findings = await examine(
    path,
    read.config,
    io.signal,
    io.json ? () => undefined : (found) => void io.out(line(found, io.tty)),
  );
  const worst = findings.some(({ state }) => state === 'fail')
    ? 'fail'
    : findings.some(({ state }) => state === 'warn')
      ? 'warn'
      : 'ok';
  if (io.json) await io.out(JSON.stringify({ ok: worst !== 'fail', worst, checks: findings }));
  else await io.out(worst === 'ok' ? 'All well.' : worst === 'warn' ? 'Ready, with warnings.' : 'Not ready.');
  return worst === 'fail' ? 1 : 0;
}

async function examine(
  path: string,
  config: KitConfig,
  signal: AbortSignal,
  tell: (found: Finding) => void,
): Promise<readonly Finding[]> {
  const host = await machineHost({ configPath: path, stateDir: config.state, log: silent });
  const findings: Finding[] = [];
  const add = (...found: readonly Finding[]): void => {
    for (const one of found) tell(one);
    findings.push(...found);
  };
  add(ok('configuration', `${path} is valid: ${config.drivers.length} drivers`));
  add(clockCheck(host.clock), powerCheck(config.state), ...diskChecks(config.state), ...(await portChecks(config)));
  if (config.drivers.some(({ type }) => type === 'camera-counter')) add(modelCheck());
  const status = await askAgent(config.api.listen);
  if (status === null) add(...(await tryDevices(config, host, signal)));
  else {
    const lookup = errorLookup(config.drivers.map(({ driver }) => driver));
    add(
      ok('agent', `The agent is running: ${status.ready ? 'ready' : 'not ready'}`),
      ...reportedDevices(status, (code) => lookup(code)?.hint),
    );
  }
  add(...(await brokerChecks(config, host, signal)));
  if (status !== null) add(...rulesChecks(config, status, host.clock.wallMs()));
  return findings;
}

function modelCheck(): Finding {
  try {
    const digest = createHash('sha256').update(readFileSync(findModel())).digest('hex');
    return digest === nanodet.onnx.sha256
      ? ok('model', 'The neural model is the one that this version ships')
      : finding('model', 'fail', 'model-changed');
  } catch (error) {
    return failed('model', error);
  }
}

function rulesChecks(config: KitConfig, { rules }: AgentStatus, nowMs: number): readonly Finding[] {
  if (config.pricing === undefined) return [];
  if (rules === null) return [finding('rules', 'warn', 'rules-stale', 'no bundle has been accepted yet')];
  const leftMs = Date.parse(rules.expires) - nowMs;
  const which = `version ${rules.version} of ${rules.merchant}, until ${rules.expires.slice(0, 16)}`;
  return [
    leftMs < 86_400_000
      ? finding('rules', leftMs < 0 ? 'fail' : 'warn', 'rules-stale', which)
      : ok('rules', `The price rules are ${rules.state}: ${which}`),
  ];
}

async function askAgent(listen: string): Promise<AgentStatus | null> {
  const address = listen.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
  if (address.endsWith(':0')) return null;
  try {
    const response = await fetch(`http://${address}/v1/status`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? ((await response.json()) as AgentStatus) : null;
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError) return null;
    throw error;
  }
}

const COLOURS = { ok: 32, warn: 33, fail: 31 } as const;

function line({ check, state, code, sentence, next }: Finding, tty: boolean): string {
  const word = state.padEnd(4);
  const shown = tty ? `\u001b[${COLOURS[state]}m${word}\u001b[0m` : word;
  const head = `${shown}  ${check.padEnd(16)} ${sentence}${state === 'ok' ? '' : ` [${code}]`}`;
  return next === null ? head : `${head}\n      ${' '.repeat(16)} → ${next}`;
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
