import type { MonoMs } from '../api/clock.ts';
import type { JsonObject } from '../api/reading.ts';
import { duplicateWindow } from '../lib/duplicate-window.ts';
import { lineSplitter } from '../lib/line-splitter.ts';
import { decodeScan, type ScanResult } from './decode.ts';
import { CR, ETX, LF, MAX_SCAN_BYTES, STX } from './protocol.ts';

/** A scanner sends a scan in one go, so a half line with a pause this long behind it lost its end. */
const STALE_MS = 500;

/** No trigger and no presentation mode reads three codes within one read of the port: this is a memory being emptied. */
const BATCH_LINES = 3;

/** A batch is over when nothing came for this long. */
const BATCH_QUIET_MS = 50;

/** From chunks of bytes to scans: lines, batches and the double-scan window. */
export interface ScanReader {
  push(heard: { readonly bytes: Uint8Array; readonly gap: boolean; readonly atMono: MonoMs }): readonly ScanResult[];
  reset(): void;
  /** What was left out, for the log. */
  counts(): JsonObject;
}

export function scanReader(options: { readonly doubleScanMs: number }): ScanReader {
  const lines = lineSplitter({ terminators: [STX, ETX, CR, LF], maxBytes: MAX_SCAN_BYTES, staleMs: STALE_MS });
  const window = duplicateWindow({ windowMs: options.doubleScanMs, remembered: 1 });
  let batch = false;
  let lastMono = Number.NEGATIVE_INFINITY;
  return {
    push({ bytes, gap, atMono }) {
      if (gap) lines.gap();
      if (atMono - lastMono > BATCH_QUIET_MS) batch = false;
      lastMono = atMono;
      const complete = lines.push(bytes, atMono);
      if (complete.length >= BATCH_LINES) batch = true;
      const results: ScanResult[] = [];
      for (const line of complete) {
        const duplicate = window.isDuplicate(lineKey(line), atMono);
        if (batch || !duplicate) results.push(decodeScan(line));
      }
      return results;
    },
    reset() {
      lines.reset();
      window.clear();
      batch = false;
    },
    counts: () => ({ droppedLines: lines.droppedLines, doubleScans: window.droppedCount }),
  };
}

/** Lines are compared byte by byte, before any decoding could make two of them alike. */
function lineKey(line: Uint8Array): string {
  return String.fromCharCode(...line);
}
