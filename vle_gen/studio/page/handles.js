// The box about the chosen object, with a handle at each corner: dragging one makes the object larger or smaller.

const SVG = 'http://www.w3.org/2000/svg';
const CORNERS = [['left', 'top'], ['right', 'top'], ['right', 'bottom'], ['left', 'bottom']];
const GAP = 5; // screen pixels between the object's box and the one that is shown
const NEAR = 12; // screen pixels: a handle that is nearer to what stays where it is cannot tell sizes apart
const REACH = matchMedia('(pointer: coarse)').matches ? 20 : 13; // screen pixels around a handle that take hold of it
const CLEAR = 12; // screen pixels around the middle of a small object that are left for dragging it

export class Handles {
  /** `calls`: size(factor) while one is dragged, sized(factor) when it is let go, cancel(). */
  constructor(svg, calls) {
    this.svg = svg;
    this.calls = calls;
    this.press = null;
    this.box = document.createElementNS(SVG, 'rect');
    this.grips = CORNERS.map(([across, down]) => {
      const group = document.createElementNS(SVG, 'g');
      group.setAttribute('class', (across === 'left') === (down === 'top') ? 'grip falling' : 'grip rising');
      for (const [name, radius] of [['reach', REACH], ['knob', 5]]) {
        const circle = document.createElementNS(SVG, 'circle');
        circle.setAttribute('class', name);
        circle.setAttribute('r', radius);
        group.append(circle);
      }
      group.addEventListener('pointerdown', (event) => this.down(event, group));
      group.addEventListener('pointermove', (event) => this.moved(event));
      group.addEventListener('pointerup', (event) => this.up(event));
      group.addEventListener('pointercancel', () => this.cancel());
      return group;
    });
    svg.append(this.box, ...this.grips);
  }

  /** Where the chosen object's box is now, in pixels of the frame, which is `width` x `height`; and the point of it that stays
   * where it is, whatever the size. */
  place(box, anchor, width, height) {
    this.anchor = anchor;
    this.svg.toggleAttribute('hidden', !box);
    if (!box) return;
    const wide = box.right - box.left, high = box.bottom - box.top;
    const out = Math.max(GAP, (REACH + CLEAR - Math.hypot(wide, high) / 2) / Math.SQRT2);
    const within = (value, most) => Math.min(most, Math.max(0, value));
    const edges = {
      left: within(box.left - out, width), right: within(box.right + out, width),
      top: within(box.top - out, height), bottom: within(box.bottom + out, height),
    };
    Object.entries({ x: edges.left, y: edges.top, width: edges.right - edges.left, height: edges.bottom - edges.top })
      .forEach(([name, value]) => this.box.setAttribute(name, value));
    CORNERS.forEach(([across, down], k) => {
      const [x, y] = [edges[across], edges[down]];
      this.grips[k].setAttribute('transform', `translate(${x} ${y})`);
      const lost = Math.hypot(x - anchor.x, y - anchor.y) < NEAR;
      this.grips[k].toggleAttribute('hidden', lost && !this.press);
    });
  }

  down(event, group) {
    if (event.button || this.press) return;
    event.preventDefault();
    group.setPointerCapture(event.pointerId);
    const [x, y] = this.fromAnchor(event, this.anchor);
    this.press = { id: event.pointerId, anchor: this.anchor, x, y, factor: 1 };
  }

  moved(event) {
    const press = this.press;
    if (!press || event.pointerId !== press.id) return;
    const [x, y] = this.fromAnchor(event, press.anchor);
    press.factor = Math.max(0, (x * press.x + y * press.y) / (press.x ** 2 + press.y ** 2));
    this.calls.size(press.factor);
  }

  up(event) {
    const press = this.press;
    if (!press || event.pointerId !== press.id) return;
    this.press = null;
    this.calls.sized(press.factor);
  }

  cancel() {
    if (!this.press) return;
    this.press = null;
    this.calls.cancel();
  }

  fromAnchor(event, anchor) {
    const frame = this.svg.getBoundingClientRect();
    return [event.clientX - frame.left - anchor.x, event.clientY - frame.top - anchor.y];
  }
}
