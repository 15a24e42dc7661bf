// Forms of one line of words.

import { settle } from './messages.js';

/** What a form says is asked for once, however often it is sent before that is done. */
export function onSubmit(form, field, ask) {
  let asked = null;
  field.addEventListener('input', settle);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text || text === asked) return;
    asked = text;
    const done = await ask(text);
    if (asked === text) asked = null;
    if (done && field.value.trim() === text) field.value = '';
  });
}
