import { h } from './dom.client.js';
import { ago, count } from './kit.client.js';
import { BROKEN, measurement, say, STATE_WORDS, TYPE_NAMES } from './words.client.js';

const TONES = { ready: 'good', starting: '', degraded: 'warn', silent: 'warn', failed: 'bad', stopped: '' };
const LOW_BATTERY = 20;

/** A card per device, those that need a hand first. */
export function devices(status, { onlyBroken, toggle, restart, identify, pill }) {
  const broken = status.drivers.filter(needsHand);
  const shown = [...broken, ...(onlyBroken ? [] : status.drivers.filter((driver) => !needsHand(driver)))];
  if (status.drivers.length === 0) return h('p', { class: 'card quiet' }, 'No devices are set up in kit.yaml.');
  return [
    broken.length === 0
      ? null
      : h(
          'div',
          { class: 'filters', 'data-key': 'filters' },
          h(
            'button',
            { type: 'button', 'aria-pressed': String(onlyBroken), onclick: toggle },
            `Only what needs a hand (${broken.length})`,
          ),
        ),
    h(
      'div',
      { class: 'cards', 'data-key': 'cards' },
      shown.map((driver) => card(driver, status, { restart, identify, pill })),
    ),
  ];
}

function needsHand(driver) {
  return BROKEN.has(driver.state) || driver.parts.some((part) => BROKEN.has(part.state));
}

function card(driver, status, { restart, identify, pill }) {
  const tone = TONES[driver.state] ?? '';
  const reason = status.reasons.find((one) => one.driver === driver.id);
  const troubled = driver.parts.filter((part) => BROKEN.has(part.state));
  return h(
    'article',
    { class: `card device ${tone}`, 'data-key': driver.id, 'aria-label': `${driver.id}: ${STATE_WORDS[driver.state]}` },
    h(
      'div',
      { class: 'head' },
      h('div', {}, h('h3', {}, driver.id), h('small', {}, TYPE_NAMES[driver.type] ?? driver.type)),
      pill(tone, STATE_WORDS[driver.state] ?? driver.state),
    ),
    reason === undefined && driver.code === null
      ? null
      : h(
          'p',
          { class: 'trouble' },
          reason === undefined ? (driver.detail ?? driver.code) : `${reason.sentence}. ${reason.hint}.`,
        ),
    reason !== undefined
      ? null
      : troubled.map((part) =>
          h(
            'p',
            { class: 'trouble', 'data-key': `part ${part.part}` },
            h('b', {}, part.part),
            ` ${STATE_WORDS[part.state].toLowerCase()}${part.code ? ` · ${part.code}` : ''}`,
          ),
        ),
    driver.latest.length === 0
      ? h('p', { class: 'quiet small' }, 'Nothing heard yet.')
      : h(
          'ul',
          { class: 'values' },
          driver.latest.map((latest) => value(latest, status.now)),
        ),
    h(
      'div',
      { class: 'foot' },
      h('span', { class: 'quiet small' }, eventsLine(driver)),
      h(
        'button',
        { type: 'button', class: 'soft', onclick: () => identify(driver.id), 'aria-label': `Identify ${driver.id}` },
        'Identify',
      ),
      h(
        'button',
        { type: 'button', class: 'soft', onclick: () => restart(driver.id), 'aria-label': `Restart ${driver.id}` },
        'Restart',
      ),
    ),
  );
}

function eventsLine(driver) {
  const events = `${count(driver.events)} ${driver.events === 1 ? 'event' : 'events'}`;
  return driver.restarts > 0 ? `${events}, ${count(driver.restarts)} restarts` : events;
}

function value({ subject, type, at, data }, now) {
  const battery = data.batteryPercent ?? measurement(data, 'battery');
  const rssi = data.rssiDbm;
  return h(
    'li',
    { 'data-key': `${subject} ${type}` },
    h('span', { class: 'what' }, h('b', {}, subject), ` ${say(type, data)}`),
    h('time', { class: 'when', datetime: at }, ago(at, now)),
    battery === null && rssi === undefined
      ? null
      : h(
          'span',
          { class: 'extra' },
          battery === null ? null : batteryMark(battery),
          rssi === undefined ? null : signalMark(rssi),
        ),
  );
}

function batteryMark(percent) {
  const low = percent < LOW_BATTERY;
  return h(
    'span',
    { class: low ? 'low' : undefined },
    h(
      'svg',
      { viewBox: '0 0 18 12', 'aria-hidden': 'true' },
      h('rect', { x: 0.7, y: 1.7, width: 14, height: 8.6, rx: 1.6 }),
      h('path', { d: 'M16.800 4.400v3.200' }),
      h('rect', { class: 'on', x: 2.2, y: 3.2, width: Math.max(1, (11 * percent) / 100).toFixed(1), height: 5.6 }),
    ),
    `battery ${Math.round(percent)} %${low ? ' – replace soon' : ''}`,
  );
}

/** Four bars: −60 dBm beside the kit, −95 dBm hardly there. */
function signalMark(rssiDbm) {
  const bars = Math.max(0, Math.min(4, Math.ceil((rssiDbm + 98) / 10)));
  return h(
    'span',
    {},
    h(
      'svg',
      { viewBox: '0 0 18 12', 'aria-hidden': 'true' },
      [1, 2, 3, 4].map((bar) =>
        h('rect', {
          class: bar <= bars ? 'on' : 'off',
          x: bar * 4 - 3,
          y: 12 - bar * 2.8,
          width: 3,
          height: bar * 2.8,
          rx: 0.6,
        }),
      ),
    ),
    `signal ${String(rssiDbm).replace('-', '−')} dBm`,
  );
}
