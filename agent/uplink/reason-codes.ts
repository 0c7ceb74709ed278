import type { Stream } from '../../drivers/api/reading.ts';
import type { BrokerProfile } from './parts.ts';

/**
 * What becomes of rows after a PUBACK. `delivered`: the ledger may let go · `keep`: sent again after a pause that
 * doubles · `no-subscriber`: kept and probed slowly, nobody would have got them · `alarm`: kept, probed slowly, and the
 * operator is told · `quarantine`: this row will never be taken.
 */
export type PubackPolicy = 'delivered' | 'keep' | 'no-subscriber' | 'alarm' | 'quarantine';

/**
 * MQTT 5 §3.4.2.1. 0x10 is a success to the protocol, yet the broker has thrown the message away: for a sale that is
 * not delivery. AWS answers 0x10 while its rules engine takes the message, so there it is. 0x90 (topic name invalid)
 * keeps the row: topics come from the configuration, and quarantine would empty the whole stream row by row.
 */
export function pubackPolicy(code: number, stream: Stream, profile: BrokerProfile): PubackPolicy {
  switch (code) {
    case 0x00:
      return 'delivered';
    case 0x10:
      return stream === 'sale' && profile !== 'aws' ? 'no-subscriber' : 'delivered';
    case 0x80: // unspecified error
    case 0x83: // implementation specific error
    case 0x91: // packet identifier in use
    case 0x97: // quota exceeded
      return 'keep';
    case 0x87: // not authorized
    case 0x90: // topic name invalid
      return 'alarm';
    case 0x99: // payload format invalid
      return 'quarantine';
    default:
      // Codes below 0x80 are successes by definition (§2.4), whatever later versions make of them.
      return code < 0x80 ? 'delivered' : 'keep';
  }
}

/**
 * How to go on after a connection ended. `retry`: the ordinary back-off · `slow`: the broker asks for peace, back-off
 * from its fifth step on · `alarm`: the longest pause, and the operator is told · `shrink`: halve the window first ·
 * `suspect`: one of the rows in flight is to blame.
 */
export type DisconnectPolicy = 'retry' | 'slow' | 'alarm' | 'shrink' | 'suspect';

/** MQTT 5 §3.14.2.1; `null` is a connection that broke without a word. */
export function disconnectPolicy(code: number | null): DisconnectPolicy {
  switch (code) {
    case 0x87: // not authorized
    case 0x8a: // banned
    case 0x8e: // session taken over
    case 0x98: // administrative action
    case 0x9a: // retain not supported
    case 0x9b: // QoS not supported
    case 0x9c: // use another server
    case 0x9d: // server moved
    case 0xa2: // wildcard subscriptions not supported
      return 'alarm';
    case 0x89: // server busy
    case 0x8b: // server shutting down
    case 0x96: // message rate too high
    case 0x97: // quota exceeded
    case 0x9f: // connection rate exceeded
      return 'slow';
    case 0x93: // receive maximum exceeded
      return 'shrink';
    case null: // some brokers close on an oversize packet without a code
    case 0x81: // malformed packet
    case 0x82: // protocol error
    case 0x90: // topic name invalid
    case 0x95: // packet too large
    case 0x99: // payload format invalid
      return 'suspect';
    default:
      return 'retry';
  }
}

/** How to go on after a dial that failed, by its error code. */
export function dialPolicy(code: string): DisconnectPolicy {
  switch (code) {
    case 'broker-login':
    case 'broker-identity':
    case 'broker-material':
    case 'broker-protocol':
    case 'broker-refused':
    case 'broker-refuses-certificate':
    case 'broker-subscribe':
    case 'broker-tls':
    case 'broker-url':
      return 'alarm';
    case 'broker-busy':
      return 'slow';
    default:
      return 'retry';
  }
}
