// Asks for the kit's token in a dialog of the page itself.
import { h, show } from './dom.client.js';
import { onTokenAsked } from './kit.client.js';

let asking = null;

onTokenAsked(() => {
  asking ??= new Promise((resolve) => {
    const dialog = document.createElement('dialog');
    dialog.className = 'token';
    dialog.setAttribute('aria-labelledby', 'token-title');
    document.body.append(dialog);
    const submit = (event) => {
      event.preventDefault();
      const token = dialog.querySelector('input').value.trim();
      if (token === '') return;
      dialog.close();
      dialog.remove();
      asking = null;
      resolve(token);
    };
    show(
      dialog,
      h('h2', { id: 'token-title' }, 'This kit asks for its token'),
      h('p', { class: 'quiet' }, 'It is on the label in the box, or in the file that api.token in kit.yaml names.'),
      h(
        'form',
        { onsubmit: submit },
        h('label', { for: 'token' }, 'Token'),
        h('input', { id: 'token', type: 'password', autocomplete: 'current-password', required: true }),
        h('button', { class: 'primary', type: 'submit' }, 'Unlock'),
      ),
    );
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.showModal();
  });
  return asking;
});
