// What the page says: what it is doing, and what went wrong.

const progress = document.querySelector('#progress');
const status = document.querySelector('#status');
const trouble = document.querySelector('#trouble');
const doing = new Set();
let fading = 0;

/** Says `text` for as long as `work` runs; the result of `work`. Short work is not worth a word. */
export async function during(text, work) {
  const note = { text };
  const later = setTimeout(() => {
    doing.add(note);
    show();
  }, 180);
  document.body.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    clearTimeout(later);
    doing.delete(note);
    show();
  }
}

function show() {
  const last = [...doing].pop();
  progress.hidden = !last;
  if (last) say(last.text, true);
  else {
    document.body.removeAttribute('aria-busy');
    if (status.dataset.busy) say('');
  }
}

/** Says something that needs no answer. */
export function say(text, busy = false) {
  clearTimeout(fading);
  status.textContent = text;
  status.dataset.busy = busy ? 'yes' : '';
  if (text && !busy) fading = setTimeout(() => say(''), 6000);
}

export function complain(fault) {
  if (!fault.status && fault.name !== 'Error') console.error(fault);
  trouble.querySelector('p').textContent = fault.message;
  trouble.hidden = false;
}

export function settle() {
  trouble.hidden = true;
}

trouble.querySelector('button').addEventListener('click', settle);
