import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../lib/free-port.ts';
import { becomes, type Cluster } from './cluster.ts';

const run = promisify(execFile);
const NODES = 3;
const START_MS = 120_000;

/** Debian's wrapper insists on its own user; these are the programs behind it. */
const BIN = '/usr/lib/rabbitmq/bin';

/**
 * Starts a 3-node RabbitMQ cluster with the MQTT plug-in and the policy without which a PUBACK means one node only:
 * every subscription's queue mirrored to all nodes.
 */
export async function startRabbit(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-rabbit-'));
  await writeFile(join(folder, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
  // Erlang's distribution listens on every interface unless told otherwise.
  await writeFile(join(folder, 'erlang.config'), '[{kernel,[{inet_dist_use_interface,{127,0,0,1}}]}].\n');
  const epmd = await freePort();
  // Started by us in the foreground: the one that RabbitMQ would start becomes a daemon that nobody ends.
  const names = spawn('epmd', ['-port', String(epmd), '-address', '127.0.0.1'], { stdio: 'ignore' });
  const nodes: { readonly process: ChildProcess; readonly env: NodeJS.ProcessEnv; readonly mqtt: number }[] = [];
  for (let index = 0; index < NODES; index += 1) {
    const name = `barrow${epmd}n${index + 1}@localhost`;
    const home = join(folder, `n${index + 1}`);
    const mqtt = await freePort();
    await mkdir(home);
    const config = [
      `listeners.tcp.1 = 127.0.0.1:${await freePort()}`,
      `mqtt.listeners.tcp.1 = 127.0.0.1:${mqtt}`,
      'mqtt.allow_anonymous = true',
      'mqtt.prefetch = 1000',
    ];
    await writeFile(join(home, 'rabbitmq.conf'), `${config.join('\n')}\n`);
    const env = {
      ...process.env,
      HOME: folder,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: String(epmd),
      RABBITMQ_NODENAME: name,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
      RABBITMQ_LOG_BASE: join(home, 'log'),
      RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_PID_FILE: join(home, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-config ${join(folder, 'erlang.config').replace(/\.config$/, '')}`,
    };
    nodes.push({ process: spawn(`${BIN}/rabbitmq-server`, [], { env, stdio: 'ignore', detached: true }), env, mqtt });
    // One after another: the first writes the cookie that the others share.
    await becomes('RabbitMQ to start', () => ctl(env, 'await_startup'), START_MS);
  }
  const cluster: Cluster = {
    mqttPorts: nodes.map(({ mqtt }) => mqtt),
    kill: async (index) => {
      const node = nodes[index];
      if (node !== undefined) await killGroup(node.process);
    },
    [Symbol.asyncDispose]: async () => {
      for (const { process: node } of nodes) await killGroup(node);
      names.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    const [first, ...others] = nodes;
    for (const { env } of others) {
      for (const step of [
        ['stop_app'],
        ['reset'],
        ['join_cluster', String(first?.env['RABBITMQ_NODENAME'])],
        ['start_app'],
      ])
        if (!(await ctl(env, ...step))) throw new Error(`rabbitmqctl ${step.join(' ')} failed`);
    }
    const policy = '{"ha-mode":"all","ha-sync-mode":"automatic"}';
    if (!(await ctl(first?.env ?? {}, 'set_policy', 'mqtt-ha', '^mqtt-subscription-', policy, '--apply-to', 'queues')))
      throw new Error('the mirror policy was refused');
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

async function ctl(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<boolean> {
  try {
    await run(`${BIN}/rabbitmqctl`, ['-n', String(env['RABBITMQ_NODENAME']), ...args], { env, timeout: 60_000 });
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** The server is a shell around Erlang's virtual machine: its own process group, ended as one by its id. */
async function killGroup(node: ChildProcess): Promise<void> {
  if (node.pid === undefined || node.exitCode !== null || node.signalCode !== null) return;
  const gone = once(node, 'exit');
  process.kill(-node.pid, 'SIGKILL');
  await gone;
}
