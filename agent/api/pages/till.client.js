// A till small enough to try the kit with: scan or tap, quote, pay, record.
import { $, h, show } from './dom.client.js';
import { ask, count, follow, KitError, money, newKey, tell } from './kit.client.js';
import './token.client.js';

const PENDING = 'barrow-till-checkout';
const state = { prices: [], currency: 'EUR', lines: [], quote: null, busy: null, message: null, tone: '' };

async function loadPrices() {
  try {
    const { prices, currency } = await ask('/v1/prices');
    Object.assign(state, { prices, currency });
  } catch (error) {
    say('bad', words(error));
  }
  render();
}

function words(error) {
  return error instanceof KitError ? `${error.message}. ${error.hint}.` : 'The kit cannot be reached.';
}

function say(tone, message) {
  Object.assign(state, { tone, message });
  render();
}

async function add(code) {
  if (state.busy !== null || code === '') return;
  const digits = code.padStart(14, '0');
  const article = state.prices.find(
    (price) => price.sku === code || (price.gtin !== null && price.gtin.padStart(14, '0') === digits),
  );
  if (article === undefined) {
    say('bad', `“${code}” is not in the catalogue.`);
    return;
  }
  const line = state.lines.find((one) => one.sku === article.sku);
  if (line === undefined) state.lines.push({ sku: article.sku, qty: 1 });
  else line.qty += 1;
  state.message = null;
  await quote();
}

async function change(sku, by) {
  state.lines = state.lines
    .map((line) => (line.sku === sku ? { ...line, qty: line.qty + by } : line))
    .filter((line) => line.qty > 0);
  await quote();
}

let asked = 0;
/** The total is always the kit's: caps count over the whole basket. */
async function quote() {
  asked += 1;
  const mine = asked;
  state.quote = null;
  render();
  if (state.lines.length === 0) return;
  try {
    const answer = await tell('/v1/quotes', { lines: state.lines });
    if (mine === asked) state.quote = answer;
  } catch (error) {
    say('bad', words(error));
  }
  render();
}

/** The keys are kept before anything is asked for: a page that is reloaded goes on with the same payment and sale. */
async function checkOut(method) {
  const checkout = { key: newKey(), method, quote: state.quote, intentId: null };
  sessionStorage.setItem(PENDING, JSON.stringify(checkout));
  await goOn(checkout);
}

async function goOn(checkout) {
  state.busy = checkout;
  try {
    if (checkout.method === 'card' && !(await paid(checkout))) return;
    const { quote: basket } = checkout;
    const sale = await tell('/v1/sales', saleOf(checkout, basket), `${checkout.key}-sale`);
    Object.assign(state, { lines: [], quote: null });
    done();
    say('good', `Sold for ${money(sale.totalMinor, state.currency)}. Number ${sale.sequence}.`);
  } catch (error) {
    if (error instanceof KitError) done();
    say('bad', words(error));
  }
}

function done() {
  sessionStorage.removeItem(PENDING);
  state.busy = null;
}

async function paid(checkout) {
  say('', `Present the card: ${money(checkout.quote.totalMinor, state.currency)}`);
  const body = { amountMinor: checkout.quote.totalMinor, currency: state.currency, quoteId: checkout.quote.quoteId };
  let payment = await tell('/v1/payments', body, `${checkout.key}-pay`);
  checkout.intentId = payment.intentId;
  while (payment.outcome === 'pending')
    payment = await ask(`/v1/payments/${encodeURIComponent(payment.intentId)}?waitS=25`);
  checkout.payment = payment;
  if (payment.outcome === 'approved') return true;
  done();
  say(
    'bad',
    payment.outcome === 'unknown'
      ? 'Nobody knows whether the card was charged. Answer on the status page before you go on.'
      : `The card was not charged (${payment.reason ?? payment.outcome}).`,
  );
  return false;
}

function saleOf({ method, payment }, basket) {
  const card =
    payment === undefined
      ? {}
      : {
          intentId: payment.intentId,
          terminalId: payment.terminalId ?? undefined,
          receiptNo: payment.receiptNo ?? undefined,
          maskedPan: payment.maskedPan ?? undefined,
        };
  return {
    quoteId: basket.quoteId,
    lines: basket.lines.map((line) => ({
      sku: line.sku,
      qty: line.qty,
      listUnitMinor: line.listMinor,
      netMinor: line.lineMinor,
      ...(line.ruleId === null ? {} : { ruleId: line.ruleId }),
      ...(line.decision === null ? {} : { decision: line.decision }),
    })),
    totalMinor: basket.totalMinor,
    tender: { method, amountMinor: basket.totalMinor, ...card },
  };
}

async function abort() {
  if (state.busy?.intentId)
    await tell(`/v1/payments/${encodeURIComponent(state.busy.intentId)}/abort`).catch((error) =>
      say('bad', words(error)),
    );
}

function render() {
  show(
    $('articles'),
    state.prices.map((price) =>
      h(
        'button',
        { type: 'button', 'data-key': price.sku, disabled: state.busy !== null, onclick: () => add(price.sku) },
        h('span', {}, price.sku),
        h('b', {}, money(price.priceMinor, state.currency)),
      ),
    ),
  );
  const priced = new Map((state.quote?.lines ?? []).map((line) => [line.sku, line]));
  const busy = state.busy !== null;
  show(
    $('basket'),
    state.message === null ? null : h('p', { class: `message ${state.tone}`, role: 'status' }, state.message),
    state.lines.length === 0 && state.message === null
      ? h('p', { class: 'quiet' }, 'Scan an article or tap one.')
      : null,
    h(
      'ol',
      { class: 'lines' },
      state.lines.map((line) => row(line, priced.get(line.sku), busy)),
    ),
    h(
      'p',
      { class: 'total' },
      h('span', {}, 'To pay'),
      h(
        'b',
        {},
        state.quote === null
          ? state.lines.length === 0
            ? money(0, state.currency)
            : '…'
          : money(state.quote.totalMinor, state.currency),
      ),
    ),
    busy && state.busy.method === 'card'
      ? h('div', { class: 'pay' }, h('button', { type: 'button', onclick: abort }, 'Stop the payment'))
      : h(
          'div',
          { class: 'pay' },
          h(
            'button',
            {
              type: 'button',
              class: 'primary',
              disabled: busy || state.quote === null,
              onclick: () => checkOut('card'),
            },
            'Card',
          ),
          h(
            'button',
            { type: 'button', disabled: busy || state.quote === null, onclick: () => checkOut('cash') },
            'Cash',
          ),
        ),
  );
}

function row(line, priced, busy) {
  return h(
    'li',
    { 'data-key': line.sku },
    h(
      'span',
      { class: 'name' },
      line.sku,
      priced !== undefined && priced.discountMinor > 0
        ? h('small', {}, `${money(priced.discountMinor, state.currency)} off`)
        : null,
    ),
    h(
      'span',
      { class: 'steps' },
      h(
        'button',
        { type: 'button', disabled: busy, 'aria-label': `One ${line.sku} less`, onclick: () => change(line.sku, -1) },
        '−',
      ),
      h('span', { 'aria-label': 'quantity' }, count(line.qty)),
      h(
        'button',
        { type: 'button', disabled: busy, 'aria-label': `One ${line.sku} more`, onclick: () => change(line.sku, 1) },
        '+',
      ),
    ),
    h('span', {}, priced === undefined ? '…' : money(priced.lineMinor, state.currency)),
  );
}

$('add').addEventListener('submit', (event) => {
  event.preventDefault();
  const code = $('code').value.trim();
  $('code').value = '';
  void add(code);
});

void follow(
  (event) => {
    // The kit's own scanner puts articles into the basket too.
    if (event.type === 'barrow.scan.v1') void add(event.data.gtin14 ?? event.data.text ?? '');
    if (event.stream === 'price') void loadPrices();
  },
  () => undefined,
  0,
);
await loadPrices();
const kept = sessionStorage.getItem(PENDING);
if (kept !== null) {
  const checkout = JSON.parse(kept);
  Object.assign(state, { lines: checkout.quote.lines.map(({ sku, qty }) => ({ sku, qty })), quote: checkout.quote });
  await goOn(checkout);
}
