import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lib/free-port.ts';
import { becomes, type Cluster } from './cluster.ts';

const NODES = 3;

/** Starts a 3-node NATS JetStream cluster and waits until it serves MQTT sessions. */
export async function startNats(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'barrow-nats-'));
  const template = await readFile(new URL('./nats.conf', import.meta.url), 'utf8');
  const ports = await Promise.all(
    Array.from({ length: NODES }, async () => ({
      client: await freePort(),
      mqtt: await freePort(),
      cluster: await freePort(),
    })),
  );
  const routes = ports.map(({ cluster }) => `nats-route://127.0.0.1:${cluster}`).join(', ');
  const nodes: ChildProcess[] = [];
  for (const [index, port] of ports.entries()) {
    const name = `n${index + 1}`;
    const file = join(folder, `${name}.conf`);
    const text = template
      .replace('__NAME__', name)
      .replace('__CLIENT__', String(port.client))
      .replace('__STORE__', join(folder, name))
      .replace('__MQTT__', String(port.mqtt))
      .replace('__CLUSTER__', String(port.cluster))
      .replace('__ROUTES__', routes);
    await writeFile(file, text);
    nodes.push(spawn('nats-server', ['-c', file], { stdio: 'ignore' }));
  }
  const kill = async (index: number): Promise<void> => {
    const node = nodes[index];
    if (node === undefined || node.exitCode !== null || node.signalCode !== null) return;
    const gone = once(node, 'exit');
    node.kill('SIGKILL');
    await gone;
  };
  const mqttPorts = ports.map(({ mqtt }) => mqtt);
  const dispose = async (): Promise<void> => {
    for (let index = 0; index < NODES; index += 1) await kill(index);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await becomes('NATS to elect a leader and open sessions', () => answers(mqttPorts), 60_000);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { mqttPorts, kill, [Symbol.asyncDispose]: dispose };
}

/** Every node must take a durable session: only then the cluster has its leader and its streams. */
export async function answers(ports: readonly number[]): Promise<boolean> {
  const { connect } = await import('mqtt');
  for (const [index, port] of ports.entries()) {
    const client = connect(`mqtt://127.0.0.1:${port}`, {
      clientId: `probe-${index}`,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
    });
    const ok = await new Promise<boolean>((resolve) => {
      client.once('connect', () => resolve(true));
      client.once('error', () => resolve(false));
      client.once('close', () => resolve(false));
    });
    client.end(true);
    if (!ok) return false;
  }
  return true;
}
