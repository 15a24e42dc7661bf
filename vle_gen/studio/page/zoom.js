// Looking closer: the picture is shown larger than it fits, and moved about behind its frame.

const MOST = 8; // times as large as it fits
const STEP = 1.5; // of a button or key
const WHEEL = 0.006, NOTCH = 50; // how fast a wheel or touchpad is, and the most that counts of one turn of it

export class Zoom {
  /** `room` scrolls what `stage` shows in `frame`. `calls`: changed() when it is shown larger or smaller, and release() when
   * what is held is not to be done, since two fingers move the picture and nothing in it. */
  constructor(room, frame, stage, calls) {
    Object.assign(this, { room, frame, stage, calls });
    this.fingers = new Map(); // pointer id -> [x, y] on the screen
    this.pan = null; // { id, x, y } of a pointer that moves the picture
    room.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    for (const [kind, hear] of [['down', this.down], ['move', this.moved], ['up', this.up], ['cancel', this.up]]) {
      frame.addEventListener(`pointer${kind}`, (event) => hear.call(this, event), { capture: true });
    }
  }

  /** Shows the picture `times` as large as it fits; what is at (x, y) on the screen, or in the middle, stays there. */
  to(times, x = null, y = null) {
    const room = this.room.getBoundingClientRect();
    x ??= room.left + room.width / 2;
    y ??= room.top + room.height / 2;
    const before = this.frame.getBoundingClientRect();
    const [across, down] = [(x - before.left) / before.width, (y - before.top) / before.height];
    this.stage.magnify(Math.min(MOST, Math.max(1, times)));
    this.room.classList.toggle('closer', this.closer);
    const after = this.frame.getBoundingClientRect();
    this.room.scrollLeft += after.left + across * after.width - x;
    this.room.scrollTop += after.top + down * after.height - y;
    this.calls.changed();
  }

  /** One step closer, or back. */
  step(closer) {
    this.to(this.stage.times * (closer ? STEP : 1 / STEP));
  }

  get closer() {
    return this.stage.times > 1;
  }

  get closest() {
    return this.stage.times >= MOST;
  }

  /** Brings a place, in pixels of the picture, into what is seen. */
  reveal(x, y) {
    if (!this.closer) return;
    const [room, frame, zoom] = [this.room.getBoundingClientRect(), this.frame.getBoundingClientRect(), this.stage.zoom];
    const [left, top] = [frame.left + x * zoom - room.left, frame.top + y * zoom - room.top];
    if (left > 0 && left < room.width && top > 0 && top < room.height) return;
    this.room.scrollBy(left - room.width / 2, top - room.height / 2);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // else it scrolls
    event.preventDefault();
    const turn = Math.min(NOTCH, Math.max(-NOTCH, event.deltaY));
    this.to(this.stage.times * Math.exp(-turn * WHEEL), event.clientX, event.clientY);
  }

  down(event) {
    if (event.pointerType === 'touch') this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.fingers.size === 2) {
      event.stopPropagation();
      this.pan = null;
      this.calls.release();
      this.pinch = this.held();
    } else if (this.closer && event.target.id === 'outlines' && (event.button === 0 || event.button === 1)) {
      this.pan = { id: event.pointerId, x: event.clientX, y: event.clientY };
      this.frame.setPointerCapture(event.pointerId);
    }
  }

  moved(event) {
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pinch) {
      event.stopPropagation();
      const [before, now] = [this.pinch, this.held()];
      this.room.scrollBy(before.x - now.x, before.y - now.y);
      this.to(this.stage.times * (now.apart / before.apart), now.x, now.y);
      this.pinch = now;
    } else if (this.pan?.id === event.pointerId) {
      this.room.scrollBy(this.pan.x - event.clientX, this.pan.y - event.clientY);
      Object.assign(this.pan, { x: event.clientX, y: event.clientY });
    }
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.pan?.id === event.pointerId) this.pan = null;
    if (this.fingers.size < 2) this.pinch = null;
  }

  /** The middle of two fingers, and how far they are apart. */
  held() {
    const [[a, b], [c, d]] = [...this.fingers.values()];
    return { x: (a + c) / 2, y: (b + d) / 2, apart: Math.max(1, Math.hypot(a - c, b - d)) };
  }
}
