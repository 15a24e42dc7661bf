// The colours that the chosen object can be painted in: those with names as buttons, and any other.

import * as api from './api.js';

/** Fills `list` with a button for each colour; `paint(colour)` is called with a name, or with #rrggbb from the field `any`. */
export async function palette(list, any, paint) {
  any.addEventListener('change', () => paint(any.value));
  const colours = await api.colours();
  list.replaceChildren(...colours.map(({ name, value }) => {
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
