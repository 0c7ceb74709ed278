/** One characteristic of a simulated device. */
export interface GattCharacteristic {
  /** Four hex digits or 32. */
  readonly uuid: string;
  readonly properties: readonly ('read' | 'write' | 'write-without-response' | 'notify' | 'indicate')[];
  value(): Uint8Array;
  onWrite?(bytes: Uint8Array): void;
  /** An ATT error code answered to every read, e.g. 0x05 insufficient authentication. */
  readonly readError?: number;
  readonly writeError?: number;
}

export interface GattService {
  readonly uuid: string;
  readonly characteristics: readonly GattCharacteristic[];
}

/** The server side of one connection's attribute protocol. */
export interface AttServer {
  /** Answers one ATT request; `undefined` where the protocol wants no answer. */
  answer(request: Uint8Array): Uint8Array | undefined;
  /** A notification or indication if the client subscribed to that characteristic, else `undefined`. */
  push(uuid: string, value: Uint8Array): Uint8Array | undefined;
}

const ERROR_RESPONSE = 0x01;
const MTU_REQUEST = 0x02;
const FIND_INFORMATION_REQUEST = 0x04;
const READ_BY_TYPE_REQUEST = 0x08;
const READ_REQUEST = 0x0a;
const READ_BLOB_REQUEST = 0x0c;
const READ_BY_GROUP_TYPE_REQUEST = 0x10;
const WRITE_REQUEST = 0x12;
const PREPARE_WRITE_REQUEST = 0x16;
const EXECUTE_WRITE_REQUEST = 0x18;
const NOTIFICATION = 0x1b;
const INDICATION = 0x1d;
const CONFIRMATION = 0x1e;
const WRITE_COMMAND = 0x52;

const INVALID_HANDLE = 0x01;
const READ_NOT_PERMITTED = 0x02;
const WRITE_NOT_PERMITTED = 0x03;
const REQUEST_NOT_SUPPORTED = 0x06;
const INVALID_OFFSET = 0x07;
const PREPARE_QUEUE_FULL = 0x09;
const ATTRIBUTE_NOT_FOUND = 0x0a;
const UNSUPPORTED_GROUP_TYPE = 0x10;

const PRIMARY_SERVICE = 0x2800;
const CHARACTERISTIC = 0x2803;
const CLIENT_CONFIGURATION = 0x2902;

const DEFAULT_MTU = 23;
const SERVER_MTU = 247;
const PREPARE_QUEUE_BYTES = 1024;

const propertyBits = { read: 0x02, 'write-without-response': 0x04, write: 0x08, notify: 0x10, indicate: 0x20 } as const;

interface Attribute {
  readonly handle: number;
  readonly type: number | 'value' | 'configuration';
  readonly uuid: Uint8Array;
  readonly characteristic?: GattCharacteristic;
  readonly value: () => Uint8Array;
  endGroup: number;
}

const uuidBytes = (uuid: string): Uint8Array => Uint8Array.from(Buffer.from(uuid, 'hex')).reverse();
const u16 = (value: number): [number, number] => [value & 0xff, value >> 8];

/**
 * Lays the services out as attributes. The last service's group ends at 0xFFFF, as most stacks have it.
 * Client configuration starts cleared: a server is made anew for each connection.
 *
 * @see Bluetooth Core Specification 5.4, Vol 3, Part F (ATT) and Part G (GATT)
 */
export function attServer(services: readonly GattService[]): AttServer {
  const attributes = layOut(services);
  const configuration = new Map<Attribute, number>();
  const prepared: { handle: number; offset: number; bytes: Uint8Array }[] = [];
  let mtu = DEFAULT_MTU;

  const error = (opcode: number, handle: number, code: number): Uint8Array =>
    Uint8Array.of(ERROR_RESPONSE, opcode, ...u16(handle), code);
  const at = (handle: number): Attribute | undefined => attributes[handle - 1];
  const within = (start: number, end: number): Attribute[] =>
    attributes.filter((attribute) => attribute.handle >= start && attribute.handle <= end);
  const valueOf = (attribute: Attribute): Uint8Array =>
    attribute.type === 'configuration' ? Uint8Array.from(u16(configuration.get(attribute) ?? 0)) : attribute.value();

  const read = (opcode: number, handle: number, offset: number): Uint8Array => {
    const attribute = at(handle);
    if (attribute === undefined) return error(opcode, handle, INVALID_HANDLE);
    if (attribute.characteristic?.readError !== undefined && attribute.type === 'value')
      return error(opcode, handle, attribute.characteristic.readError);
    if (attribute.type === 'value' && attribute.characteristic?.properties.includes('read') === false)
      return error(opcode, handle, READ_NOT_PERMITTED);
    const value = valueOf(attribute);
    if (offset > value.length) return error(opcode, handle, INVALID_OFFSET);
    return Uint8Array.of(opcode + 1, ...value.subarray(offset, offset + mtu - 1));
  };

  const write = (handle: number, bytes: Uint8Array): number | undefined => {
    const attribute = at(handle);
    if (attribute === undefined) return INVALID_HANDLE;
    if (attribute.type === 'configuration') {
      configuration.set(attribute, (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8));
      return undefined;
    }
    const characteristic = attribute.characteristic;
    const writable = characteristic?.properties.some((property) => property.startsWith('write')) === true;
    if (attribute.type !== 'value' || !writable) return WRITE_NOT_PERMITTED;
    if (characteristic?.writeError !== undefined) return characteristic.writeError;
    characteristic?.onWrite?.(Uint8Array.from(bytes));
    return undefined;
  };

  /** Answers that list attributes of one length, as many as the MTU holds. */
  const list = (opcode: number, items: readonly Uint8Array[], withLength: boolean): Uint8Array => {
    const length = items[0]?.length ?? 0;
    const room = mtu - (withLength ? 2 : 1);
    const taken: Uint8Array[] = [];
    for (const item of items) {
      if (item.length !== length || (taken.length + 1) * length > room) break;
      taken.push(item);
    }
    return Uint8Array.from([opcode, ...(withLength ? [length] : []), ...taken.flatMap((item) => [...item])]);
  };

  const readByType = (request: Uint8Array, start: number, end: number): Uint8Array => {
    const wanted = request.length === 7 ? (request[5] ?? 0) | ((request[6] ?? 0) << 8) : undefined;
    const found = within(start, end).filter(
      (attribute) =>
        attribute.type === wanted ||
        (attribute.type === 'configuration' && wanted === CLIENT_CONFIGURATION) ||
        (attribute.type === 'value' && Buffer.from(attribute.uuid).equals(request.subarray(5))),
    );
    if (found.length === 0) return error(READ_BY_TYPE_REQUEST, start, ATTRIBUTE_NOT_FOUND);
    const items = found.map((attribute) => Uint8Array.of(...u16(attribute.handle), ...valueOf(attribute)));
    return list(READ_BY_TYPE_REQUEST + 1, items, true);
  };

  const readByGroupType = (request: Uint8Array, start: number, end: number): Uint8Array => {
    const group = (request[5] ?? 0) | ((request[6] ?? 0) << 8);
    if (group !== PRIMARY_SERVICE) return error(READ_BY_GROUP_TYPE_REQUEST, start, UNSUPPORTED_GROUP_TYPE);
    const found = within(start, end).filter((attribute) => attribute.type === PRIMARY_SERVICE);
    if (found.length === 0) return error(READ_BY_GROUP_TYPE_REQUEST, start, ATTRIBUTE_NOT_FOUND);
    const items = found.map((attribute) =>
      Uint8Array.of(...u16(attribute.handle), ...u16(attribute.endGroup), ...attribute.value()),
    );
    return list(READ_BY_GROUP_TYPE_REQUEST + 1, items, true);
  };

  const findInformation = (start: number, end: number): Uint8Array => {
    const found = within(start, end);
    const short = found[0]?.uuid.length === 2;
    if (found.length === 0) return error(FIND_INFORMATION_REQUEST, start, ATTRIBUTE_NOT_FOUND);
    const items = found.map((attribute) => Uint8Array.of(...u16(attribute.handle), ...attribute.uuid));
    const body = list(0, items, false).subarray(1);
    return Uint8Array.of(FIND_INFORMATION_REQUEST + 1, short ? 1 : 2, ...body.subarray(0, fitting(body, short, mtu)));
  };

  const executeWrite = (flag: number): Uint8Array => {
    const parts = prepared.splice(0);
    if (flag === 0) return Uint8Array.of(EXECUTE_WRITE_REQUEST + 1);
    const joined = new Map<number, number[]>();
    for (const part of parts) {
      const bytes = joined.get(part.handle) ?? [];
      bytes.splice(part.offset, part.bytes.length, ...part.bytes);
      joined.set(part.handle, bytes);
    }
    for (const [handle, bytes] of joined) {
      const code = write(handle, Uint8Array.from(bytes));
      if (code !== undefined) return error(EXECUTE_WRITE_REQUEST, handle, code);
    }
    return Uint8Array.of(EXECUTE_WRITE_REQUEST + 1);
  };

  return {
    answer: (request) => {
      const opcode = request[0] ?? 0;
      const first = (request[1] ?? 0) | ((request[2] ?? 0) << 8);
      const second = (request[3] ?? 0) | ((request[4] ?? 0) << 8);
      switch (opcode) {
        case MTU_REQUEST:
          mtu = Math.max(DEFAULT_MTU, Math.min(first, SERVER_MTU));
          return Uint8Array.of(MTU_REQUEST + 1, ...u16(SERVER_MTU));
        case FIND_INFORMATION_REQUEST:
          return findInformation(first, second);
        case READ_BY_TYPE_REQUEST:
          return readByType(request, first, second);
        case READ_BY_GROUP_TYPE_REQUEST:
          return readByGroupType(request, first, second);
        case READ_REQUEST:
          return read(opcode, first, 0);
        case READ_BLOB_REQUEST:
          return read(opcode, first, second);
        case WRITE_REQUEST: {
          const code = write(first, request.subarray(3));
          return code === undefined ? Uint8Array.of(WRITE_REQUEST + 1) : error(opcode, first, code);
        }
        case WRITE_COMMAND:
          write(first, request.subarray(3));
          return undefined;
        case PREPARE_WRITE_REQUEST: {
          const queued = prepared.reduce((sum, part) => sum + part.bytes.length, 0);
          if (queued + request.length - 5 > PREPARE_QUEUE_BYTES) return error(opcode, first, PREPARE_QUEUE_FULL);
          prepared.push({ handle: first, offset: second, bytes: Uint8Array.from(request.subarray(5)) });
          return Uint8Array.of(PREPARE_WRITE_REQUEST + 1, ...request.subarray(1));
        }
        case EXECUTE_WRITE_REQUEST:
          return executeWrite(request[1] ?? 0);
        case CONFIRMATION:
          return undefined;
        default:
          return error(opcode, 0, REQUEST_NOT_SUPPORTED);
      }
    },
    push: (uuid, value) => {
      const attribute = attributes.find((entry) => entry.type === 'value' && entry.characteristic?.uuid === uuid);
      const settings = attributes.find(
        (entry) => entry.type === 'configuration' && entry.characteristic === attribute?.characteristic,
      );
      const subscribed = settings === undefined ? 0 : (configuration.get(settings) ?? 0);
      if (attribute === undefined || subscribed === 0) return undefined;
      const opcode = (subscribed & 1) !== 0 ? NOTIFICATION : INDICATION;
      return Uint8Array.of(opcode, ...u16(attribute.handle), ...value.subarray(0, mtu - 3));
    },
  };
}

/** Find Information answers hold whole pairs only: handle and UUID. */
function fitting(body: Uint8Array, short: boolean, mtu: number): number {
  const pair = short ? 4 : 18;
  return Math.floor(Math.min(body.length, mtu - 2) / pair) * pair;
}

function layOut(services: readonly GattService[]): Attribute[] {
  const attributes: Attribute[] = [];
  const add = (
    type: Attribute['type'],
    uuid: Uint8Array,
    value: () => Uint8Array,
    characteristic?: GattCharacteristic,
  ): Attribute => {
    const attribute = {
      handle: attributes.length + 1,
      type,
      uuid,
      value,
      endGroup: 0xffff,
      ...(characteristic === undefined ? {} : { characteristic }),
    };
    attributes.push(attribute);
    return attribute;
  };
  const empty = (): Uint8Array => new Uint8Array();
  for (const [index, service] of services.entries()) {
    const uuid = uuidBytes(service.uuid);
    const head = add(PRIMARY_SERVICE, Uint8Array.from(u16(PRIMARY_SERVICE)), () => uuid);
    for (const characteristic of service.characteristics) {
      const bits = characteristic.properties.reduce((sum, property) => sum | propertyBits[property], 0);
      const valueHandle = attributes.length + 2;
      const declaration = Uint8Array.of(bits, ...u16(valueHandle), ...uuidBytes(characteristic.uuid));
      add(CHARACTERISTIC, Uint8Array.from(u16(CHARACTERISTIC)), () => declaration, characteristic);
      add('value', uuidBytes(characteristic.uuid), () => characteristic.value(), characteristic);
      if ((bits & (propertyBits.notify | propertyBits.indicate)) !== 0)
        add('configuration', Uint8Array.from(u16(CLIENT_CONFIGURATION)), empty, characteristic);
    }
    if (index < services.length - 1) head.endGroup = attributes.length;
  }
  return attributes;
}
