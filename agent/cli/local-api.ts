import { within } from '../host/within.ts';
import { access } from 'node:fs/promises';
import { AgentError } from '../../drivers/api/agent-error.ts';
import { registry } from '../../drivers/registry.ts';
import type { AgentStatus } from '../core/status.ts';
import { configFailure } from '../config/errors.ts';
import { splitListen } from '../config/listen.ts';
import type { KitConfig } from '../config/read-config.ts';
import { cliFailure } from './errors.ts';
import { kitFiles, readKit } from '../host/read-kit.ts';

/** Where the running agent's API is, and what opens it. */
export interface LocalApi {
  readonly url: string;
  readonly token: string | null;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_CONFIGS: readonly string[] = ['kit.yaml', '/etc/barrow/kit.yaml'];
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Finds the agent: `--url`, else kit.yaml's `api.listen` and `api.token`, else port 8080 on this machine.
 * Throws what reading a named kit.yaml throws, `config-invalid` for one with faults.
 */
export async function findLocalApi(
  options: { readonly url?: string; readonly config?: string },
  env: NodeJS.ProcessEnv,
): Promise<LocalApi> {
  return (await findKit(options, env)).api;
}

/** The same, with the configuration that it was found in; `null` for a bare address. */
export async function findKit(
  options: { readonly url?: string; readonly config?: string },
  env: NodeJS.ProcessEnv,
): Promise<{ readonly api: LocalApi; readonly config: KitConfig | null }> {
  const envToken = env['BARROW_TOKEN'] ?? null;
  const bare = (url: string): { api: LocalApi; config: null } => ({ api: { url, token: envToken }, config: null });
  if (options.url !== undefined) return bare(options.url.replace(/\/+$/, ''));
  const path = options.config ?? (await firstReadable(DEFAULT_CONFIGS));
  if (path === null) return bare(DEFAULT_URL);
  const read = await readKit(path, registry);
  if (!read.ok) {
    if (options.config === undefined) return bare(DEFAULT_URL);
    throw configFailure('config-invalid', { detail: path });
  }
  const { listen, token } = read.config.api;
  const secret = token === undefined ? null : await kitFiles(path, env).secret(token);
  const kept = envToken ?? (secret === null ? null : Buffer.from(secret).toString());
  return { api: { url: urlOf(listen), token: kept }, config: read.config };
}

/** A wildcard address is listened on, never called: this machine's loopback answers there too. */
function urlOf(listen: string): string {
  const { host, port } = splitListen(listen);
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

async function firstReadable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const readable = await access(path).then(
      () => true,
      () => false,
    );
    if (readable) return path;
  }
  return null;
}

/** One GET of the API. Throws `agent-unreachable`, `agent-refused`. */
export async function askLocalApi(api: LocalApi, path: string, signal: AbortSignal): Promise<unknown> {
  const headers: Record<string, string> = api.token === null ? {} : { authorization: `Bearer ${api.token}` };
  let response: Response;
  try {
    response = await within(ANSWER_TIMEOUT_MS, signal, (limit) =>
      fetch(`${api.url}${path}`, { headers, signal: limit }),
    );
  } catch (error) {
    throw cliFailure('agent-unreachable', { detail: api.url, cause: error });
  }
  if (!response.ok) throw cliFailure('agent-refused', { detail: `${api.url} answers ${response.status}` });
  return response.json();
}

/** The status of the agent that a kit.yaml belongs to; `null` when none answers. Throws what `findLocalApi` throws. */
export async function runningAgent(config: string, signal: AbortSignal): Promise<AgentStatus | null> {
  try {
    return (await askLocalApi(await findLocalApi({ config }, process.env), '/v1/status', signal)) as AgentStatus;
  } catch (error) {
    if (error instanceof AgentError) return null;
    throw error;
  }
}
