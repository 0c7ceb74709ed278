import { AgentError } from '../../../drivers/api/agent-error.ts';
import { radioErrors, type RadioErrorCode } from '../../../drivers/lib/radio-errors.ts';
import { radioFailure } from './errors.ts';
import type { NobleScanner } from './noble-scanner.ts';
import type { NobleCharacteristic, NoblePeripheral } from './noble-types.ts';
import { GATT_CALLS, type GattCall } from './radio-wire.ts';

/** Open links at once. An adapter holds seven or so. */
export const LINKS = 4;
const DISCONNECT_MS = 3_000;

export interface GattEvents {
  onNotification(link: number, characteristic: string, bytes: Uint8Array): void;
  onLinkLost(link: number): void;
}

/** GATT over noble with what noble lacks: no call outlives its time-out, and a lost link ends every call on it. */
export interface NobleGatt {
  /** A link's number for `connect`, bytes for `read`, else nothing. Rejects with an AgentError of `radioErrors`. */
  run(call: GattCall): Promise<Uint8Array | number | undefined>;
  /** Ends the oldest write under way: the peripheral answered it with an ATT error. */
  readonly onWriteRefused: (attError: number) => void;
}

interface Link {
  readonly peripheral: NoblePeripheral;
  readonly lost: AbortController;
  readonly found: Map<string, NobleCharacteristic>;
}

export function nobleGatt(scanner: NobleScanner, timeoutMs: number, events: GattEvents): NobleGatt {
  const links = new Map<number, Link>();
  const writes = new Set<AbortController>();
  let next = 1;
  let underWay = 0;

  const connect = async (address: string, limitMs: number): Promise<number> => {
    if (links.size >= LINKS) throw radioFailure('gatt-busy', { detail: `${LINKS} links are open` });
    const begun = performance.now();
    const unheard = new AbortController();
    const peripheral =
      scanner.peripheral(address) ??
      (await bounded(scanner.heard(address, unheard.signal), {
        ms: limitMs,
        doing: `${address} was not heard as connectable`,
      }).catch((error: unknown) => {
        unheard.abort(error);
        throw error;
      }));
    scanner.pinned.add(peripheral.id);
    try {
      const ms = Math.max(0, limitMs - (performance.now() - begun));
      await bounded(peripheral.connectAsync(), { ms, doing: 'connecting' });
    } catch (error) {
      scanner.pinned.delete(peripheral.id);
      peripheral.cancelConnect();
      throw error;
    } finally {
      // @stoprocent resets the controller to connect and leaves the scan off.
      void scanner.restartScan();
    }
    const number = next;
    next += 1;
    const lost = new AbortController();
    links.set(number, { peripheral, lost, found: new Map() });
    peripheral.once('disconnect', () => {
      links.delete(number);
      scanner.pinned.delete(peripheral.id);
      lost.abort(radioFailure('gatt-lost', { detail: address }));
      events.onLinkLost(number);
      void scanner.restartScan();
    });
    return number;
  };

  const linkOf = (number: number): Link => {
    const link = links.get(number);
    if (link === undefined) throw radioFailure('gatt-lost');
    return link;
  };

  const characteristicOf = async (link: Link, service: string, wanted: string): Promise<NobleCharacteristic> => {
    const key = `${service}/${wanted}`;
    const known = link.found.get(key);
    if (known !== undefined) return known;
    const services = await within(link, link.peripheral.discoverServicesAsync([service]), 'discovering services');
    for (const found of services) {
      const characteristics = await within(link, found.discoverCharacteristicsAsync([wanted]), 'discovering');
      const characteristic = characteristics[0];
      if (characteristic === undefined) continue;
      link.found.set(key, characteristic);
      return characteristic;
    }
    throw radioFailure('gatt-not-found', { detail: key });
  };

  const within = <T>(link: Link, promise: Promise<T>, doing: string): Promise<T> =>
    bounded(promise, { ms: timeoutMs, signals: [link.lost.signal], doing });

  /** A write, or the write that a subscription is: noble leaves its promise open when the peripheral refuses it. */
  const writing = async (link: Link, promise: Promise<void>, doing: string): Promise<void> => {
    const refused = new AbortController();
    writes.add(refused);
    try {
      await bounded(promise, { ms: timeoutMs, signals: [refused.signal, link.lost.signal], doing });
    } finally {
      writes.delete(refused);
    }
  };

  const perform = async (call: GattCall): Promise<Uint8Array | number | undefined> => {
    switch (call.kind) {
      case 'connect':
        return connect(call.address, call.timeoutMs);
      case 'read': {
        const link = linkOf(call.link);
        const characteristic = await characteristicOf(link, call.service, call.characteristic);
        return Uint8Array.from(await within(link, characteristic.readAsync(), 'reading'));
      }
      case 'write': {
        const link = linkOf(call.link);
        const characteristic = await characteristicOf(link, call.service, call.characteristic);
        const unanswered = !characteristic.properties.includes('write');
        await writing(link, characteristic.writeAsync(Buffer.from(call.bytes), unanswered), 'writing');
        return undefined;
      }
      case 'subscribe': {
        const link = linkOf(call.link);
        const characteristic = await characteristicOf(link, call.service, call.characteristic);
        const number = call.link;
        characteristic.on('data', (data: Buffer) =>
          events.onNotification(number, `${call.service}/${call.characteristic}`, Uint8Array.from(data)),
        );
        await writing(link, characteristic.subscribeAsync(), 'subscribing');
        return undefined;
      }
      case 'disconnect': {
        const link = links.get(call.link);
        if (link === undefined) return undefined;
        await bounded(link.peripheral.disconnectAsync(), { ms: DISCONNECT_MS, doing: 'disconnecting' });
        return undefined;
      }
    }
  };

  return {
    onWriteRefused: (attError) => {
      const [oldest] = writes;
      oldest?.abort(radioFailure('gatt-refused', { detail: `ATT error ${attError}` }));
    },
    run: async (call) => {
      if (underWay >= GATT_CALLS) throw radioFailure('gatt-busy', { detail: `${GATT_CALLS} calls are under way` });
      underWay += 1;
      try {
        return await perform(call);
      } catch (error) {
        throw error instanceof AgentError ? error : radioFailure('gatt-refused', { cause: error });
      } finally {
        underWay -= 1;
      }
    },
  };
}

interface Bounds {
  readonly ms: number;
  readonly signals?: readonly AbortSignal[];
  readonly doing: string;
}

/** noble's promises may hang for ever: time or a signal answers for them, and a late rejection is swallowed. */
function bounded<T>(promise: Promise<T>, { ms, signals = [], doing }: Bounds): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      leave();
      const reason: unknown = signals.find((signal) => signal.aborted)?.reason;
      reject(reason instanceof AgentError ? reason : radioFailure('gatt-lost', { detail: doing, cause: reason }));
    };
    const timer = setTimeout(() => {
      leave();
      reject(radioFailure('gatt-timeout', { detail: doing }));
    }, ms);
    for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
    if (signals.some((signal) => signal.aborted)) onAbort();
    promise.then(resolve, reject).finally(leave);
  });
}

/** What crosses to the agent, which words it again from its own table. */
export function failureOf(error: unknown): { readonly code: RadioErrorCode; readonly detail: string } {
  if (!(error instanceof AgentError)) return { code: 'gatt-refused', detail: String(error) };
  const code = error.code as RadioErrorCode;
  return { code, detail: error.message.replace(`${radioErrors[code].sentence}: `, '') };
}
