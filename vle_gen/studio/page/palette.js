// The colours that the chosen object can be painted in: those with names as buttons, and any other.

import * as api from './api.js';

/** Puts a button for each colour into `list`, before the field `any`; `paint(colour)` is called with a name, or with #rrggbb. */
export async function palette(list, any, paint) {
  any.addEventListener('change', () => paint(any.value));
  const colours = await api.colours();
  list.prepend(...colours.map(({ name, value }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'swatch';
    button.title = name;
    button.setAttribute('aria-label', name);
    button.style.setProperty('--colour', value);
    button.addEventListener('click', () => paint(name));
    return button;
  }));
}
