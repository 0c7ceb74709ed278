import type { Json } from '../../drivers/api/reading.ts';
import { bareUrl, lengthOnly, putRedacted, type Redactor } from './redact.ts';

/** Options whose values help to understand a kit and give nothing away. Every other value is told by its kind only. */
export const SHOWN_OPTIONS: ReadonlySet<string> = new Set(
  [
    // kit.yaml itself
    'id node group currency timezone opens closes state url protocol profile listen maxBytes retainAcked',
    'type bundle driverFolder mdns homeAssistant',
    // where devices are
    'kind adapter library path device port host tcpPort baud usb vendor product',
    // shelves
    'address format sku unitGrams emptyGrams quantumGrams noiseGrams gramsPerDegree silentAfterMs',
    // terminal and readers
    'configByte t1Ms t2Ms t3Ms t4Ms busyWaitMs recoveryMs doubleScanMs doubleTapMs idFrom',
    // camera
    'fps from to corners masks count width height threads niceness precision',
  ].flatMap((words) => words.split(' ')),
);

/** Values walked: some hundred sensors with all their options. */
export const CONFIG_VALUES_MAX = 4_000;
const DEPTH_MAX = 8;

/**
 * A configuration without secrets. A reference to a secret (`{ file }`, `{ env }`, `{ credential }`) is shown as it is
 * written: it names a place. Of an address only scheme and host are shown.
 */
export function redactConfig(redactor: Redactor, config: unknown): Json {
  let left = CONFIG_VALUES_MAX;
  const walk = (key: string, value: unknown, depth: number): Json => {
    left -= 1;
    if (left < 0 || depth > DEPTH_MAX) return '[left out: too much]';
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return SHOWN_OPTIONS.has(key) ? redactor.scalar(value) : '[number]';
    if (typeof value === 'string') {
      if (!SHOWN_OPTIONS.has(key)) return lengthOnly(value);
      return redactor.text(key === 'url' ? bareUrl(value) : value);
    }
    if (Array.isArray(value))
      return (value as readonly unknown[]).slice(0, Math.max(0, left)).map((item) => walk(key, item, depth + 1));
    if (typeof value !== 'object') return '[left out]';
    const secret = secretPlace(redactor, value);
    if (secret !== null) return secret;
    const into: Record<string, Json> = {};
    for (const [name, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      if (left <= 0) break;
      putRedacted(redactor, into, name, walk(name, inner, depth + 1));
    }
    return into;
  };
  return walk('', config, 0);
}

function secretPlace(redactor: Redactor, value: object): Json | null {
  const entries = Object.entries(value);
  const [only] = entries;
  if (only === undefined || entries.length > 1) return null;
  const [kind, place] = only as [string, unknown];
  if (!['file', 'env', 'credential'].includes(kind) || typeof place !== 'string') return null;
  return { [kind]: redactor.text(place) };
}
