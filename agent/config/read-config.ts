import { LineCounter, parseDocument } from 'yaml';
import type { ZodType } from 'zod';
import type { Driver, DriverRegistry } from '../../drivers/api/driver.ts';
import { configErrors } from './errors.ts';
import { fault, faultsOf, Locator, type ConfigFault, type PathKey } from './fault.ts';
import { knownKeysAt } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { kitFile, type KitFile } from './schema.ts';
import { semanticFaults } from './semantics.ts';

/** One driver as configured: its part of kit.yaml, checked and completed by the driver itself. */
export interface DriverEntry {
  readonly id: string;
  readonly type: string;
  readonly driver: Driver;
  readonly config: unknown;
}

/** A whole, valid configuration. */
export interface KitConfig extends Omit<KitFile, 'drivers'> {
  readonly drivers: readonly DriverEntry[];
}

export type ReadConfig =
  | { readonly ok: true; readonly config: KitConfig }
  | {
      readonly ok: false;
      readonly faults: readonly ConfigFault[];
      /** The top-level parts without a fault, as written: defaults are not filled in. */
      readonly sound: SoundSections;
    };

export type SoundSections = { readonly [Section in keyof KitFile]?: Partial<KitFile[Section]> | undefined };

/** Aliases allowed in the document: enough for a shared block, far too few for a bomb. */
const MAX_ALIASES = 32;

/**
 * Reads kit.yaml: all faults at once, each with its place. Pure but for loading the drivers that are named.
 * Faults come in the order of their lines.
 */
export async function readConfig(text: string, registry: DriverRegistry): Promise<ReadConfig> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const locator = new Locator(document, lines);
  if (document.errors.length > 0) {
    const faults = document.errors.map((error): ConfigFault => {
      const { line, col } = lines.linePos(error.pos[0]);
      return {
        code: 'config-syntax',
        path: '',
        line: Math.max(1, line),
        column: Math.max(1, col),
        message: `${configErrors['config-syntax'].sentence}: ${error.message}`,
        hint: configErrors['config-syntax'].hint,
      };
    });
    return { ok: false, faults, sound: {} };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { ok: false, faults: [fault('config-syntax', [], locator, 'too many aliases')], sound: {} };
  }
  const faults: ConfigFault[] = [];
  const file = checked(kitFile, value, [], locator, faults);
  const drivers = await readDrivers(value, locator, registry, faults);
  faults.push(...semanticFaults(file ?? soundSections(value, faults), locator));
  if (file === null || faults.length > 0)
    return {
      ok: false,
      faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column),
      sound: soundSections(value, faults),
    };
  return { ok: true, config: { ...file, drivers } };
}

function checked<T>(
  schema: ZodType<T>,
  value: unknown,
  base: readonly PathKey[],
  locator: Locator,
  faults: ConfigFault[],
): T | null {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  faults.push(...faultsOf(result.error.issues, base, locator, (path) => knownKeysAt(schema, path.slice(base.length))));
  return null;
}

/** Each driver's own part, checked even when the rest of the file has faults. */
async function readDrivers(
  value: unknown,
  locator: Locator,
  registry: DriverRegistry,
  faults: ConfigFault[],
): Promise<DriverEntry[]> {
  const list = isObject(value) && Array.isArray(value['drivers']) ? (value['drivers'] as readonly unknown[]) : [];
  const entries: DriverEntry[] = [];
  for (const [index, item] of list.entries()) {
    if (!isObject(item)) continue;
    const { id, type, ...options } = item;
    if (typeof id !== 'string' || typeof type !== 'string') continue;
    const load = Object.hasOwn(registry, type) ? registry[type] : undefined;
    if (load === undefined) {
      const known = Object.keys(registry);
      const guess = nearest(type, known);
      faults.push(
        fault(
          'config-driver-type',
          ['drivers', index, 'type'],
          locator,
          type,
          guess === null ? `Known types: ${known.join(', ')}` : `Did you mean ${guess}?`,
        ),
      );
      continue;
    }
    const driver = await load();
    const before = faults.length;
    const config = checked(driver.config, options, ['drivers', index], locator, faults);
    if (faults.length === before) entries.push({ id, type, driver, config });
  }
  return entries;
}

/** The top-level parts in which nothing was found wrong: what they contradict among themselves can be told as well. */
function soundSections(value: unknown, faults: readonly ConfigFault[]): Partial<KitFile> {
  if (!isObject(value)) return {};
  const sound = Object.entries(value).filter(
    ([key]) => !faults.some((fault) => fault.path === key || fault.path.startsWith(`${key}.`)),
  );
  // A part without faults has passed its own schema, so its written form is of the schema's type but for defaults.
  return Object.fromEntries(sound.filter(([key]) => key !== 'drivers')) as Partial<KitFile>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
