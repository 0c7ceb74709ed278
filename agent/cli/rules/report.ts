import type { CommandIo, ExitStatus } from '../program.ts';
import type { PlacedFault } from '../../pricing/bundle/load.ts';
import { pathText } from '../../pricing/fault.ts';

/** Tells faults in order: text one line each with its hint, JSON all at once with the first as `error`. Exit status 1. */
export async function reportFaults(io: CommandIo, faults: readonly PlacedFault[]): Promise<ExitStatus> {
  const told = faults.map(({ code, message, hint, path, line, column }) => ({
    code,
    message,
    hint,
    path: pathText(path),
    ...(line === undefined || column === undefined ? {} : { line, column }),
  }));
  if (io.json) {
    await io.out(JSON.stringify({ ok: false, error: told[0], faults: told }));
    return 1;
  }
  for (const { code, message, hint, line, column } of told) {
    const place = line === undefined ? '' : ` (line ${line}, column ${column})`;
    io.err(`error[${code}]: ${message}${place}`);
    io.err(`hint: ${hint}`);
  }
  return 1;
}
