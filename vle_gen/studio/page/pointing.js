// Pointing out an object that was not found: a box is drawn about it, by hand or by keys, or it is tapped, or a mask of it painted.

import { Brush } from './brush.js';

const SLACK = 6; // screen pixels that a tap may slip
const LEAST = 4; // pixels of the picture on a side of a box that is drawn by keys
const STEP = 0.01; // of the picture's longer side, by which a key moves or sizes the box
const FIRST = 0.25; // of its sides, the box that keys begin with
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pointing {
  /** On `svg` boxes are drawn, on `canvas` a mask with a brush that `ring` shows. `calls`: picture() -> { width, height, zoom } of
   * what is shown, found(place) -> a promise of whether there was something, changed(), say(text). A place is what
   * `api.pointOut` takes. */
  constructor(svg, canvas, ring, calls) {
    this.svg = svg;
    this.calls = calls;
    this.paints = false; // a mask, and draws no box
    const { picture, changed, say } = calls;
    this.brush = new Brush(canvas, ring, { picture, changed, say, done: () => this.done(), busy: () => this.busy });
    this.on = false;
    this.busy = false;
    this.box = null; // { left, top, right, bottom } in pixels of the picture
    this.shapes = svg.querySelectorAll('rect');
    svg.addEventListener('pointerdown', (event) => this.down(event));
    svg.addEventListener('pointermove', (event) => this.moved(event));
    svg.addEventListener('pointerup', (event) => this.up(event));
    svg.addEventListener('pointercancel', () => this.cancel());
    svg.addEventListener('keydown', (event) => this.key(event));
  }

  /** By a box or, if it `paints`, by a mask. */
  begin(paints = false) {
    if (this.busy) return;
    this.on = true;
    this.paints = paints;
    this.press = null;
    this.draw(null);
    this.svg.toggleAttribute('hidden', paints);
    if (paints) this.brush.begin();
    else {
      this.brush.end();
      this.svg.focus({ preventScroll: true });
    }
    this.calls.changed();
  }

  end() {
    if (!this.on) return;
    this.on = false;
    this.press = null;
    this.svg.setAttribute('hidden', '');
    this.brush.end();
    this.calls.changed();
  }

  /** Gives up the box that is being drawn, or the stroke. */
  cancel() {
    this.brush.cancel();
    if (!this.press) return;
    this.press = null;
    this.draw(null);
  }

  draw(box) {
    this.box = box;
    const { width, height } = this.calls.picture();
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    for (const shape of this.shapes) {
      shape.toggleAttribute('hidden', !box);
      if (!box) continue;
      const sides = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
      for (const [name, value] of Object.entries(sides)) shape.setAttribute(name, value);
    }
  }

  /** Where an event is, in pixels of the picture. */
  at(event) {
    const { width, height, zoom } = this.calls.picture();
    const frame = this.svg.getBoundingClientRect();
    const within = (value, most) => Math.min(most, Math.max(0, value));
    return [within((event.clientX - frame.left) / zoom, width), within((event.clientY - frame.top) / zoom, height)];
  }

  down(event) {
    if (event.button || this.press || this.busy) return;
    this.svg.setPointerCapture(event.pointerId);
    const [x, y] = this.at(event);
    this.press = { id: event.pointerId, x, y };
    this.draw(null);
  }

  moved(event) {
    const press = this.press;
    if (!press || event.pointerId !== press.id) return;
    const [x, y] = this.at(event);
    this.draw({
      left: Math.round(Math.min(x, press.x)), top: Math.round(Math.min(y, press.y)),
      right: Math.round(Math.max(x, press.x)), bottom: Math.round(Math.max(y, press.y)),
    });
  }

  up(event) {
    const press = this.press;
    if (!press || event.pointerId !== press.id) return;
    this.press = null;
    const { width, height, zoom } = this.calls.picture();
    const box = this.box;
    if (box && Math.min(box.right - box.left, box.bottom - box.top) * zoom >= SLACK) return this.ask();
    this.draw(null);
    if (box && Math.max(box.right - box.left, box.bottom - box.top) * zoom >= SLACK) {
      return this.calls.say('That is a line: draw a box around the whole object');
    }
    return this.find({ point: [Math.min(width - 1, Math.floor(press.x)), Math.min(height - 1, Math.floor(press.y))] });
  }

  key(event) {
    const way = WAYS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (!way && event.key !== 'Enter')) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.busy) return;
    const { width, height } = this.calls.picture();
    if (!this.box) this.draw(middle(width, height));
    else if (way) this.draw(stepped(this.box, way, event.shiftKey, width, height));
    else return this.ask();
    const { left, top, right, bottom } = this.box;
    this.calls.say(`Box at ${left}, ${top}, ${right - left} × ${bottom - top}. Enter finds what is in it`);
  }

  ask() {
    const { left, top, right, bottom } = this.box;
    return this.find({ box: [left, top, right - left, bottom - top] });
  }

  /** What is marked is to be found. */
  async done() {
    if (!this.paints || this.busy) return;
    this.busy = true; // what is marked stays as it is
    const mask = await this.brush.mask().finally(() => (this.busy = false));
    if (mask) return this.find({ mask });
    this.calls.say('Nothing is marked yet: paint over the whole object');
  }

  async find(place) {
    this.busy = true; // the box stays until the answer is there
    const there = await this.calls.found(place).finally(() => (this.busy = false));
    if (there) this.end();
  }
}

const middle = (width, height) => {
  const [w, h] = [Math.max(LEAST, Math.round(width * FIRST)), Math.max(LEAST, Math.round(height * FIRST))];
  const [left, top] = [Math.round((width - w) / 2), Math.round((height - h) / 2)];
  return { left, top, right: left + w, bottom: top + h };
};

/** The box one step on, or with `sized` its right and lower edges alone, within the picture. */
function stepped({ left, top, right, bottom }, [x, y], sized, width, height) {
  const step = Math.max(1, Math.round(STEP * Math.max(width, height)));
  const along = (from, to, way, most) => {
    if (sized) return [from, Math.min(most, Math.max(from + LEAST, to + way * step))];
    const by = Math.max(-from, Math.min(most - to, way * step));
    return [from + by, to + by];
  };
  [left, right] = along(left, right, x, width);
  [top, bottom] = along(top, bottom, y, height);
  return { left, top, right, bottom };
}
