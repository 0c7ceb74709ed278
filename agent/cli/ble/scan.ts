import { systemClock } from '../../host/clock.ts';
import { openRadio } from '../../host/ble/open-radio.ts';
import type { Log } from '../../../drivers/api/driver.ts';
import type { CommandIo, ExitStatus } from '../program.ts';
import { chooseRadio, type RadioFlags } from './choose-radio.ts';
import { bleCommandFailure } from './errors.ts';
import { nearbyDevices, nearbyTable } from './nearby.ts';

export interface ScanFlags extends RadioFlags {
  readonly seconds?: number;
  readonly all?: boolean;
}

const REDRAW_MS = 500;
/** Lines of the live table: what fits a usual screen. */
const LIVE_ROWS = 30;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

const silent = (): void => undefined;
export const noLog: Log = { debug: silent, info: silent, warn: silent, error: silent };

/** `barrow ble scan`: what is on the air, decoded, until stopped. */
export async function scan(io: CommandIo, flags: ScanFlags): Promise<ExitStatus> {
  const { radio: options, sensors } = await chooseRadio(flags);
  const clock = systemClock();
  const over = new AbortController();
  const stop = (): void => over.abort(new Error('done'));
  // A timer of our own: a time-out signal that only composite signals refer to may be collected before it fires.
  const timer = flags.seconds === undefined ? undefined : setTimeout(stop, flags.seconds * 1_000);
  io.signal.addEventListener('abort', stop, { once: true });
  const { signal } = over;
  const nearby = nearbyDevices(sensors);
  const live = io.tty && !io.json;
  const shown = (): readonly string[] => {
    const devices = nearby.loudestFirst().filter(({ formats }) => flags.all === true || formats.length > 0);
    return nearbyTable(live ? devices.slice(0, LIVE_ROWS) : devices, clock.monoMs());
  };
  await using radio = await openRadio(options, { clock, log: noLog }, signal);
  let drawnMono = 0;
  let told: string | null = null;
  for await (const entry of radio.signals(signal)) {
    if (entry.kind === 'health') {
      const { code } = entry.health;
      if (code !== null && code !== told && !live) io.err(`radio: ${code}`);
      told = code;
      continue;
    }
    const device = nearby.hear(entry.advert);
    if (io.json && (flags.all === true || device.formats.length > 0)) await io.out(JSON.stringify(device));
    if (live && clock.monoMs() - drawnMono >= REDRAW_MS) {
      drawnMono = clock.monoMs();
      await io.out(`${CLEAR_SCREEN}${shown().join('\n')}\n\nHold a sensor close to bring it to the top. Ctrl-C ends.`);
    }
  }
  clearTimeout(timer);
  io.signal.removeEventListener('abort', stop);
  if (radio.health().adverts === 0) {
    const code = radio.health().code;
    throw bleCommandFailure('ble-nothing-heard', code === null ? {} : { detail: code });
  }
  if (!io.json && !live) for (const line of shown()) await io.out(line);
  return 0;
}
