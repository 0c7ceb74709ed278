import { z } from 'zod';
import type { Driver, DriverIo, DriverSession, Emission } from '../api/driver.ts';
import type { FormatDecoder } from '../api/format.ts';
import type { JsonObject, Reading } from '../api/reading.ts';
import { linkErrors } from '../lib/link-errors.ts';
import { hear, reopenSerial, type HeardSignal, type Reopening } from '../lib/reopening-link.ts';
import { serialOptions, serialPort, type SerialPortConfig } from '../lib/serial-config.ts';
import { decodeScan, type Scan } from './decode.ts';
import { scanReader, type ScanReader } from './scan-reader.ts';

export interface BarcodeScannerConfig extends SerialPortConfig {
  /**
   * Two equal scans in a row less than this apart (ms, counted from the last one seen) are one: a scanner held over a
   * code reads it again and again. Two equal items scan alike too, but nobody presents the second within 300 ms.
   * Three or more scans that come in one piece are a scanner emptying its memory: then each counts.
   * 0 counts every scan.
   */
  readonly doubleScanMs: number;
}

const config: z.ZodType<BarcodeScannerConfig> = z.strictObject({
  ...serialPort(9_600),
  doubleScanMs: z.int().min(0).max(5_000).default(300),
});

const scanEmission: Emission = {
  type: 'barrow.scan.v1',
  stream: 'scan',
  data: z.strictObject({
    readerId: z.string(),
    symbology: z.string(),
    gtin14: z.exactOptional(z.string().regex(/^\d{14}$/)),
    elements: z.array(z.strictObject({ ai: z.string(), value: z.string() })),
    text: z.exactOptional(z.string()),
  }),
};

const errors = {
  ...linkErrors,
  'scan-refused': {
    sentence: 'Several scans in a row broke the rules of their own symbology',
    hint: 'Clean the scanner window, check the labels; barrow decode barcode says what is wrong with one',
  },
} as const;

/** So many refused scans in a row are a fault of the scanner or its set-up, not of one label. */
const REFUSED_IN_A_ROW = 3;

function scanData(readerId: string, scan: Scan): JsonObject {
  return {
    readerId,
    symbology: scan.symbology,
    ...(scan.gtin14 === undefined ? {} : { gtin14: scan.gtin14 }),
    elements: scan.elements.map(({ ai, value }) => ({ ai, value })),
    ...(scan.text === undefined ? {} : { text: scan.text }),
  };
}

function session(settings: BarcodeScannerConfig, io: DriverIo): DriverSession {
  const closed = new AbortController();
  const port = reopenSerial(io, serialOptions(settings));
  return {
    tellsState: true,
    readings: (signal) => readings(settings, io, port, AbortSignal.any([signal, closed.signal])),
    [Symbol.asyncDispose]: async () => {
      closed.abort();
      await port.close();
    },
  };
}

async function* readings(
  settings: BarcodeScannerConfig,
  io: DriverIo,
  port: Reopening,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const reader = scanReader({ doubleScanMs: settings.doubleScanMs });
  const faults = { inARow: 0, degraded: false };
  for await (const heard of hear(port, signal)) {
    if (heard.kind === 'bytes') yield* scans(reader, heard, io, faults);
    else if (heard.kind !== 'quiet') {
      reader.reset();
      faults.inARow = 0;
      faults.degraded = false;
      if (heard.kind === 'up') yield { kind: 'state', state: 'ready', code: null };
      else yield { kind: 'state', state: 'failed', code: heard.code, detail: heard.detail };
    }
  }
}

function* scans(
  reader: ScanReader,
  heard: HeardSignal & { readonly kind: 'bytes' },
  io: DriverIo,
  faults: { inARow: number; degraded: boolean },
): Generator<Reading, void, undefined> {
  for (const result of reader.push(heard)) {
    if (!result.ok) {
      faults.inARow += 1;
      io.log.warn('scan-refused', { code: result.code, ...reader.counts() });
      if (faults.inARow === REFUSED_IN_A_ROW) {
        faults.degraded = true;
        yield { kind: 'state', state: 'degraded', code: 'scan-refused', detail: result.code };
      }
      continue;
    }
    faults.inARow = 0;
    if (faults.degraded) {
      faults.degraded = false;
      yield { kind: 'state', state: 'ready', code: null };
    }
    yield { kind: 'event', type: scanEmission.type, atMono: heard.atMono, data: scanData(io.driverId, result.scan) };
  }
}

const barcode: FormatDecoder = (bytes) => {
  const result = decodeScan(bytes);
  if (!result.ok) return { ok: false, error: { code: result.code, message: SCAN_FAULTS[result.code] } };
  return { ok: true, measurements: [], ...result.scan };
};

const SCAN_FAULTS = {
  empty: 'There is no data in this scan',
  'too-long': 'This is longer than any symbol can hold',
  'unknown-symbology': 'This symbology identifier is not known',
  'unknown-identifier': 'An element string begins with no application identifier',
  'bad-length': 'The data has another length than its identifier demands',
  'bad-character': 'The data holds a character that its identifier does not allow',
  'bad-check-digit': 'The check digit is wrong',
  'trailing-data': 'Something follows that is no composite component',
  'too-many-elements': 'There are more element strings than a symbol can hold',
} as const;

/** Barcode scanners on a serial or virtual COM port that send AIM symbology identifiers, FNC1 as GS and end with CR. */
export const driver: Driver<BarcodeScannerConfig> = {
  type: 'barcode-scanner',
  emits: [scanEmission],
  errors,
  config,
  example: { port: '/dev/serial/by-id/usb-Honeywell_1472g_20261127-if00' },
  open: async (settings, io) => session(settings, io),
  formats: { barcode },
};
