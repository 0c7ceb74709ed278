import { Buffer } from 'node:buffer';

/** What a QoS 1 PUBLISH carries beside topic and payload; the last three are not written for 3.1.1, which has no place for them. */
export interface PublishHead {
  readonly protocol: 4 | 5;
  readonly retain: boolean;
  readonly expiryS?: number | undefined;
  readonly contentType?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
}

/** PUBLISH, QoS 1, neither duplicate nor retained (MQTT 5 §3.3.1). */
const PUBLISH_QOS1 = 0x32;
const RETAIN = 0x01;
/** Property identifiers (MQTT 5 §3.3.2.3). */
const MESSAGE_EXPIRY = 0x02;
const CONTENT_TYPE = 0x03;
const CORRELATION_DATA = 0x09;
/** Largest Remaining Length (MQTT 5 §1.5.5). */
const REMAINING_BYTES_MAX = 268_435_455;
/** Two bytes of length stand before texts and binary data (MQTT 5 §1.5.4, §1.5.6). */
const FIELD_BYTES_MAX = 0xffff;

/**
 * One whole QoS 1 PUBLISH in one buffer (MQTT 5 §3.3, 3.1.1 §3.3). Throws a RangeError for what the format cannot say:
 * a topic or property beyond 65,535 bytes, a packet beyond 256 MiB.
 */
export function publishPacket(
  packetId: number,
  topic: string,
  payload: string | Uint8Array,
  head: PublishHead,
): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const payloadBytes = Buffer.byteLength(payload);
  const propertyBytes = head.protocol === 5 ? sizeOfProperties(head) : 0;
  const propertiesBytes = head.protocol === 5 ? varIntBytes(propertyBytes) + propertyBytes : 0;
  const remaining = 2 + topicBytes + 2 + propertiesBytes + payloadBytes;
  if (topicBytes > FIELD_BYTES_MAX) throw new RangeError('an MQTT topic is longer than 65,535 bytes');
  if (remaining > REMAINING_BYTES_MAX) throw new RangeError('an MQTT packet is longer than 256 MiB');

  const packet = Buffer.allocUnsafe(1 + varIntBytes(remaining) + remaining);
  packet[0] = PUBLISH_QOS1 | (head.retain ? RETAIN : 0);
  let at = writeVarInt(packet, remaining, 1);
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  at = packet.writeUInt16BE(packetId, at);
  if (head.protocol === 5) at = writeProperties(packet, head, writeVarInt(packet, propertyBytes, at));
  if (typeof payload === 'string') packet.write(payload, at);
  else packet.set(payload, at);
  return packet;
}

function sizeOfProperties({ expiryS, contentType, correlationData }: PublishHead): number {
  const typeBytes = Buffer.byteLength(contentType ?? '');
  const correlationBytes = correlationData?.length ?? 0;
  if (typeBytes > FIELD_BYTES_MAX || correlationBytes > FIELD_BYTES_MAX)
    throw new RangeError('an MQTT property is longer than 65,535 bytes');
  return (
    (expiryS === undefined ? 0 : 5) +
    (contentType === undefined ? 0 : 3 + typeBytes) +
    (correlationData === undefined ? 0 : 3 + correlationBytes)
  );
}

function writeProperties(packet: Buffer, head: PublishHead, start: number): number {
  const { expiryS, contentType, correlationData } = head;
  let at = start;
  if (expiryS !== undefined) {
    at = packet.writeUInt8(MESSAGE_EXPIRY, at);
    at = packet.writeUInt32BE(expiryS, at);
  }
  if (contentType !== undefined) {
    at = packet.writeUInt8(CONTENT_TYPE, at);
    at = packet.writeUInt16BE(Buffer.byteLength(contentType), at);
    at += packet.write(contentType, at);
  }
  if (correlationData !== undefined) {
    at = packet.writeUInt8(CORRELATION_DATA, at);
    at = packet.writeUInt16BE(correlationData.length, at);
    packet.set(correlationData, at);
    at += correlationData.length;
  }
  return at;
}

/** Variable Byte Integer (MQTT 5 §1.5.5). */
function varIntBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

function writeVarInt(target: Buffer, value: number, start: number): number {
  let at = start;
  let left = value;
  while (left >= 0x80) {
    target[at] = (left & 0x7f) | 0x80;
    left >>>= 7;
    at += 1;
  }
  target[at] = left;
  return at + 1;
}
