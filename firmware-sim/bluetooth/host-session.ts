import { byteReader } from '../../drivers/lib/byte-reader.ts';
import { aclLinks } from './acl-links.ts';
import { answerCommand } from './commands.ts';
import { duplicateFilter } from './duplicate-filter.ts';
import type { CommandContext, ControllerCore, ScanState } from './controller-state.ts';
import { COMMAND_COMPLETE, COMMAND_STATUS, CONNECTION_TIMEOUT, H4_ACL, H4_COMMAND, H4_EVENT } from './hci-protocol.ts';
import type { AdvertisingKind, AdvertisingPayload, Peripheral } from './peripheral.ts';
import { extendedReports, isLegacy, legacyReport, type Heard } from './reports.ts';

/** One host at the other end of the wire. */
export interface HostSession {
  /** One whole H4 packet from the host. */
  receive(packet: Uint8Array): void;
  /** A peripheral was on the air: reports it if the host scans, connects if the host waits for it. */
  hear(heard: Heard, kind: AdvertisingKind, payload: AdvertisingPayload, peripheral: Peripheral | undefined): void;
  isConnected(peripheral: Peripheral): boolean;
  push(peripheral: Peripheral, characteristic: string, value: Uint8Array): boolean;
  dropLinks(): void;
  replay(packet: Uint8Array): void;
  /** The host is gone: its scan ends, its links close. */
  detach(): void;
}

const idleScan = (): ScanState => ({ enabled: false, extended: false, active: false, filterDuplicates: true, duty: 1 });
const TRUNCATED_BYTES = 3;
const EXTENDED_SID = 1;

export function attachHost(core: ControllerCore, send: (packet: Uint8Array) => void, gone: () => void): HostSession {
  const scan = idleScan();
  const duplicates = duplicateFilter();
  let attached = true;

  const out = (packet: Uint8Array): void => {
    if (attached) send(packet);
  };
  const event = (code: number, parameters: readonly number[]): void =>
    out(Uint8Array.from([H4_EVENT, code, parameters.length, ...parameters]));
  const links = aclLinks({ clock: core.clock, send: out, event });
  const reset = (): void => {
    Object.assign(scan, idleScan());
    duplicates.clear();
    links.closeAll(undefined);
  };
  const context: CommandContext = {
    core,
    scan,
    links,
    event,
    reset,
    clearDuplicates: () => duplicates.clear(),
    complete: (opcode, ...parameters) => event(COMMAND_COMPLETE, [1, opcode & 0xff, opcode >> 8, ...parameters]),
    status: (opcode, status) => event(COMMAND_STATUS, [status, 1, opcode & 0xff, opcode >> 8]),
  };

  const report = (packet: Uint8Array): void => {
    core.counters.reports += 1;
    if (core.faults.truncateReports > 0) {
      core.faults.truncateReports -= 1;
      const cut = packet.slice(0, -TRUNCATED_BYTES);
      cut[2] = Math.max(0, (cut[2] ?? 0) - TRUNCATED_BYTES);
      out(cut);
      return;
    }
    out(packet);
  };

  const reportPdu = (heard: Heard, kind: AdvertisingKind, data: Uint8Array, scanResponse: boolean): void => {
    const pdu = scanResponse ? 'scan-response' : kind;
    if (scan.filterDuplicates && duplicates.seen(heard.address, pdu)) return;
    if (!scan.extended) {
      if (isLegacy(kind)) report(legacyReport(heard, scanResponse ? 'scan-response' : kind, data));
      return;
    }
    const options = { kind, scanResponse, advertisingSid: EXTENDED_SID, fragmentBytes: core.fragmentBytes };
    for (const packet of extendedReports(heard, data, options)) report(packet);
  };

  return {
    receive: (packet) => {
      core.counters.commands += 1;
      if (core.faults.deaf) return;
      // A controller never answers within the call that asked: the host would see the reply before its own request.
      void later(core, () => {
        if (!attached) return;
        if (packet[0] === H4_ACL) links.receive(packet);
        if (packet[0] !== H4_COMMAND) return;
        const reader = byteReader(packet, 1);
        const opcode = reader.u16le() ?? 0;
        answerCommand(context, opcode, packet.subarray(4));
      });
    },
    hear: (heard, kind, payload, peripheral) => {
      const connectable = kind === 'connectable' || kind === 'extended-connectable';
      if (peripheral !== undefined && connectable && links.accept(heard, peripheral)) return;
      if (!scan.enabled || core.faults.silent !== 'no') return;
      if (!isLegacy(kind) && !scan.extended) return;
      if (core.chance.float() >= scan.duty) return;
      reportPdu(heard, kind, payload.data, false);
      const scannable = kind === 'connectable' || kind === 'scannable';
      if (scan.active && scannable && payload.scanResponse !== undefined)
        reportPdu(heard, kind, payload.scanResponse, true);
    },
    isConnected: (peripheral) => links.isConnected(peripheral),
    push: (peripheral, characteristic, value) => links.push(peripheral, characteristic, value),
    dropLinks: () => links.closeAll(CONNECTION_TIMEOUT),
    replay: (packet) => report(packet),
    detach: () => {
      attached = false;
      reset();
      gone();
    },
  };
}

async function later(core: ControllerCore, run: () => void): Promise<void> {
  if (core.faults.delayMs > 0) await core.clock.sleep(core.faults.delayMs, new AbortController().signal);
  else await Promise.resolve();
  run();
}
