import { $, h, show } from './dom.client.js';
import { bytes, count, span } from './kit.client.js';
import { pill } from './marks.client.js';

const LINK_WORDS = {
  off: 'No broker set',
  connecting: 'Connecting',
  online: 'Online',
  waiting: 'Waiting to reconnect',
};

export function renderDelivery({ state }) {
  const { uplink, ledger } = state.status;
  const sum = (field) => ledger.streams.reduce((total, stream) => total + stream[field], 0);
  const pending = sum('pendingRows');
  const lost = sum('lostRows');
  const drainS = uplink.state === 'online' && uplink.drainPerS > 0 && pending > 20 ? pending / uplink.drainPerS : null;
  const figure = (name, value, more, tone) =>
    h('div', {}, h('dt', {}, name), h('dd', { class: tone }, value, more ? h('small', {}, ` ${more}`) : null));
  show(
    $('delivery-body'),
    h(
      'div',
      { class: 'lead' },
      pill(uplink.state === 'online' ? 'good' : uplink.state === 'off' ? '' : 'warn', LINK_WORDS[uplink.state]),
      h(
        'span',
        { class: 'quiet small' },
        [uplink.url, uplink.protocol && `MQTT ${uplink.protocol}`].filter(Boolean).join(' · '),
      ),
    ),
    uplink.code === null ? null : h('p', { class: 'trouble' }, uplink.detail ?? uplink.code),
    h(
      'dl',
      { class: 'figures' },
      figure('Queued', count(pending), pending > 0 ? bytes(sum('pendingBytes')) : null),
      figure('Oldest waits', ledger.oldestPendingS === null || pending === 0 ? '–' : span(ledger.oldestPendingS)),
      figure('Lost', count(lost), null, lost > 0 ? 'bad' : undefined),
      figure('Empty in', drainS === null ? '–' : span(drainS)),
      figure('Delivered', count(uplink.delivered)),
      figure('Ledger', percentOf(ledger.bytes, ledger.maxBytes), `of ${bytes(ledger.maxBytes)}`),
    ),
    h(
      'details',
      { class: 'after' },
      h('summary', {}, 'By stream'),
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Stream'),
            ['Stored', 'Queued', 'Lost'].map((name) => h('th', { scope: 'col', class: 'num' }, name)),
          ),
        ),
        h(
          'tbody',
          {},
          ledger.streams.map((stream) =>
            h(
              'tr',
              { 'data-key': stream.stream },
              h('td', {}, stream.stream),
              [stream.last, stream.pendingRows, stream.lostRows].map((value) =>
                h('td', { class: 'num' }, count(value)),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

function percentOf(part, whole) {
  return whole > 0 ? `${Math.round((part * 100) / whole)} %` : '–';
}
