import type { Clock } from '../../drivers/api/clock.ts';
import { byteReader } from '../../drivers/lib/byte-reader.ts';
import { attServer, type AttServer } from './gatt-server.ts';
import * as hci from './hci-protocol.ts';
import { addressBytes, type Peripheral } from './peripheral.ts';
import type { Heard } from './reports.ts';

const FIRST_HANDLE = 0x0040;
const ACL_DATA_BYTES = 27;
const PB_FIRST_TO_HOST = 2;
const PB_CONTINUATION = 1;
const L2CAP_HEADER_BYTES = 4;
/** L2CAP packets longer than this are dropped: no ATT packet reaches it. */
const L2CAP_BYTES = 1024;
const SMP_PAIRING_FAILED = 0x05;
const SMP_NOT_SUPPORTED = 0x05;
const CONNECTION_INTERVAL = 24;
const SUPERVISION_TIMEOUT = 42;

interface Link {
  readonly handle: number;
  readonly peripheral: Peripheral;
  readonly att: AttServer;
  pending: Uint8Array;
}

/** The connections of one host, with L2CAP and the peripherals' attribute servers behind them. */
export interface AclLinks {
  /** Waits for the next connectable advertising of `address`; false while another connection is being made. */
  expect(address: string): boolean;
  /** Ends the waiting with a failed Connection Complete. */
  cancel(): boolean;
  /** Connects if this is the awaited one. */
  accept(heard: Heard, peripheral: Peripheral): boolean;
  receive(packet: Uint8Array): void;
  push(peripheral: Peripheral, characteristic: string, value: Uint8Array): boolean;
  isConnected(peripheral: Peripheral): boolean;
  has(handle: number): boolean;
  rssiDbm(handle: number): number | undefined;
  close(handle: number, reason: number): void;
  /** Closes all; with a reason the host is told. */
  closeAll(reason: number | undefined): void;
}

export interface AclWire {
  readonly clock: Clock;
  send(packet: Uint8Array): void;
  event(code: number, parameters: readonly number[]): void;
}

const u16 = (value: number): [number, number] => [value & 0xff, value >> 8];

export function aclLinks(wire: AclWire): AclLinks {
  const links = new Map<number, Link>();
  let awaited: string | undefined;
  let nextHandle = FIRST_HANDLE;

  const connectionComplete = (status: number, handle: number, random: boolean, address: string): void =>
    wire.event(hci.LE_META, [
      hci.LE_CONNECTION_COMPLETE,
      status,
      ...u16(handle),
      0,
      random ? 1 : 0,
      ...addressBytes(address),
      ...u16(CONNECTION_INTERVAL),
      0,
      0,
      ...u16(SUPERVISION_TIMEOUT),
      0,
    ]);

  const sendL2cap = (link: Link, cid: number, payload: Uint8Array): void => {
    const whole = Uint8Array.of(...u16(payload.length), ...u16(cid), ...payload);
    for (let offset = 0; offset < whole.length; offset += ACL_DATA_BYTES) {
      const part = whole.subarray(offset, offset + ACL_DATA_BYTES);
      const boundary = offset === 0 ? PB_FIRST_TO_HOST : PB_CONTINUATION;
      wire.send(Uint8Array.of(hci.H4_ACL, ...u16(link.handle | (boundary << 12)), ...u16(part.length), ...part));
    }
  };

  const close = (handle: number, reason: number): void => {
    if (!links.delete(handle)) return;
    wire.event(hci.DISCONNECTION_COMPLETE, [hci.SUCCESS, ...u16(handle), reason]);
  };

  const onL2cap = (link: Link, cid: number, payload: Uint8Array): void => {
    if (cid === hci.CID_ATT) {
      const answer = link.att.answer(payload);
      if (answer !== undefined) sendL2cap(link, hci.CID_ATT, answer);
    } else if (cid === hci.CID_SMP) sendL2cap(link, hci.CID_SMP, Uint8Array.of(SMP_PAIRING_FAILED, SMP_NOT_SUPPORTED));
  };

  const linkOf = (peripheral: Peripheral): Link | undefined =>
    [...links.values()].find((link) => link.peripheral === peripheral);

  return {
    expect: (address) => {
      if (awaited !== undefined) return false;
      awaited = address;
      return true;
    },
    cancel: () => {
      if (awaited === undefined) return false;
      const address = awaited;
      awaited = undefined;
      void Promise.resolve().then(() => connectionComplete(hci.UNKNOWN_CONNECTION, 0, false, address));
      return true;
    },
    accept: (heard, peripheral) => {
      if (awaited !== heard.address || peripheral.services === undefined) return false;
      awaited = undefined;
      const handle = nextHandle;
      nextHandle = nextHandle >= 0x0eff ? FIRST_HANDLE : nextHandle + 1;
      links.set(handle, { handle, peripheral, att: attServer(peripheral.services), pending: new Uint8Array() });
      connectionComplete(hci.SUCCESS, handle, heard.addressType === 'random', heard.address);
      return true;
    },
    receive: (packet) => {
      const reader = byteReader(packet, 1);
      const field = reader.u16le() ?? 0;
      const length = reader.u16le() ?? 0;
      const data = reader.bytes(length) ?? new Uint8Array();
      const link = links.get(field & 0x0fff);
      if (link === undefined) return;
      const continues = ((field >> 12) & 3) === PB_CONTINUATION;
      const joined = continues ? Uint8Array.of(...link.pending, ...data) : Uint8Array.from(data);
      link.pending = joined.length > L2CAP_BYTES ? new Uint8Array() : joined;
      wire.event(hci.NUMBER_OF_COMPLETED_PACKETS, [1, ...u16(link.handle), ...u16(1)]);
      const head = byteReader(link.pending);
      const size = head.u16le();
      const cid = head.u16le();
      if (size === undefined || cid === undefined || link.pending.length < L2CAP_HEADER_BYTES + size) return;
      const payload = link.pending.slice(L2CAP_HEADER_BYTES, L2CAP_HEADER_BYTES + size);
      link.pending = new Uint8Array();
      onL2cap(link, cid, payload);
    },
    push: (peripheral, characteristic, value) => {
      const link = linkOf(peripheral);
      const pdu = link?.att.push(characteristic, value);
      if (link === undefined || pdu === undefined) return false;
      sendL2cap(link, hci.CID_ATT, pdu);
      return true;
    },
    isConnected: (peripheral) => linkOf(peripheral) !== undefined,
    has: (handle) => links.has(handle),
    rssiDbm: (handle) => links.get(handle)?.peripheral.rssiDbm,
    close,
    closeAll: (reason) => {
      awaited = undefined;
      if (reason === undefined) links.clear();
      else for (const handle of links.keys()) close(handle, reason);
    },
  };
}
