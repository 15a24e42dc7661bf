// The colours that the chosen objects can be painted in, those with names as buttons and any other; and a slider of the hue.

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

/** A slider by which the hue is turned: `turn(degrees)` is called with how far it is from where `show` put it. */
export class Hue {
  constructor(slider, said, turn) {
    Object.assign(this, { slider, said });
    this.start = 0;
    slider.addEventListener('input', () => {
      this.say();
      turn(Number(slider.value) - this.start);
    });
  }

  /** Shows by how many degrees something is turned. */
  show(turned) {
    this.start = ((Math.round(turned) + 180 + 360) % 360) - 180;
    this.slider.value = this.start;
    this.say();
  }

  say() {
    const value = Number(this.slider.value);
    this.said.textContent = `${value > 0 ? '+' : ''}${value}°`;
    this.slider.setAttribute('aria-valuetext', `${value} degrees`);
  }
}
