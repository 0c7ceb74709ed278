import { byteReader } from '../../drivers/lib/byte-reader.ts';
import type { CommandContext } from './controller-state.ts';
import * as hci from './hci-protocol.ts';
import { addressBytes, addressText } from './peripheral.ts';

const ACL_DATA_BYTES = 27;
const ACL_PACKETS = 8;
const HCI_VERSION_5_2 = 0x0b;
/** Bluetooth SIG's own company number for tests and simulations is "none assigned". */
const MANUFACTURER_NONE = 0xffff;
/** LMP features, octet 4: "BR/EDR Not Supported" is bit 5, "LE Supported (Controller)" bit 6 (Vol 2, Part C, §3.3). */
const LE_WITHOUT_BR_EDR = 0x60;
/** LE supported states: passive and active scanning, initiating (§7.8.27). */
const SCANNING_AND_INITIATING = 0x70;
const ADVERTISING_SETS = 1;
const MAX_TX_OCTETS = 27;
const MAX_TX_TIME_US = 328;

const u16 = (value: number): [number, number] => [value & 0xff, value >> 8];

/** Answers one HCI command, or "unknown command" for those outside this controller's table. */
export function answerCommand(context: CommandContext, opcode: number, parameters: Uint8Array): void {
  const { core, links, complete, status } = context;
  switch (opcode) {
    case hci.RESET:
      context.reset();
      if (core.faults.silent === 'until-reset') core.faults.silent = 'no';
      return complete(opcode, hci.SUCCESS);
    case hci.SET_EVENT_MASK:
    case hci.LE_SET_EVENT_MASK:
    case hci.WRITE_LE_HOST_SUPPORT:
    case hci.LE_SET_DEFAULT_PHY:
    case hci.LE_SET_RANDOM_ADDRESS:
      return complete(opcode, hci.SUCCESS);
    case hci.READ_LE_HOST_SUPPORT:
      return complete(opcode, hci.SUCCESS, 1, 0);
    case hci.READ_LOCAL_VERSION:
      return complete(opcode, hci.SUCCESS, HCI_VERSION_5_2, 0, 0, HCI_VERSION_5_2, ...u16(MANUFACTURER_NONE), 0, 0);
    case hci.READ_LOCAL_SUPPORTED_COMMANDS:
      return complete(opcode, hci.SUCCESS, ...supportedCommands(core.extended));
    case hci.READ_LOCAL_FEATURES:
      return complete(opcode, hci.SUCCESS, 0, 0, 0, 0, LE_WITHOUT_BR_EDR, 0, 0, 0);
    case hci.READ_BUFFER_SIZE:
      return complete(opcode, hci.SUCCESS, ...u16(ACL_DATA_BYTES), 0, ...u16(ACL_PACKETS), 0, 0);
    case hci.READ_BD_ADDR:
      return complete(opcode, hci.SUCCESS, ...addressBytes(core.address));
    case hci.LE_READ_BUFFER_SIZE:
      return complete(opcode, hci.SUCCESS, ...u16(ACL_DATA_BYTES), ACL_PACKETS);
    case hci.LE_READ_LOCAL_FEATURES:
      return complete(opcode, hci.SUCCESS, ...localFeatures(core.extended));
    case hci.LE_READ_SUPPORTED_STATES:
      return complete(opcode, hci.SUCCESS, SCANNING_AND_INITIATING, 0, 0, 0, 0, 0, 0, 0);
    case hci.LE_READ_MAXIMUM_DATA_LENGTH:
      return complete(
        opcode,
        hci.SUCCESS,
        ...u16(MAX_TX_OCTETS),
        ...u16(MAX_TX_TIME_US),
        ...u16(MAX_TX_OCTETS),
        ...u16(MAX_TX_TIME_US),
      );
    case hci.LE_READ_NUMBER_OF_ADVERTISING_SETS:
      return complete(opcode, ...(core.extended ? [hci.SUCCESS, ADVERTISING_SETS] : [hci.UNKNOWN_COMMAND]));
    case hci.LE_SET_DATA_LENGTH:
      return complete(opcode, hci.SUCCESS, ...parameters.subarray(0, 2));
    case hci.LE_SET_SCAN_PARAMETERS:
    case hci.LE_SET_EXTENDED_SCAN_PARAMETERS:
      return setScanParameters(context, opcode, parameters);
    case hci.LE_SET_SCAN_ENABLE:
    case hci.LE_SET_EXTENDED_SCAN_ENABLE:
      return setScanEnable(context, opcode, parameters);
    case hci.LE_CREATE_CONNECTION:
      return create(context, opcode, parameters.subarray(5));
    case hci.LE_EXTENDED_CREATE_CONNECTION:
      return create(context, opcode, parameters.subarray(2));
    case hci.LE_CREATE_CONNECTION_CANCEL:
      return complete(opcode, links.cancel() ? hci.SUCCESS : hci.COMMAND_DISALLOWED);
    case hci.LE_CONNECTION_UPDATE:
      status(opcode, hci.SUCCESS);
      return context.event(hci.LE_META, [
        hci.LE_CONNECTION_UPDATE_COMPLETE,
        hci.SUCCESS,
        ...parameters.subarray(0, 2),
        ...parameters.subarray(4, 10),
      ]);
    case hci.READ_RSSI: {
      const rssi = links.rssiDbm(byteReader(parameters).u16le() ?? 0);
      const known = rssi === undefined ? hci.UNKNOWN_CONNECTION : hci.SUCCESS;
      return complete(opcode, known, ...parameters.subarray(0, 2), (rssi ?? 127) & 0xff);
    }
    case hci.DISCONNECT: {
      const handle = byteReader(parameters).u16le() ?? 0;
      if (!links.has(handle)) return status(opcode, hci.UNKNOWN_CONNECTION);
      status(opcode, hci.SUCCESS);
      return links.close(handle, hci.LOCAL_HOST_TERMINATED);
    }
    default:
      return complete(opcode, hci.UNKNOWN_COMMAND);
  }
}

function setScanParameters(context: CommandContext, opcode: number, parameters: Uint8Array): void {
  const { core, scan, complete } = context;
  if (scan.enabled) return complete(opcode, hci.COMMAND_DISALLOWED);
  const extended = opcode === hci.LE_SET_EXTENDED_SCAN_PARAMETERS;
  if (extended && !core.extended) return complete(opcode, hci.UNKNOWN_COMMAND);
  const reader = byteReader(parameters, extended ? 3 : 0);
  scan.active = reader.u8() === 1;
  const interval = reader.u16le() ?? 1;
  const window = reader.u16le() ?? 1;
  scan.duty = interval === 0 ? 1 : Math.min(1, window / interval);
  scan.extended = extended;
  complete(opcode, hci.SUCCESS);
}

function setScanEnable(context: CommandContext, opcode: number, parameters: Uint8Array): void {
  const { core, scan, complete } = context;
  const enable = parameters[0] === 1;
  if (opcode === hci.LE_SET_EXTENDED_SCAN_ENABLE && !core.extended) return complete(opcode, hci.UNKNOWN_COMMAND);
  if (enable && core.faults.refuseScanEnables > 0) {
    core.faults.refuseScanEnables -= 1;
    return complete(opcode, hci.COMMAND_DISALLOWED);
  }
  if (!enable && !scan.enabled && core.faults.strictDisable) return complete(opcode, hci.COMMAND_DISALLOWED);
  if (enable) {
    if (core.faults.silent === 'until-scan-enable') core.faults.silent = 'no';
    scan.filterDuplicates = parameters[1] === 1;
    scan.extended = opcode === hci.LE_SET_EXTENDED_SCAN_ENABLE;
    context.clearDuplicates();
  }
  scan.enabled = enable;
  complete(opcode, hci.SUCCESS);
}

function create(context: CommandContext, opcode: number, peer: Uint8Array): void {
  const address = addressText(peer.subarray(1, 7));
  if (!context.links.expect(address)) return context.status(opcode, hci.COMMAND_DISALLOWED);
  context.status(opcode, hci.SUCCESS);
}

function localFeatures(extended: boolean): Uint8Array {
  const features = new Uint8Array(8);
  if (extended) features[hci.FEATURE_EXTENDED_ADVERTISING_BYTE] = hci.FEATURE_EXTENDED_ADVERTISING_BIT;
  return features;
}

/** Octet 37 carries LE Set Extended Scan Parameters and Enable (Vol 4, Part E, §6.27). */
function supportedCommands(extended: boolean): Uint8Array {
  const commands = new Uint8Array(64);
  if (extended) commands[37] = 0x60;
  return commands;
}
