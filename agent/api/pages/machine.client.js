import { $, h, show } from './dom.client.js';
import { bytes, clockTime, download, span, tell } from './kit.client.js';

const CLOCK_WORDS = { synced: 'synchronised', estimated: 'estimated', unset: 'not set' };

export function renderKit({ state, act }) {
  const { kit, version, uptimeS, clock, machine, now, ledger } = state.status;
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
            act('The support bundle is saved.', () => download('/v1/support-bundle', 'barrow-support.json')),
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
