import type { ErrorEntry } from '../../../drivers/api/agent-error.ts';
import type { DriverState } from '../../../drivers/api/reading.ts';
import type { Host } from '../../core/host.ts';
import type { AgentStatus } from '../../core/status.ts';
import type { DriverEntry, KitConfig } from '../../config/read-config.ts';
import { listPorts, type PortInfo } from '../../host/serial/list-ports.ts';
import { within } from '../../host/within.ts';
import { childLog } from '../../log-ring.ts';
import type { PaymentJournal } from '../../../drivers/api/payment.ts';
import { doctorErrors, failed, finding, ok, type Finding } from './finding.ts';

/** A device has this long to show that it is there: a radio hears its first advert, a camera shows its first frame. */
const READY_MS = 12_000;

/**
 * What a running agent says of its devices: it holds their ports, so it is asked instead of them. What keeps the kit
 * from being ready is a failure here too.
 */
export function reportedDevices(
  status: Pick<AgentStatus, 'drivers'>,
  words: (code: string) => ErrorEntry | undefined,
): readonly Finding[] {
  const tell = (check: string, state: DriverState, code: string | null, detail: string): Finding => {
    const entry = (code === null ? undefined : words(code)) ?? doctorErrors['driver-not-ready'];
    return {
      check,
      state: state === 'starting' ? 'warn' : 'fail',
      code: code ?? 'driver-not-ready',
      sentence: detail.startsWith(entry.sentence) ? detail : `${entry.sentence}: ${detail}`,
      next: entry.hint,
    };
  };
  return status.drivers.flatMap(({ id, type, state, code, detail, parts }): readonly Finding[] => {
    const check = `driver ${id}`;
    const silent = parts.flatMap((part): readonly Finding[] =>
      part.state === 'ready' || part.state === 'starting'
        ? []
        : [tell(`${check}/${part.part}`, part.state, part.code, `${part.part} is ${part.state}`)],
    );
    const whole =
      state === 'ready' ? ok(check, `${type} is ready`) : tell(check, state, code, detail ?? `${type} is ${state}`);
    return [whole, ...silent];
  });
}

/** Opens each device for a moment: nothing is stored, nothing is charged. All at once, as a dead one takes its time. */
export async function tryDevices(config: KitConfig, host: Host, signal: AbortSignal): Promise<readonly Finding[]> {
  return Promise.all(config.drivers.map((entry) => tryDevice(entry, config, host, signal)));
}

async function tryDevice(entry: DriverEntry, config: KitConfig, host: Host, signal: AbortSignal): Promise<Finding> {
  const check = `driver ${entry.id}`;
  let last: Finding | null = null;
  const look = async (limit: AbortSignal): Promise<Finding | null> => {
    const session = await entry.driver.open(entry.config, ioFor(entry.id, config, host), limit);
    try {
      for await (const reading of session.readings(limit)) {
        if (reading.kind === 'event') return ok(check, `${entry.type} delivers (${reading.type})`);
        if (reading.kind !== 'state' || reading.part !== undefined) continue;
        if (reading.state === 'ready') return ok(check, `${entry.type} is ready`);
        if (reading.code !== null) last = stateFinding(check, entry, reading.code, reading.detail);
        if (reading.state === 'failed') return last;
      }
      return last;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  };
  // Every driver says when it is ready; a card terminal on a port that opens and never answers does not.
  const quiet = finding(check, 'fail', 'driver-not-ready', `${entry.type} said nothing for ${READY_MS / 1_000} s`);
  return within(READY_MS, signal, async (limit) => {
    try {
      return (await look(limit)) ?? quiet;
    } catch (error) {
      if (limit.aborted) return last ?? quiet;
      return failed(check, error);
    }
  });
}

function stateFinding(check: string, { driver }: DriverEntry, code: string, detail: string | undefined): Finding {
  const entry = driver.errors[code];
  return { check, state: 'fail', code, sentence: detail ?? entry?.sentence ?? code, next: entry?.hint ?? null };
}

function ioFor(driverId: string, { kit }: KitConfig, host: Host): Parameters<DriverEntry['driver']['open']>[1] {
  const { clock, chance, serial, tcp, radio, camera, secret } = host;
  return {
    driverId,
    kit,
    clock,
    chance,
    log: childLog(host.log, { driver: driverId }),
    serial,
    tcp,
    radio,
    camera,
    secret,
    saved: () => undefined,
    payments: idleJournal,
  };
}

/** No payment is under way in a check, and none is begun. */
const idleJournal: PaymentJournal = {
  record: () => undefined,
  conclude: () => undefined,
  finish: () => undefined,
  open: () => [],
  remember: () => undefined,
  recall: () => undefined,
};

/** Which port is which, and whether kit.yaml calls them by names that stay. */
export async function portChecks(config: KitConfig): Promise<readonly Finding[]> {
  const ports = await listPorts();
  const seen = ports.map((port): Finding =>
    ok(`port ${port.path}`, `${describe(port)}; stable name ${port.stableName}`),
  );
  const unstable = config.drivers.flatMap(({ id, config: options }): readonly Finding[] => {
    const path = portOf(options);
    if (path === null || !/^\/dev\/tty(USB|ACM)\d+$/.test(path)) return [];
    const port = ports.find((candidate) => candidate.path === path);
    return [
      finding(
        `port of ${id}`,
        'warn',
        'port-unstable',
        path,
        port === undefined ? undefined : `Write port: ${port.stableName}`,
      ),
    ];
  });
  return [...seen, ...unstable];
}

function describe({ usb }: PortInfo): string {
  return usb === null
    ? 'a port of the board'
    : `USB ${usb.vendor}:${usb.product}${usb.serial === null ? ' without a serial number' : ` serial ${usb.serial}`}`;
}

function portOf(options: unknown): string | null {
  const port =
    typeof options === 'object' && options !== null ? (options as { readonly port?: unknown }).port : undefined;
  return typeof port === 'string' ? port : null;
}
