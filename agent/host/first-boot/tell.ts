import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeWhole } from './kept-on-disk.ts';

/** What the technician is told: one word, sentences, and what to do. */
export interface Telling {
  readonly word: 'READY TO START' | 'NOT READY';
  readonly lines: readonly string[];
  /** Printed as a QR code on the screen. */
  readonly url: string | null;
}

/** The file on the boot partition that a laptop can read. CRLF, because that laptop may run Windows. */
export const STATE_FILE = 'BARROW.TXT';

export function stateText({ word, lines, url }: Telling, at: string): string {
  return [`Barrow: ${word}`, '', ...lines, ...(url === null ? [] : ['', `Status page: ${url}`]), '', `(${at})`, '']
    .join('\n')
    .replaceAll('\n', '\r\n');
}

/** Text for agetty's issue.d: a backslash would start one of its escapes. */
export async function screenText({ word, lines, url }: Telling): Promise<string> {
  const plain = [`Barrow: ${word}`, ...lines].join('\n').replaceAll('\\', '/');
  return url === null ? `\n${plain}\n\n` : `\n${plain}\n\n${await qrText(url)}\n${url}\n\n`;
}

/** A QR code of half blocks, quiet zone included: its light parts are drawn, so that it is right on a dark console. */
export async function qrText(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(text, { border: 2 });
}

export interface TellPlaces {
  readonly boot: string;
  /** A file for agetty, e.g. /run/issue.d/barrow.issue. */
  readonly screen: string | null;
  /** e.g. /sys/class/leds */
  readonly leds: string | null;
}

/** Says it on the partition, on the screen and with the board's light; returns the places that could not be reached. */
export async function tell(telling: Telling, places: TellPlaces, at: string): Promise<readonly string[]> {
  const mute: string[] = [];
  const attempt = async (place: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      mute.push(place);
    }
  };
  await attempt('boot partition', async () =>
    writeWhole(join(places.boot, STATE_FILE), stateText(telling, at), { mode: 0o644 }),
  );
  const { screen, leds } = places;
  if (screen !== null)
    await attempt('screen', async () => {
      await mkdir(dirname(screen), { recursive: true });
      await writeFile(screen, await screenText(telling), { mode: 0o644 });
    });
  if (leds !== null) await attempt('light', async () => light(leds, telling.word === 'READY TO START'));
  return mute;
}

/** The board's activity light under its names on a Raspberry Pi. */
const LIGHTS = /^(ACT|led0|PWR|led1)$/;
/** Steady: set up. Blinking evenly, twice a second: somebody must look at the screen or the card. */
async function light(folder: string, steady: boolean): Promise<void> {
  const name = (await readdir(folder)).filter((entry) => LIGHTS.test(entry)).sort()[0];
  if (name === undefined) return;
  await writeFile(join(folder, name, 'trigger'), steady ? 'default-on' : 'timer');
  if (steady) return;
  await writeFile(join(folder, name, 'delay_on'), '250');
  await writeFile(join(folder, name, 'delay_off'), '250');
}
