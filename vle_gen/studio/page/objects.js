// The list of objects: a thumbnail and a name for each, nearest first.

import { thumbnail } from './images.js';

export class Objects {
  /** `calls`: hover(index|null), choose(index, event). */
  constructor(list, count, calls) {
    Object.assign(this, { list, count, calls });
  }

  show(view) {
    this.count.textContent = view.tokens.length;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.index : null;
    const items = [...view.tokens].sort((a, b) => a.depth - b.depth).map((token) => this.item(token));
    if (!items.length) {
      const none = document.createElement('li');
      none.className = 'none';
      const wordless = document.body.classList.contains('wordless');
      none.textContent = `No objects here. Draw a box around one${wordless ? '' : ', add one below'}, or open another picture.`;
      const show = document.createElement('button');
      Object.assign(show, { type: 'button', className: 'chip', textContent: 'Draw a box' });
      show.dataset.do = 'point-out';
      none.append(show);
      items.push(none);
    }
    this.list.replaceChildren(...items);
    if (focused !== null) this.list.querySelector(`[data-index="${focused}"]`)?.focus();
  }

  item(token) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.index = token.index;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 96;
    canvas.setAttribute('aria-hidden', 'true');
    thumbnail(canvas, token);
    const name = document.createElement('span');
    name.textContent = token.label;
    button.append(canvas, name);
    button.addEventListener('click', (event) => this.calls.choose(token.index, event));
    button.addEventListener('pointerenter', () => this.calls.hover(token.index));
    button.addEventListener('pointerleave', () => this.calls.hover(null));
    item.append(button);
    return item;
  }

  /** `which`: indices of what is chosen, the last one last. */
  mark(hovered, which) {
    const chosen = which.at(-1) ?? null;
    for (const button of this.list.querySelectorAll('[data-index]')) {
      const index = Number(button.dataset.index);
      button.classList.toggle('hovered', index === hovered);
      button.setAttribute('aria-pressed', which.includes(index));
      if (index === chosen && this.last !== chosen) button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    this.last = chosen;
  }
}
