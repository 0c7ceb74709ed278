import { $, h, show } from './dom.client.js';
import { count, money, percent } from './kit.client.js';

const RULES_WORDS = {
  'in-force': 'in force',
  'not-yet-valid': 'not valid yet',
  expired: 'expired',
  killed: 'switched off',
};

export function renderPrices({ state }) {
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
