// What events and states say in plain words.
import { count, money } from './kit.client.js';

export const TYPE_NAMES = {
  'ble-shelf': 'Shelf sensors',
  'zvt-terminal': 'Card terminal',
  'barcode-scanner': 'Barcode scanner',
  'loyalty-reader': 'Loyalty reader',
  'camera-counter': 'Door counter',
};

export const STATE_WORDS = {
  ready: 'Ready',
  starting: 'Starting',
  degraded: 'Needs a look',
  silent: 'Silent',
  failed: 'Not working',
  stopped: 'Stopped',
};

export const BROKEN = new Set(['degraded', 'silent', 'failed', 'stopped']);

const UNITS = { temperature: '°C', humidity: '%', battery: '%', mass: 'kg', voltage: 'V', pressure: 'hPa' };
const HIDDEN = new Set(['packet_id', 'battery', 'rssi']);

function amount(minor, currency) {
  return typeof minor === 'number' ? money(minor, currency ?? 'EUR') : '';
}

function measured({ name, value, unit }) {
  const shown = typeof value === 'number' ? count(value) : String(value);
  return `${String(name).replaceAll('_', ' ')} ${shown}${(unit ?? UNITS[name]) ? ` ${unit ?? UNITS[name]}` : ''}`;
}

const SAY = {
  'barrow.shelf.count.v1': (d) =>
    `${count(d.count)} on the shelf${d.delta ? ` (${d.delta > 0 ? '+' : '−'}${Math.abs(d.delta)})` : ''}${d.sku ? ` · ${d.sku}` : ''}`,
  'barrow.shelf.unknown-load.v1': () => 'a weight that matches no whole number of pieces',
  'barrow.sensor.v1': (d) =>
    (d.measurements ?? [])
      .filter((one) => !HIDDEN.has(one.name))
      .map(measured)
      .join(' · ') || 'alive',
  'barrow.footfall.crossing.v1': (d) => (d.direction === 'in' ? 'one person in' : 'one person out'),
  'barrow.scan.v1': (d) => `scanned ${d.gtin14 ?? d.text ?? d.symbology ?? ''}`,
  'barrow.loyalty.v1': () => 'a loyalty card',
  'barrow.payment.v1': (d) => `payment ${d.outcome} · ${amount(d.amountMinor, d.currency)}`,
  'barrow.sale.v1': (d) => `sale of ${pieces(d.lines)} · ${amount(d.totalMinor, d.currency)}`,
  'barrow.return.v1': (d) => `return of ${pieces(d.lines)} · ${amount(d.totalMinor, d.currency)}`,
  'barrow.void.v1': (d) => `${d.voids ?? 'sale'} voided`,
  'barrow.stock.v1': (d) => `stock ${d.kind} · ${pieces(d.lines)}`,
  'barrow.price.decided.v1': (d) =>
    `${d.sku ?? 'price'} now ${amount(d.priceMinor, d.currency)}${d.ruleId ? ` · rule ${d.ruleId}` : ''}`,
  'barrow.rules.activated.v1': (d) => `rules ${d.version ?? ''} in force`,
  'barrow.rules.rejected.v1': (d) => `rules refused · ${d.code ?? ''}`,
  'barrow.override.v1': (d) => `override on ${d.sku ?? ''} by ${d.actor ?? ''}`,
  'barrow.driver.state.v1': (d) =>
    `${d.driverId}${d.part ? ` ${d.part}` : ''}: ${STATE_WORDS[d.state] ?? d.state}${d.code ? ` (${d.code})` : ''}`,
  'barrow.agent.started.v1': () => 'agent started',
  'barrow.agent.stopped.v1': () => 'agent stopped',
  'barrow.clock.anchor.v1': () => 'clock set',
  'barrow.loss.v1': (d) => `${d.count} events lost · ${d.reason}`,
};

function pieces(lines) {
  const total = (lines ?? []).filter((line) => line.void !== true).reduce((sum, line) => sum + line.qty, 0);
  return `${count(total)} ${total === 1 ? 'piece' : 'pieces'}`;
}

/** One short phrase for an event, whatever its type. */
export function say(type, data) {
  const words = SAY[type];
  return words === undefined ? type.replace(/^barrow\.|\.v\d+$/g, '').replaceAll('.', ' ') : words(data);
}

export function measurement(data, name) {
  const found = (data.measurements ?? []).find((one) => one.name === name);
  return found === undefined ? null : found.value;
}
