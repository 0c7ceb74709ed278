// Prices for customers: what the article costs now, and what it cost before only where the merchant announces it.
import { h, show } from './dom.client.js';
import { ask, follow, KitError, money } from './kit.client.js';
import './token.client.js';

const REFRESH_MS = 5_000;
const wanted = new URLSearchParams(location.search).getAll('sku');
let heardAt = 0;

function label({ sku, priceMinor, priorPriceMinor, announce }, currency) {
  const reduced = announce && priorPriceMinor !== null;
  const now = money(priceMinor, currency);
  return h(
    'article',
    { class: `label${reduced ? ' lower' : ''}${now.length > 7 ? ' long' : ''}`, 'data-key': sku },
    h('h2', {}, sku),
    h('p', { class: 'now' }, now),
    h('p', { class: 'was' }, reduced ? ['before ', h('s', {}, money(priorPriceMinor, currency))] : ''),
  );
}

async function refresh() {
  const note = document.getElementById('note');
  try {
    const { prices, currency } = await ask('/v1/prices');
    const shown = wanted.length === 0 ? prices : prices.filter((price) => wanted.includes(price.sku));
    heardAt = Date.now();
    document.getElementById('shelf').className = `labels${shown.length === 1 ? ' one' : ''}`;
    show(
      document.getElementById('shelf'),
      shown.map((price) => label(price, currency)),
    );
    note.textContent = shown.length === 0 ? 'No prices yet. Please ask.' : '';
  } catch (error) {
    // A price that may be old is no price: the till's is what counts.
    if (Date.now() - heardAt > 60_000) show(document.getElementById('shelf'));
    note.textContent = error instanceof KitError ? error.message : 'Prices are being refreshed. Please ask.';
  }
}

void follow(
  (event) => (event.stream === 'price' ? void refresh() : undefined),
  () => undefined,
  0,
);
void refresh();
setInterval(refresh, REFRESH_MS);
