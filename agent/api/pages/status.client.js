import { $, h, show } from './dom.client.js';
import { ask, follow, KitError, tell } from './kit.client.js';
import { renderDay } from './day.client.js';
import { renderDelivery } from './delivery.client.js';
import { devices } from './devices.client.js';
import { renderHero, renderTop } from './hero.client.js';
import { renderLive } from './live.client.js';
import { renderLogs } from './logs.client.js';
import { renderKit } from './machine.client.js';
import { renderUnknown } from './payment.client.js';
import { renderPrices } from './prices.client.js';
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

function set(change, then = render) {
  Object.assign(state, change);
  void then();
}

/** What the sections may see and do. */
const view = { state, set, act, toast, restart, identify, loadLogs };

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
  // Nothing runs: only what is wrong, the machine and the log are worth a look.
  document.body.classList.toggle('held', status.ledger.epoch === '' && status.drivers.length === 0);
  renderTop(view);
  renderHero(view);
  renderUnknown(view);
  show(
    $('devices-body'),
    devices(status, {
      onlyBroken: state.onlyBroken,
      toggle: () => set({ onlyBroken: !state.onlyBroken }),
      restart,
      identify,
    }),
  );
  renderDelivery(view);
  renderPrices(view);
  renderDay(view);
  renderKit(view);
  renderLogs(view);
  if (!state.paused) renderLive(view);
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

/** Also after a restart of the kit: its ledger knows which payments nobody has answered for. */
async function unknownPayment() {
  const { payments } = await ask('/v1/payments');
  return payments.find((payment) => payment.outcome === 'unknown') ?? null;
}

let round = 0;
async function refresh() {
  try {
    const status = await ask('/v1/status');
    Object.assign(state, { status, reachable: true, heardAt: Date.now() });
    state.unknownPayment = await unknownPayment();
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
    if (!state.paused && state.status !== null) renderLive(view);
  },
  (streaming) => set({ streaming }),
);
void run();
