import type { Log } from '../../drivers/api/driver.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { Host, ServiceManager } from '../core/host.ts';
import { systemChance, systemClock } from './clock.ts';
import { machineFacts } from './machine.ts';
import { keptFiles } from './kept-files.ts';
import { kitFiles } from './read-kit.ts';
import { serviceManager } from './service.ts';
import { stateDir } from './state-dir.ts';
import { packageVersion } from './version.ts';

export interface MachineHostOptions {
  readonly configPath: string;
  readonly stateDir: string;
  readonly log: Log;
  /** The service manager that was found already: it can be asked for once in a process. */
  readonly service?: ServiceManager;
}

/**
 * The machine that the daemon runs on. Whatever is heavy (MQTT, the radio, the camera's process, HTTP) is loaded when
 * it is first needed, so that serial ports are being read within moments of the start.
 */
export async function machineHost(options: MachineHostOptions): Promise<Host> {
  const { log } = options;
  const clock = systemClock();
  const chance = systemChance();
  const files = kitFiles(options.configPath, process.env);
  const deps = { clock, log };
  let dial: Host['broker'] | null = null;
  return {
    clock,
    chance,
    log,
    version: packageVersion(),
    runtime: process.version,
    openLedger: ({ stateDir: path, maxBytes, retainAckedMs }) =>
      openLedger({ store: stateDir(path), maxBytes, retainAckedMs, clock, chance, log }),
    serial: async (port, signal) => (await import('./serial/open-serial.ts')).openSerial(port, deps, signal),
    tcp: async (peer, signal) => (await import('./tcp.ts')).openTcp(peer, deps, signal),
    radio: async (radio, signal) => (await import('./ble/open-radio.ts')).openRadio(radio, deps, signal),
    camera: async (camera, signal) => (await import('./camera/open-camera.ts')).openCamera(camera, deps, signal),
    broker: async (broker, signal) => {
      dial ??= (await import('./mqtt/dial.ts')).brokerDialer({ ...deps, secret: files.secret });
      return dial(broker, signal);
    },
    http: async (listen, handle, signal) => (await import('./http/serve.ts')).serveHttp(listen, handle, signal),
    pages: async () => (await import('./http/read-pages.ts')).readPages(),
    aim: async (source, minutes, signal) => (await import('./camera/open-aim.ts')).openAim(source, minutes, signal),
    announce: async (page) => (await import('./mdns.ts')).announcePage({ ...page, version: packageVersion() }, log),
    secret: files.secret,
    kept: keptFiles(options.stateDir),
    file: files.file,
    service: options.service ?? (await serviceManager(process.env, log)),
    machine: () => machineFacts(options.stateDir),
  };
}
