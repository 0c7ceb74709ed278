import { h } from './dom.client.js';

// A battery below this is the next call-out.
const LOW_BATTERY = 20;

/** A state by shape, colour and word. */
export function pill(tone, text) {
  const shape =
    tone === 'good'
      ? h('circle', { cx: 5, cy: 5, r: 5 })
      : tone === 'bad'
        ? h('rect', { width: 10, height: 10 })
        : h('path', { d: 'M5 0 10 10H0Z' });
  return h('span', { class: `state ${tone}` }, h('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' }, shape), text);
}

export function batteryMark(percent) {
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
export function signalMark(rssiDbm) {
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
