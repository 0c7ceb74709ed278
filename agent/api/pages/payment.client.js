import { $, h, show } from './dom.client.js';
import { money, tell } from './kit.client.js';

/** The operator's word on a payment whose outcome nobody knows. */
export function renderUnknown({ state, act, toast }) {
  const payment = state.unknownPayment;
  const answer = (outcome) => async () => {
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
            h('button', { type: 'button', onclick: answer('approved') }, 'It was taken'),
            h('button', { type: 'button', onclick: answer('declined') }, 'It was not taken'),
            h('button', { type: 'button', onclick: answer('reversed') }, 'It was reversed'),
          ),
        ),
  );
}
