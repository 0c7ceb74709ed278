import { $, h, show } from './dom.client.js';
import { count, money, percent } from './kit.client.js';

export function renderDay({ state }) {
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
