import { $, h, show } from './dom.client.js';
import { clockTime, download } from './kit.client.js';

const LEVEL_NAMES = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

export function renderLogs({ state, set, act, loadLogs }) {
  const drivers = state.status?.drivers ?? [];
  show(
    $('logs-body'),
    h(
      'div',
      { class: 'lead' },
      h(
        'div',
        { class: 'filters' },
        h('label', { for: 'level' }, 'From'),
        h(
          'select',
          { id: 'level', onchange: (event) => set({ level: event.target.value }, loadLogs) },
          ['debug', 'info', 'warn', 'error'].map((name) =>
            h('option', { value: name, selected: name === 'info' }, name),
          ),
        ),
        h('label', { for: 'log-driver' }, 'Device'),
        h(
          'select',
          { id: 'log-driver', onchange: (event) => set({ driver: event.target.value }, loadLogs) },
          h('option', { value: '' }, 'all'),
          drivers.map((driver) => h('option', { value: driver.id }, driver.id)),
        ),
      ),
      h(
        'button',
        {
          type: 'button',
          onclick: () =>
            act('The log is saved.', () => download('/v1/logs?limit=1000&format=ndjson', 'barrow-logs.ndjson')),
        },
        'Download',
      ),
    ),
    state.logs.length === 0
      ? h('p', { class: 'quiet' }, 'No lines at this level.')
      : h(
          'ol',
          { class: 'feed log', tabindex: 0, 'aria-label': 'Newest lines first' },
          [...state.logs].reverse().map((line) => logRow(line, state.status?.kit.timezone)),
        ),
  );
}

function logRow(line, timeZone) {
  const { level, time, event, msg, driver, driverId, pid: _pid, hostname: _host, ...rest } = line;
  const name = LEVEL_NAMES[level] ?? level ?? '';
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return h(
    'li',
    {},
    h('time', {}, time === undefined ? '' : clockTime(time, timeZone)),
    h('span', { class: name }, name),
    h('span', {}, [driver ?? driverId, event ?? msg, ...fields].filter(Boolean).join(' ')),
  );
}
