// Dialogs for whoever stands before a shelf or a camera. They show numbers for kit.yaml and change nothing themselves.
import { h, show } from './dom.client.js';
import { ask, clockTime, count, KitError, tell } from './kit.client.js';

/** The sensors of a shelf driver that weigh. */
export function weighed(driver) {
  if (driver.type !== 'ble-shelf') return [];
  const ids = driver.latest
    .filter(
      ({ type, data }) =>
        (type === 'barrow.sensor.v1' && (data.measurements ?? []).some(({ name }) => name === 'mass')) ||
        (type === 'barrow.shelf.count.v1' && typeof data.grams === 'number'),
    )
    .map(({ subject }) => subject);
  return [...new Set(ids)].sort();
}

/** A modal dialog that is gone when it is closed; `draw(show again)` fills it. */
function openDialog(name, title) {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', `${name}-title`);
  document.body.append(dialog);
  const gone = new AbortController();
  dialog.addEventListener('close', () => {
    gone.abort();
    dialog.remove();
  });
  const draw = (...children) =>
    show(
      dialog,
      h('h2', { id: `${name}-title` }, title),
      ...children,
      h(
        'div',
        { class: 'actions', 'data-key': 'close' },
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Close'),
      ),
    );
  return { dialog, draw, signal: gone.signal };
}

function words(error) {
  return error instanceof KitError ? `${error.message}. ${error.hint}.` : 'The kit cannot be reached.';
}

/** Two weighings, then the numbers. */
export function openCalibration(driverId, sensors) {
  const { dialog, draw, signal } = openDialog('calibrate', `Calibrate a shelf of ${driverId}`);
  const state = { sensor: sensors[0], items: 5, empty: null, full: null, result: null, busy: false, said: '' };

  async function measure(which) {
    Object.assign(state, {
      busy: true,
      result: null,
      said: 'Measuring; leave the shelf alone for a quarter of a minute …',
    });
    render();
    try {
      const path = `/v1/drivers/${encodeURIComponent(driverId)}/sensors/${encodeURIComponent(state.sensor)}/weight`;
      const { grams, noiseGrams, weights } = await ask(path, { signal });
      state[which] = { grams, noiseGrams, weights };
      state.said = `${which === 'empty' ? 'Empty' : `With ${state.items} items`}: ${count(Math.round(grams))} g.`;
      if (state.empty !== null && state.full !== null) {
        state.result = await tell('/v1/calibrations', { items: state.items, empty: state.empty, full: state.full });
        state.said = 'Done. Write these numbers into kit.yaml, then reload.';
      }
    } catch (error) {
      if (signal.aborted) return;
      state.said = words(error);
    }
    state.busy = false;
    render();
  }

  function restartWith(change) {
    Object.assign(state, { empty: null, full: null, result: null, said: '' }, change);
    render();
  }

  function step(which, text) {
    const done = state[which];
    return h(
      'li',
      {},
      h('span', {}, text, done === null ? '' : ` – ${count(Math.round(done.grams))} g`),
      ' ',
      h(
        'button',
        {
          type: 'button',
          class: 'soft',
          disabled: state.busy || (which === 'full' && state.empty === null),
          onclick: () => void measure(which),
        },
        which === 'empty' ? 'Measure empty' : 'Measure with items',
      ),
    );
  }

  function render() {
    const { result } = state;
    draw(
      h(
        'div',
        { class: 'fields' },
        h(
          'label',
          {},
          'Sensor',
          h(
            'select',
            { disabled: state.busy, onchange: (event) => restartWith({ sensor: event.target.value }) },
            sensors.map((id) => h('option', { value: id }, id)),
          ),
        ),
        h(
          'label',
          {},
          'Items',
          h('input', {
            type: 'number',
            min: 1,
            max: 1000,
            value: 5,
            inputmode: 'numeric',
            disabled: state.busy,
            onchange: (event) =>
              restartWith({ items: Math.max(1, Math.min(1_000, Math.round(event.target.value) || 1)) }),
          }),
        ),
      ),
      h(
        'ol',
        { class: 'steps' },
        step('empty', 'Take everything off the shelf'),
        step('full', `Put ${state.items} items on it`),
      ),
      h('p', { role: 'status', 'data-key': 'said' }, state.said),
      result === null
        ? null
        : h(
            'pre',
            { 'data-key': 'numbers', tabindex: 0, 'aria-label': 'Numbers for kit.yaml' },
            `# ${state.sensor}, under sensors:\n` +
              ['unitGrams', 'emptyGrams', 'noiseGrams', 'quantumGrams']
                .map((name) => `${name}: ${result[name]}`)
                .join('\n'),
          ),
      result === null || result.countable
        ? null
        : h(
            'p',
            { class: 'trouble', 'data-key': 'light' },
            'One item weighs too little for this sensor to be counted by weight.',
          ),
    );
  }

  render();
  dialog.showModal();
}

/** Opens the page with the live picture, which only the kit itself can show. */
export async function openAim(driverId) {
  const { dialog, draw, signal } = openDialog('aim', `Aim ${driverId}`);
  draw(h('p', { role: 'status' }, 'Opening the camera …'));
  dialog.showModal();
  try {
    const { url, endsAt } = await tell(`/v1/drivers/${encodeURIComponent(driverId)}/aim`);
    if (signal.aborted) return;
    const here = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
    const { port } = new URL(url);
    draw(
      h('p', { role: 'status' }, `A page with the live picture is open until ${clockTime(endsAt)}.`),
      here
        ? h('p', {}, h('a', { href: url, target: '_blank', rel: 'noreferrer' }, 'Draw the lines on the picture'))
        : [
            h(
              'p',
              {},
              'The picture never leaves the kit by itself. Type this on a laptop, then open the address there:',
            ),
            h('pre', { tabindex: 0 }, `ssh -L ${port}:127.0.0.1:${port} ${location.hostname}\n${url}`),
          ],
    );
  } catch (error) {
    if (!signal.aborted) draw(h('p', { role: 'status', class: 'trouble' }, words(error)));
  }
}
