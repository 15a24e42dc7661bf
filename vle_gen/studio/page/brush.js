// Painting a mask: a person marks with a brush exactly which pixels are an object's, by hand or by keys.

const STEP = 0.01; // of the picture's longer side, by which a key moves the brush
const FIRST = 0.035, LEAST = 0.004, MOST = 0.25; // of the same: the brush's radius, at first and at its bounds
const GROWS = 1.3; // by a press of its buttons or keys
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HALF = 128; // of 255, from which on a pixel is marked

export class Brush {
  /** Paints on `canvas`, over which `ring` shows the brush. `calls`: picture() -> { width, height, zoom }, done() when what is
   * marked is to be found, changed() when its tools look otherwise, say(text). */
  constructor(canvas, ring, calls) {
    Object.assign(this, { canvas, ring, calls });
    this.context = canvas.getContext('2d', { willReadFrequently: true });
    this.share = FIRST;
    this.erases = false;
    this.press = null;
    canvas.addEventListener('pointerdown', (event) => this.down(event));
    canvas.addEventListener('pointermove', (event) => this.moved(event));
    canvas.addEventListener('pointerup', (event) => this.up(event));
    canvas.addEventListener('pointercancel', () => this.cancel());
    canvas.addEventListener('pointerleave', () => !this.press && this.show(null));
    canvas.addEventListener('keydown', (event) => this.key(event));
  }

  /** With nothing marked, and the keyboard at it. */
  begin() {
    const { width, height } = this.calls.picture();
    Object.assign(this.canvas, { width, height }); // also clears it
    this.press = null;
    this.erases = false;
    this.marked = false;
    this.place = null;
    this.canvas.hidden = false;
    this.canvas.focus({ preventScroll: true });
    this.calls.changed();
  }

  end() {
    this.press = null;
    this.canvas.hidden = true;
    this.show(null);
  }

  /** In pixels of the picture. */
  get radius() {
    return Math.max(1, this.share * Math.max(this.canvas.width, this.canvas.height));
  }

  size(larger) {
    this.share = Math.min(MOST, Math.max(LEAST, this.share * (larger ? GROWS : 1 / GROWS)));
    this.show(this.place ?? this.middle);
    this.calls.say(`Brush of ${Math.round(2 * this.radius)} pixels`);
  }

  erase() {
    this.erases = !this.erases;
    this.calls.changed();
  }

  get middle() {
    return [Math.round(this.canvas.width / 2), Math.round(this.canvas.height / 2)];
  }

  /** Where an event is, in pixels of the picture. */
  at(event) {
    const frame = this.canvas.getBoundingClientRect();
    const across = this.canvas.width / frame.width, down = this.canvas.height / frame.height;
    return [(event.clientX - frame.left) * across, (event.clientY - frame.top) * down];
  }

  show(place) {
    this.place = place;
    this.ring.hidden = !place;
    if (!place) return;
    const share = (value, whole) => `${(100 * value) / whole}%`;
    Object.assign(this.ring.style, {
      left: share(place[0], this.canvas.width), top: share(place[1], this.canvas.height),
      width: share(2 * this.radius, this.canvas.width), height: share(2 * this.radius, this.canvas.height),
    });
  }

  stroke(from, to) {
    const context = this.context;
    context.globalCompositeOperation = this.erases ? 'destination-out' : 'source-over';
    context.strokeStyle = '#ffb13d';
    context.lineCap = 'round';
    context.lineWidth = 2 * this.radius;
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0], to[1] + (from[0] === to[0] && from[1] === to[1] ? 0.01 : 0)); // a line of no length is not drawn
    context.stroke();
    this.marked ||= !this.erases;
    this.calls.changed();
  }

  down(event) {
    if (event.button || this.press || this.calls.busy()) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const before = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    const place = this.at(event);
    this.press = { id: event.pointerId, place, before, marked: this.marked };
    this.show(place);
    this.stroke(place, place);
  }

  moved(event) {
    const press = this.press;
    if (press && event.pointerId !== press.id) return;
    const place = this.at(event);
    this.show(place);
    if (!press) return;
    this.stroke(press.place, place);
    press.place = place;
  }

  up(event) {
    if (event.pointerId !== this.press?.id) return;
    this.press = null;
    if (event.pointerType === 'touch') this.show(null);
  }

  /** Gives up the stroke that is being painted. */
  cancel() {
    if (!this.press) return;
    this.context.putImageData(this.press.before, 0, 0);
    this.marked = this.press.marked;
    this.press = null;
    this.calls.changed();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    const does = { '[': () => this.size(false), ']': () => this.size(true), e: () => this.erase(), Enter: () => this.calls.done() };
    if (!way && event.key !== ' ' && !does[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.calls.busy()) return;
    if (does[event.key]) return does[event.key]();
    const from = this.place ?? this.middle;
    const to = way ? this.stepped(from, way) : from;
    if (!way || event.shiftKey) this.stroke(from, to);
    this.show(to);
    this.calls.say(`Brush at ${to.map(Math.round).join(', ')}. Shift and arrows paint, Enter finds what is marked`);
  }

  stepped([x, y], [across, down]) {
    const { width, height } = this.canvas;
    const step = Math.max(1, Math.round(STEP * Math.max(width, height)));
    return [Math.min(width, Math.max(0, x + across * step)), Math.min(height, Math.max(0, y + down * step))];
  }

  /** The mask as a PNG: white where it is marked, black elsewhere; null where nothing is. */
  async mask() {
    const { width, height } = this.canvas;
    const pixels = this.context.getImageData(0, 0, width, height);
    let any = false;
    for (let k = 0; k < pixels.data.length; k += 4) {
      const white = pixels.data[k + 3] >= HALF;
      any ||= white;
      pixels.data.fill(white ? 255 : 0, k, k + 3);
      pixels.data[k + 3] = 255;
    }
    if (!any) return null;
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  }
}
