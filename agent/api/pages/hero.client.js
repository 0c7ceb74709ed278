import { $, h, show } from './dom.client.js';
import { count, span } from './kit.client.js';
import { BROKEN } from './words.client.js';

/** Who the kit is, and a way to find it in a pile of boxes. */
export function renderTop(view) {
  const { kit } = view.state.status;
  document.title = `${readiness(view.state).word} · ${kit.id}`;
  show(
    $('top'),
    h('img', { src: '/pages/icon.svg', alt: '' }),
    h('div', { class: 'name' }, kit.id, h('small', {}, [kit.node, kit.group].filter(Boolean).join(' · ') || 'Barrow')),
    h('div', { class: 'end' }, h('button', { type: 'button', onclick: () => view.identify(null) }, 'Identify kit')),
  );
}

function readiness(state) {
  if (!state.reachable) return { word: 'Out of reach', tone: '' };
  const { ready, reasons } = state.status;
  if (!ready) return { word: 'Not ready', tone: 'bad' };
  return { word: 'Ready', tone: reasons.length === 0 ? 'good' : 'warn' };
}

function heroLine(state) {
  const { drivers, reasons, ledger, uplink } = state.status;
  if (!state.reachable)
    return `Last heard ${span((Date.now() - state.heardAt) / 1_000)} ago. Check that the kit has power and that this device is in its network.`;
  const pending = ledger.streams.reduce((sum, stream) => sum + stream.pendingRows, 0);
  if (reasons.length > 0) return reasons.length === 1 ? 'One thing to do:' : `${reasons.length} things to do:`;
  const working = drivers.filter((driver) => !BROKEN.has(driver.state)).length;
  const devicesLine =
    drivers.length === 0
      ? 'No devices are set up.'
      : working === 1
        ? 'The one device delivers.'
        : `All ${count(working)} devices deliver.`;
  return `${devicesLine} ${uplink.state === 'off' ? 'Events stay on the kit: no broker is set.' : waiting(pending)}`;
}

function waiting(pending) {
  if (pending === 0) return 'Nothing waits to be sent.';
  return pending === 1 ? 'One event is on its way.' : `${count(pending)} events are on their way.`;
}

/** One word, and what to do. */
export function renderHero({ state, restart }) {
  const { status } = state;
  const { word, tone } = readiness(state);
  $('hero').className = `hero ${tone}`;
  show(
    $('hero'),
    h('h1', { role: 'status', 'aria-live': 'polite' }, word),
    h('p', {}, heroLine(state)),
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
