import { h } from './dom.client.js';
import { batteryMark, pill, signalMark } from './marks.client.js';
import { ago, count } from './kit.client.js';
import { openAim, openCalibration, weighed } from './setup.client.js';
import { BROKEN, measurement, say, STATE_WORDS, TYPE_NAMES } from './words.client.js';

const TONES = { ready: 'good', starting: '', degraded: 'warn', silent: 'warn', failed: 'bad', stopped: '' };

/** A card per device, those that need a hand first. */
export function devices(status, { onlyBroken, toggle, restart, identify }) {
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
      shown.map((driver) => card(driver, status, { restart, identify })),
    ),
  ];
}

function needsHand(driver) {
  return BROKEN.has(driver.state) || driver.parts.some((part) => BROKEN.has(part.state));
}

function card(driver, status, { restart, identify }) {
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
      setupButton(driver),
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

/** What a device is set up by on the spot: a shelf by two weighings, a camera by its picture. */
function setupButton(driver) {
  const sensors = weighed(driver);
  const setup =
    sensors.length > 0
      ? { word: 'Calibrate', open: () => openCalibration(driver.id, sensors) }
      : driver.type === 'camera-counter'
        ? { word: 'Aim', open: () => openAim(driver.id) }
        : null;
  return setup === null
    ? null
    : h(
        'button',
        { type: 'button', class: 'soft', onclick: setup.open, 'aria-label': `${setup.word} ${driver.id}` },
        setup.word,
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
