import type { JsonObject } from '../drivers/api/reading.ts';
import type { AgentView } from './core/status.ts';

/** The retained health message: what an operator of hundreds of kits sorts and alarms by. */
export function healthOf(view: AgentView): JsonObject {
  const { kit, version, uptimeS, ready, reasons, clock, ledger, uplink, drivers, rules, machine, now } = view.status();
  return {
    kit: kit.id,
    at: now,
    version,
    uptimeS,
    ready,
    reasons: reasons.map(({ code, driver }) => ({ code, driver: driver ?? null })),
    clock: { ...clock },
    ledger: {
      epoch: ledger.epoch,
      bytes: ledger.bytes,
      maxBytes: ledger.maxBytes,
      accepting: ledger.accepting,
      oldestPendingS: ledger.oldestPendingS,
      pending: Object.fromEntries(ledger.streams.map(({ stream, pendingRows }) => [stream, pendingRows])),
      lost: Object.fromEntries(ledger.streams.map(({ stream, lostRows }) => [stream, lostRows])),
    },
    uplink: { delivered: uplink.delivered, quarantined: uplink.quarantined, drainPerS: uplink.drainPerS },
    drivers: drivers.map(({ id, type, state, code, events, restarts, lastEventAt }) => ({
      id,
      type,
      state,
      code,
      events,
      restarts,
      lastEventAt,
    })),
    rules:
      rules === null
        ? null
        : { merchant: rules.merchant, version: rules.version, state: rules.state, expires: rules.expires },
    disk: { freeBytes: machine.freeBytes },
    machine: {
      temperatureC: machine.temperatureC,
      throttled: machine.throttled,
      rssBytes: machine.rssBytes,
      load1: machine.load1,
    },
  };
}
