import { AgentError, type ErrorEntry } from '../../drivers/api/agent-error.ts';
import type { Download } from '../api/api-parts.ts';
import type { KitConfig } from '../config/read-config.ts';
import { secretRefs } from '../config/secret-refs.ts';
import type { Host } from '../core/host.ts';
import type { AgentView } from '../core/status.ts';
import { supportBundle, supportFileName } from './support-bundle.ts';

export const SUPPORT_CONTENT_TYPE = 'application/json';

/** Log lines that go into a bundle, before its size is looked at. */
const LOG_LINES_MAX = 1_000;

export interface SupportParts {
  readonly host: Pick<Host, 'clock' | 'version' | 'runtime' | 'secret'>;
  readonly config: () => KitConfig;
  readonly view: Pick<AgentView, 'status' | 'logs'>;
  readonly errorEntry: (code: string) => ErrorEntry | undefined;
}

/** The running agent's own support bundle. Throws `support-unsafe`. */
export function makeSupport(parts: SupportParts): (signal: AbortSignal) => Promise<Download> {
  return async () => {
    const { host, view } = parts;
    const config = plainConfig(parts.config());
    const secrets = await secretTexts(config, host);
    const madeAt = new Date(host.clock.wallMs()).toISOString();
    const status = view.status();
    const text = supportBundle({
      madeAt,
      version: host.version,
      runtime: host.runtime,
      status,
      config,
      doctor: null,
      logs: view.logs(LOG_LINES_MAX),
      secrets,
      errorEntry: parts.errorEntry,
    });
    return {
      fileName: supportFileName(status.kit.id, madeAt),
      contentType: SUPPORT_CONTENT_TYPE,
      bytes: new TextEncoder().encode(text),
    };
  };
}

/** A configuration as data: each driver's options without its code. */
export function plainConfig(config: KitConfig): Readonly<Record<string, unknown>> {
  return {
    ...config,
    drivers: config.drivers.map(({ id, type, config: options }) => ({ id, type, options })),
  };
}

/** Every secret that a configuration points at, as text; one that cannot be read cannot leak either. */
export async function secretTexts(config: unknown, host: Pick<Host, 'secret'>): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const { ref } of secretRefs(config)) {
    try {
      texts.push(new TextDecoder('latin1').decode(await host.secret(ref)));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
  }
  return texts;
}
