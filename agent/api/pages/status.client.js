import { h, show } from './dom.client.js';
import { ask, bytes, clockTime, count, download, follow, KitError, money, percent, span, tell } from './kit.client.js';
import { devices } from './devices.client.js';
import { BROKEN, say } from './words.client.js';
import './token.client.js';

const REFRESH_MS = 2_000;
const MAX_EVENTS = 200;

const state = {
  status: null,
  prices: null,
  kpi: null,
  logs: [],
  events: [],
  reachable: true,
  heardAt: Date.now(),
  streaming: false,
  onlyBroken: false,
  paused: false,
  stream: '',
  level: 'info',
  driver: '',
  unknownPayment: null,
};

const $ = (id) => document.getElementById(id);

let toastTimer = 0;
function toast(text) {
  $('toast').textContent = text;
  $('toast').classList.add('on');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $('toast').classList.remove('on'), 5_000);
}

/** Does something that a person asked for, and says how it went. */
async function act(done, work) {
  try {
    await work();
    toast(done);
  } catch (error) {
    toast(error instanceof KitError ? `${error.message}. ${error.hint}.` : 'The kit cannot be reached.');
  }
  await refresh();
}

const restart = (id) => act(`${id} is being restarted.`, () => tell(`/v1/drivers/${encodeURIComponent(id)}/restart`));
const identify = (id) =>
  act(id === null ? 'The kit shows itself.' : `${id} shows itself.`, () =>
    tell(id === null ? '/v1/identify' : `/v1/drivers/${encodeURIComponent(id)}/identify`),
  );

function renderTop({ kit }) {
  document.title = `${readiness().word} · ${kit.id}`;
  show(
    $('top'),
    h('img', { src: '/pages/icon.svg', alt: '' }),
    h('div', { class: 'name' }, kit.id, h('small', {}, [kit.node, kit.group].filter(Boolean).join(' · ') || 'Barrow')),
    h('div', { class: 'end' }, h('button', { type: 'button', onclick: () => identify(null) }, 'Identify kit')),
  );
}

function readiness() {
  if (!state.reachable) return { word: 'Out of reach', tone: '' };
  const { ready, reasons } = state.status;
  if (!ready) return { word: 'Not ready', tone: 'bad' };
  return { word: 'Ready', tone: reasons.length === 0 ? 'good' : 'warn' };
}

function heroLine({ drivers, reasons, ledger, uplink }) {
  if (!state.reachable)
    return `Last heard ${span((Date.now() - state.heardAt) / 1_000)} ago. Check that the kit has power and that this device is in its network.`;
  const pending = ledger.streams.reduce((sum, stream) => sum + stream.pendingRows, 0);
  if (reasons.length > 0) return reasons.length === 1 ? 'One thing to do:' : `${reasons.length} things to do:`;
  const working = drivers.filter((driver) => !BROKEN.has(driver.state)).length;
  const devicesLine = drivers.length === 0 ? 'No devices are set up.' : `All ${count(working)} devices deliver.`;
  return `${devicesLine} ${uplink.state === 'off' ? 'Events stay on the kit: no broker is set.' : waiting(pending)}`;
}

function waiting(pending) {
  if (pending === 0) return 'Nothing waits to be sent.';
  return pending === 1 ? 'One event is on its way.' : `${count(pending)} events are on their way.`;
}

function renderHero(status) {
  const { word, tone } = readiness();
  $('hero').className = `hero ${tone}`;
  show(
    $('hero'),
    h('h1', { role: 'status', 'aria-live': 'polite' }, word),
    h('p', {}, heroLine(status)),
    state.reachable && status.reasons.length > 0
      ? h(
          'ul',
          { class: 'reasons' },
          status.reasons.map((reason) =>
            h(
              'li',
              { 'data-key': `${reason.code}/${reason.driver ?? ''}` },
              h(
                'div',
                {},
                h('strong', {}, reason.sentence),
                h('div', { class: 'next' }, reason.hint),
                h('code', {}, [reason.driver, reason.code].filter(Boolean).join(' · ')),
              ),
              reason.driver === undefined
                ? null
                : h(
                    'button',
                    { type: 'button', onclick: () => restart(reason.driver), 'aria-label': `Restart ${reason.driver}` },
                    'Restart',
                  ),
            ),
          ),
        )
      : null,
  );
}

const LINK_WORDS = {
  off: 'No broker set',
  connecting: 'Connecting',
  online: 'Online',
  waiting: 'Waiting to reconnect',
};

function pill(tone, text) {
  const shape =
    tone === 'good'
      ? h('circle', { cx: 5, cy: 5, r: 5 })
      : tone === 'bad'
        ? h('rect', { width: 10, height: 10 })
        : h('path', { d: 'M5 0 10 10H0Z' });
  return h('span', { class: `state ${tone}` }, h('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' }, shape), text);
}

function renderDelivery({ uplink, ledger }) {
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

const RULES_WORDS = {
  'in-force': 'in force',
  'not-yet-valid': 'not valid yet',
  expired: 'expired',
  killed: 'switched off',
};

function renderPrices() {
  if (state.prices === null) return;
  const { prices, rules, currency } = state.prices;
  show(
    $('prices-body'),
    h(
      'div',
      { class: 'card' },
      h(
        'div',
        { class: 'lead' },
        rules === null
          ? h('span', {}, 'No price rules on this kit.')
          : h(
              'span',
              {},
              `${rules.merchant} · version ${rules.version} · `,
              h('b', {}, RULES_WORDS[rules.state] ?? rules.state),
            ),
        rules === null
          ? null
          : h(
              'span',
              { class: 'quiet small' },
              `${count(rules.rules)} rules · until ${new Date(rules.expires).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}`,
            ),
      ),
      prices.length === 0
        ? h('p', { class: 'quiet' }, 'Prices show here once a signed bundle has arrived.')
        : h(
            'table',
            { class: 'stack' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col' }, 'Article'),
                h('th', { scope: 'col', class: 'num' }, 'Price'),
                h('th', { scope: 'col', class: 'num' }, 'Off'),
                h('th', { scope: 'col' }, 'Rule and caps'),
              ),
            ),
            h(
              'tbody',
              {},
              prices.map((price) => priceRow(price, currency)),
            ),
          ),
    ),
  );
}

function priceRow(price, currency) {
  const lower = price.priceMinor < price.listMinor;
  return h(
    'tr',
    { 'data-key': price.sku },
    h('td', {}, h('b', {}, price.sku)),
    h(
      'td',
      { class: 'num price' },
      money(price.priceMinor, currency),
      lower ? h('small', {}, `list ${money(price.listMinor, currency)}`) : null,
    ),
    h('td', { class: 'num only-wide' }, lower ? percent(price.discountBp) : ''),
    h(
      'td',
      { class: 'rest' },
      h(
        'div',
        { class: 'tags' },
        price.ruleId === null
          ? h('span', { class: 'quiet small' }, lower ? 'set by hand' : 'list price')
          : h('span', { class: 'tag' }, `rule ${price.ruleId}`),
        price.boundBy.map((cap) => h('span', { class: 'tag' }, `held by ${cap}`)),
        price.announce ? h('span', { class: 'tag' }, 'reduction announced') : null,
      ),
    ),
  );
}

function renderLive() {
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

function renderDay() {
  const { kpi, status } = state;
  if (kpi === null) return;
  const figure = (name, value, more) =>
    h('div', {}, h('dt', {}, name), h('dd', {}, value, more ? h('small', {}, ` ${more}`) : null));
  show(
    $('day-body'),
    h(
      'dl',
      { class: 'figures' },
      figure('Baskets', count(kpi.baskets)),
      figure('Sales', money(kpi.netMinor, status.kit.currency)),
      figure('Came in', count(kpi.footfall.in)),
      figure('Bought', percent(kpi.conversionBp)),
      figure('Sold of stock', percent(kpi.sellThroughBp)),
      figure('Markdown', percent(kpi.markdownDepthBp)),
      figure('Margin kept', percent(kpi.marginRecoveryBp)),
    ),
    kpi.returnsByPackaging.length === 0
      ? null
      : h(
          'details',
          { class: 'after' },
          h('summary', {}, 'Returns by packaging'),
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col' }, 'Packaging'),
                ['Sold', 'Returned', 'Rate'].map((name) => h('th', { scope: 'col', class: 'num' }, name)),
              ),
            ),
            h(
              'tbody',
              {},
              kpi.returnsByPackaging.map((row) =>
                h(
                  'tr',
                  {},
                  h('td', {}, row.packagingVariantId),
                  h('td', { class: 'num' }, count(row.soldQty)),
                  h('td', { class: 'num' }, count(row.returnedQty)),
                  h('td', { class: 'num' }, percent(row.returnRateBp)),
                ),
              ),
            ),
          ),
        ),
    kpi.complete
      ? null
      : h('p', { class: 'quiet small after' }, 'Counts what this kit still holds; the back end has the whole.'),
  );
}

const CLOCK_WORDS = { synced: 'synchronised', estimated: 'estimated', unset: 'not set' };

function renderKit({ kit, version, uptimeS, clock, machine, now, ledger }) {
  const fact = (name, value) => (value === null ? null : [h('dt', {}, name), h('dd', {}, value)]);
  show(
    $('kit-body'),
    h(
      'dl',
      { class: 'facts' },
      fact('Version', version),
      fact('Agent up', span(uptimeS)),
      fact('Machine up', span(machine.uptimeS)),
      fact('Clock', `${clockTime(now, kit.timezone)} · ${CLOCK_WORDS[clock.trust]}`),
      fact('Temperature', machine.temperatureC === null ? null : `${machine.temperatureC.toFixed(0)} °C`),
      fact('Power', machine.throttled),
      fact('Disk free', bytes(machine.freeBytes)),
      fact('Memory', bytes(machine.rssBytes)),
      fact('Load', machine.load1 === null ? null : machine.load1.toFixed(2)),
      fact('Ledger', ledger.epoch),
    ),
    h(
      'div',
      { class: 'actions after' },
      h(
        'button',
        {
          type: 'button',
          onclick: () =>
            act('The support bundle is saved.', () => download('/v1/support-bundle', 'barrow-support.tar.gz')),
        },
        'Support bundle',
      ),
      h(
        'button',
        { type: 'button', onclick: () => act('kit.yaml has been read again.', () => tell('/v1/reload')) },
        'Read kit.yaml again',
      ),
    ),
  );
}

const LEVEL_NAMES = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

function renderLogs() {
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
          [...state.logs].reverse().map(logRow),
        ),
  );
}

function logRow(line) {
  const { level, time, event, msg, driver, driverId, pid: _pid, hostname: _host, ...rest } = line;
  const name = LEVEL_NAMES[level] ?? level ?? '';
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return h(
    'li',
    {},
    h('time', {}, time === undefined ? '' : clockTime(time, state.status?.kit.timezone)),
    h('span', { class: name }, name),
    h('span', {}, [driver ?? driverId, event ?? msg, ...fields].filter(Boolean).join(' ')),
  );
}

function renderUnknown() {
  const payment = state.unknownPayment;
  const say1 = (outcome) => async () => {
    const actor = $('actor').value.trim();
    const reason = $('why').value.trim();
    if (actor === '' || reason === '') {
      toast('Say who you are and what you have seen.');
      $(actor === '' ? 'actor' : 'why').focus();
      return;
    }
    await act('Recorded. The terminal takes payments again.', async () => {
      await tell(`/v1/payments/${encodeURIComponent(payment.intentId)}/resolve`, { outcome, actor, reason });
      state.unknownPayment = null;
    });
  };
  show(
    $('payment'),
    payment === null
      ? null
      : h(
          'section',
          { class: 'card wait', 'aria-label': 'A payment waits for your word' },
          h('h3', {}, `Was the payment of ${money(payment.amountMinor, payment.currency)} taken?`),
          h(
            'p',
            {},
            'The line to the terminal was cut before it could say. Look at its receipt or its journal; until you answer, it takes no card.',
          ),
          h(
            'div',
            { class: 'fields' },
            h('label', {}, 'Who answers', h('input', { id: 'actor', autocomplete: 'name' })),
            h('label', {}, 'What you saw', h('input', { id: 'why', placeholder: 'receipt 231 printed' })),
          ),
          h(
            'div',
            { class: 'actions' },
            h('button', { type: 'button', class: 'primary', onclick: say1('approved') }, 'It was taken'),
            h('button', { type: 'button', onclick: say1('declined') }, 'It was not taken'),
            h('button', { type: 'button', onclick: say1('reversed') }, 'It was reversed'),
          ),
        ),
  );
}

function set(change, then = render) {
  Object.assign(state, change);
  void then();
}

function render() {
  const { status } = state;
  if (status === null) {
    if (!state.reachable) {
      $('hero').className = 'hero';
      show(
        $('hero'),
        h('h1', { role: 'status' }, 'Out of reach'),
        h('p', {}, 'The kit does not answer. Check that it has power and that this device is in its network.'),
      );
    }
    return;
  }
  renderTop(status);
  renderHero(status);
  renderUnknown();
  show(
    $('devices-body'),
    devices(status, {
      onlyBroken: state.onlyBroken,
      toggle: () => set({ onlyBroken: !state.onlyBroken }),
      restart,
      identify,
      pill,
    }),
  );
  renderDelivery(status);
  renderPrices();
  renderDay();
  renderKit(status);
  renderLogs();
  if (!state.paused) renderLive();
}

async function loadLogs() {
  const query = new URLSearchParams({
    limit: '200',
    level: state.level,
    ...(state.driver === '' ? {} : { driver: state.driver }),
  });
  state.logs = (await ask(`/v1/logs?${query}`)).lines;
  render();
}

/** The newest payment of each terminal says whether one waits for an operator. */
async function lookForUnknown({ drivers }) {
  const open = drivers
    .flatMap((driver) => driver.latest)
    .find((one) => one.type === 'barrow.payment.v1' && one.data.outcome === 'unknown');
  if (open === undefined) return null;
  const payment = await ask(`/v1/payments/${encodeURIComponent(open.data.intentId)}`);
  return payment.outcome === 'unknown' ? payment : null;
}

let round = 0;
async function refresh() {
  try {
    const status = await ask('/v1/status');
    Object.assign(state, { status, reachable: true, heardAt: Date.now() });
    state.unknownPayment = await lookForUnknown(status);
    // The slower figures every few rounds: a phone on the counter must not keep the kit busy.
    if (round % 3 === 0) [state.prices, state.kpi] = await Promise.all([ask('/v1/prices'), ask('/v1/kpi')]);
    if (round % 3 === 0) await loadLogs();
    round += 1;
  } catch (error) {
    if (!(error instanceof KitError)) state.reachable = false;
    else console.warn('refresh', error);
  }
  render();
}

async function run() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

document.addEventListener('visibilitychange', () => void (document.hidden ? null : refresh()));
const begun = Date.now();
void follow(
  (event) => {
    if (state.events.some((known) => known.id === event.id)) return;
    state.events = [{ ...event, fresh: Date.now() - begun > 3_000 }, ...state.events].slice(0, MAX_EVENTS);
    if (!state.paused && state.status !== null) renderLive();
  },
  (streaming) => set({ streaming }),
);
void run();
