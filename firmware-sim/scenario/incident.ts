import { z } from 'zod';

/** Something that goes wrong with one device of a scenario, once or again and again. */
export interface Incident {
  /** Seconds after the shop has opened. */
  readonly atS: number;
  /** The device's id. */
  readonly device: string;
  readonly what: string;
  /** For what lasts: how long, seconds. */
  readonly forS?: number | undefined;
  /** For what strikes single messages: how many. */
  readonly times?: number | undefined;
  /** Again after so many seconds, counted from one beginning to the next. */
  readonly everyS?: number | undefined;
}

/** What can go wrong with a device of a type: `lasts` for a time, or strikes a number of `times`. */
export type IncidentKinds = Readonly<Record<string, 'lasts' | 'times'>>;

/** Most incidents of one scenario; a file that has more is generated and needs no YAML. */
export const INCIDENTS_MAX = 1_000;
/** A device is not pulled more often than this, seconds: it must have time to be there. */
const EVERY_MIN_S = 1;

type DeviceType = 'ble-shelf' | 'zvt-terminal' | 'barcode-scanner' | 'loyalty-reader' | 'camera-counter';

export const incidentKinds: Readonly<Record<DeviceType, IncidentKinds>> = {
  'ble-shelf': {
    /** The adapter is pulled: its hosts are hung up on. */
    unplugged: 'lasts',
    /** Scanning succeeds and nothing is heard. */
    silent: 'lasts',
    /** Commands are swallowed. */
    deaf: 'lasts',
    'scan-refused': 'times',
    'reports-truncated': 'times',
  },
  'zvt-terminal': {
    unplugged: 'lasts',
    /** It loses its registration and what was not booked, and is away until it has started again. */
    'power-lost': 'lasts',
    deaf: 'times',
    busy: 'times',
    'refuses-blocks': 'times',
    'wrong-checksum': 'times',
    'repeats-status': 'times',
    'shows-card-data': 'times',
  },
  'barcode-scanner': { unplugged: 'lasts' },
  'loyalty-reader': { unplugged: 'lasts' },
  'camera-counter': {
    stall: 'lasts',
    drop: 'lasts',
    refuse: 'lasts',
    corrupt: 'lasts',
    truncate: 'lasts',
    huge: 'lasts',
    giant: 'lasts',
    noise: 'lasts',
  },
};

export const incident: z.ZodType<Incident> = z
  .strictObject({
    atS: z.number().nonnegative(),
    device: z.string(),
    what: z.string(),
    forS: z.number().positive().optional(),
    times: z.int().positive().max(1_000).optional(),
    everyS: z.number().min(EVERY_MIN_S).optional(),
  })
  .refine(({ forS, everyS }) => forS === undefined || everyS === undefined || forS < everyS, {
    path: ['forS'],
    message: 'must be shorter than everyS',
  });

/** What is wrong with an incident on a device of this type (`undefined`: there is no such device), or `null`. */
export function incidentFault(
  of: Incident,
  type: DeviceType | undefined,
): { readonly at: keyof Incident; readonly message: string } | null {
  if (type === undefined) return { at: 'device', message: `no device is called ${of.device}` };
  const kinds = incidentKinds[type];
  const kind = Object.hasOwn(kinds, of.what) ? kinds[of.what] : undefined;
  if (kind === undefined)
    return { at: 'what', message: `a ${type} knows ${Object.keys(kinds).join(', ')}, not ${of.what}` };
  const needed = kind === 'lasts' ? 'forS' : 'times';
  const idle = kind === 'lasts' ? 'times' : 'forS';
  if (of[needed] === undefined) return { at: needed, message: `${of.what} needs ${needed}` };
  if (of[idle] !== undefined) return { at: idle, message: `${of.what} has no ${idle}` };
  return null;
}
