import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, YAMLParseError } from 'yaml';
import { scenarioFile, type Scenario } from '../scenario/scenario.ts';
import { simFailure } from './errors.ts';

/** The scenario that ships with Barrow. */
export const POPUP: string = fileURLToPath(new URL('../scenario/popup.yaml', import.meta.url));

/** Where Debian's opencv-doc puts its clips. */
const DEBIAN_CLIPS = '/usr/share/doc/opencv-doc/examples/data';

export async function readScenario(path: string): Promise<Scenario> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError)
      throw simFailure('scenario-invalid', { detail: `${path}: ${error.message.split('\n')[0] ?? ''}` });
    throw simFailure('scenario-unreadable', { detail: path, cause: error });
  }
  const read = scenarioFile.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw simFailure('scenario-invalid', { detail: `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
}

/** Finds a clip: as a path, by BARROW_CLIP, or among Debian's. */
export function findClip(name: string): string {
  const given = process.env['BARROW_CLIP'];
  const candidates = [
    resolve(name),
    ...(given === undefined ? [] : [resolve(given)]),
    `${DEBIAN_CLIPS}/${basename(name)}`,
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw simFailure('clip-missing', { detail: name });
  return found;
}
