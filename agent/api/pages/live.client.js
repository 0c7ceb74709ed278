import { $, h, show } from './dom.client.js';
import { clockTime } from './kit.client.js';
import { pill } from './marks.client.js';
import { say } from './words.client.js';

export function renderLive({ state, set }) {
  const now = state.events.filter((event) => state.stream === '' || event.stream === state.stream).slice(0, 50);
  show(
    $('live-body'),
    h(
      'div',
      { class: 'lead' },
      pill(state.streaming ? 'good' : 'warn', state.streaming ? 'Following' : 'Reconnecting'),
      h(
        'div',
        { class: 'filters' },
        h('label', { for: 'stream' }, 'Stream'),
        h(
          'select',
          { id: 'stream', onchange: (event) => set({ stream: event.target.value }) },
          h('option', { value: '' }, 'all'),
          ['sale', 'price', 'scan', 'shelf', 'footfall', 'agent'].map((name) => h('option', { value: name }, name)),
        ),
        h(
          'button',
          { type: 'button', 'aria-pressed': String(state.paused), onclick: () => set({ paused: !state.paused }) },
          'Pause',
        ),
      ),
    ),
    now.length === 0
      ? h('p', { class: 'quiet' }, 'Nothing has happened yet. Lift something off a shelf.')
      : h(
          'ol',
          { class: 'feed', tabindex: 0, 'aria-label': 'Newest events first' },
          now.map((event) =>
            h(
              'li',
              { 'data-key': event.id, class: event.fresh ? 'new' : undefined },
              h('time', { datetime: event.time }, clockTime(event.time, state.status?.kit.timezone)),
              h('span', {}, say(event.type, event.data), h('small', {}, ` ${event.subject}`)),
            ),
          ),
        ),
  );
}
