// The picture: the exact render at rest, and while something is dragged the layers, composited on a canvas.

import { Handles } from './handles.js';
import { imageOf, outline } from './images.js';
import { STILL, at, isStill, stretch } from './shift.js';

const SVG = 'http://www.w3.org/2000/svg';
const SLACK = 4; // screen pixels that a press may slip and still be a click

export class Stage {
  /** `calls`: hover(index|null), choose(index|null, more) where `more` leaves what was chosen chosen, adding(event) whether that
   * is so, drag(index, dx, dy), drop(index, dx, dy), cancel(); and of the chosen one's handles size(factor), sized(factor). */
  constructor(root, calls) {
    this.canvas = root.querySelector('canvas');
    this.svg = root.querySelector('#outlines');
    this.tag = root.querySelector('#tag');
    this.root = root;
    this.calls = calls;
    this.context = this.canvas.getContext('2d');
    this.handles = new Handles(root.querySelector('#handles'), calls);
    this.shifts = new Map();
    this.which = [];
    this.press = null;
    this.locked = false;
    this.times = 1; // as large as the picture fits
    this.svg.addEventListener('pointerdown', (event) => this.down(event));
    this.svg.addEventListener('pointermove', (event) => this.moved(event));
    this.svg.addEventListener('pointerup', (event) => this.up(event));
    this.svg.addEventListener('pointercancel', () => this.cancel());
    this.svg.addEventListener('pointerleave', () => this.press || this.calls.hover(null));
    new ResizeObserver(() => this.fit()).observe(root.parentElement);
  }

  /** A view whose images are loaded, and its exact render. */
  show(view, picture) {
    this.view = view;
    this.picture = picture;
    if (this.canvas.width !== view.width || this.canvas.height !== view.height) {
      Object.assign(this.canvas, { width: view.width, height: view.height });
      this.svg.setAttribute('viewBox', `0 0 ${view.width} ${view.height}`);
      this.fit();
    }
    this.farToNear = [...view.tokens].sort((a, b) => b.depth - a.depth);
    this.groups = new Map();
    this.svg.replaceChildren(...this.farToNear.map((token) => this.group(token)));
    this.draw();
  }

  group(token) {
    const group = document.createElementNS(SVG, 'g');
    group.dataset.index = token.index;
    const { path, left, top } = outline(token);
    for (const kind of ['hit', 'rim', 'line']) {
      const shape = document.createElementNS(SVG, 'path');
      shape.setAttribute('class', kind);
      shape.setAttribute('d', path);
      shape.setAttribute('transform', `translate(${left} ${top})`);
      group.append(shape);
    }
    this.groups.set(token.index, group);
    return group;
  }

  /** Where tokens are shown, by index, while the server does not know yet; and the picture without one of them, or null. */
  place(shifts, behind) {
    this.shifts = shifts;
    this.behind = behind;
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.draw());
  }

  /** `which`: indices of what is chosen. */
  mark(hovered, which) {
    this.hovered = hovered;
    this.which = which;
    this.chosen = which.length === 1 ? which[0] : null; // the one that has handles
    this.dress();
  }

  dress() {
    if (!this.view) return;
    for (const [index, group] of this.groups) {
      const shift = this.shifts.get(index) || STILL;
      group.setAttribute('class', `${index === this.hovered ? 'hovered ' : ''}${this.which.includes(index) ? 'chosen' : ''}`);
      group.setAttribute('transform', `translate(${shift.x} ${shift.y}) scale(${shift.scale})`);
    }
    this.svg.classList.toggle('dragging', Boolean(this.press?.dragging || this.handles.press));
    this.label();
    this.hold();
  }

  /** Handles about the chosen token, where it is shown. */
  hold() {
    const token = this.locked || this.press?.dragging ? null : this.view.tokens.find((t) => t.index === this.chosen);
    if (!token) return this.handles.place(null);
    const shift = this.shifts.get(token.index) || STILL;
    const box = bounds(token, shift);
    const [x, y] = at(shift, token.x, token.y + token.height / 2);
    const shown = Object.fromEntries(Object.entries(box).map(([edge, value]) => [edge, value * this.zoom]));
    this.handles.place(shown, { x: x * this.zoom, y: y * this.zoom }, this.view.width * this.zoom, this.view.height * this.zoom);
  }

  label() {
    const busy = this.press?.dragging || this.handles.press;
    const index = busy || this.hovered === this.chosen ? null : this.hovered; // the chosen one is named below
    const token = this.view.tokens.find((t) => t.index === index);
    this.tag.hidden = !token;
    if (!token) return;
    const box = bounds(token, this.shifts.get(index) || STILL);
    this.tag.textContent = token.label;
    const half = Math.min(0.5, this.tag.offsetWidth / 2 / (this.view.width * this.zoom)); // of it, as a share of the picture
    const x = Math.min(1 - half, Math.max(half, (box.left + box.right) / 2 / this.view.width));
    const above = box.top / this.view.height;
    this.tag.style.left = `${100 * x}%`;
    this.tag.classList.toggle('below', above < 0.08);
    this.tag.style.top = `${100 * (above < 0.08 ? Math.min(0.94, box.bottom / this.view.height) : above)}%`;
  }

  draw() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    if (!this.view) return;
    const moving = [...this.shifts.values()].some((shift) => !isStill(shift));
    this.context.globalCompositeOperation = 'source-over';
    if (moving) this.composite();
    else this.context.drawImage(this.picture, 0, 0);
    this.dress();
  }

  composite() {
    const context = this.context;
    const lifted = this.lifted();
    context.drawImage(lifted?.picture || imageOf(this.view.floor), 0, 0);
    const depth = (token) => token.depth / (this.shifts.get(token.index)?.nearer || 1);
    let before = !lifted; // whether what is drawn now lies before what is lifted: what lies behind is in the picture already
    for (const token of [...this.view.tokens].sort((a, b) => depth(b) - depth(a))) {
      const itself = token.index === lifted?.index;
      if (!itself && (!before || (lifted && !token.sure))) continue; // what is unsure counts as what lies behind
      before = true;
      const shift = this.shifts.get(token.index) || STILL;
      const { wider, lean } = stretch(token, shift, this.view.width, this.view.height);
      for (const plane of token.planes) {
        if (lifted && !itself && plane.blend !== 'source-over') continue; // its light is in the picture too
        const image = imageOf(plane);
        const [x, y] = at(shift, plane.left, plane.top);
        context.globalCompositeOperation = plane.blend;
        if (wider !== 1 || lean !== 0) {
          context.save();
          context.transform(wider, 0, lean, 1, token.x * (1 - wider) - token.y * lean + shift.x, shift.y);
          context.drawImage(image, plane.left, plane.top);
          context.restore();
        } else if (shift.scale === 1) context.drawImage(image, x, y);
        else context.drawImage(image, x, y, image.width * shift.scale, image.height * shift.scale);
      }
    }
    context.globalCompositeOperation = 'source-over';
  }

  /** The picture without the only token that is not where it was, with its index, if it is there. */
  lifted() {
    const moving = [...this.shifts].filter(([, shift]) => !isStill(shift));
    return this.behind?.picture && moving.every(([index]) => index === this.behind.index) ? this.behind : null;
  }

  /** Shows the picture so many times as large as it fits. */
  magnify(times) {
    this.times = times;
    this.fit();
  }

  /** The largest size at which the picture fits, enlarged up to three times, or as many times larger as is asked for. */
  fit() {
    if (!this.view) return;
    const room = this.root.parentElement;
    const scale = Math.min(3, room.offsetWidth / this.view.width, room.offsetHeight / this.view.height);
    this.zoom = Math.max(scale, 0.01) * this.times;
    this.root.style.width = `${Math.floor(this.view.width * this.zoom)}px`;
    this.root.style.height = `${Math.floor(this.view.height * this.zoom)}px`;
    if (this.groups) this.dress();
  }

  under(event) {
    const group = event.target.closest?.('g');
    return group ? Number(group.dataset.index) : null;
  }

  down(event) {
    if (event.button || this.held || !this.view) return;
    const index = this.under(event);
    const more = this.calls.adding(event);
    const among = this.which.includes(index) && (more || this.which.length > 1); // all of them may be dragged now
    if (!among && !(more && index === null)) this.calls.choose(index, more);
    if (index === null || this.locked) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    this.press = { index, id: event.pointerId, x: event.clientX, y: event.clientY, dragging: false, more, among };
  }

  moved(event) {
    const press = this.press;
    if (!press) return event.pointerType === 'mouse' && this.calls.hover(this.under(event));
    if (event.pointerId !== press.id) return;
    const [x, y] = [event.clientX - press.x, event.clientY - press.y];
    if (!press.dragging && Math.hypot(x, y) < SLACK) return;
    press.dragging = true;
    press.dx = Math.round(x / this.zoom);
    press.dy = Math.round(y / this.zoom);
    this.calls.drag(press.index, press.dx, press.dy);
  }

  up(event) {
    const press = this.press;
    if (!press || event.pointerId !== press.id) return;
    this.press = null;
    if (press.dragging) this.calls.drop(press.index, press.dx, press.dy);
    else if (press.among) this.calls.choose(press.index, press.more);
    this.dress();
  }

  cancel() {
    this.handles.cancel();
    if (!this.press) return;
    this.press = null;
    this.calls.cancel();
  }

  /** Whether something is held. */
  get held() {
    return Boolean(this.press || this.handles.press);
  }
}

/** The box of a token's body in pixels of the picture, as shown. */
function bounds(token, shift) {
  const { left, top, box } = outline(token);
  if (!box) return { left: token.x, right: token.x, top: token.y, bottom: token.y };
  const [x, y] = at(shift, left + box.left, top + box.top);
  const [right, bottom] = at(shift, left + box.right, top + box.bottom);
  return { left: x, top: y, right, bottom };
}
