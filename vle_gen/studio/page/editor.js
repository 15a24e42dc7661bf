// What is edited: the session as the server knows it, and the edits that it has not confirmed yet, which are shown already.

import * as api from './api.js';
import { forgetAllBut, load } from './images.js';
import { complain, during, settle } from './messages.js';
import { STILL, after, at, step } from './shift.js';

const PAUSE = 350; // ms after the last key of a row that becomes one edit
const SMALLEST = 0.06, LARGEST = 19; // one edit makes a thing no smaller or larger: the server takes no more
const LEAST = 2; // pixels that a thing's box has at least
const GRIP = 0.25; // of a thing's width and height: so much of it stays in the picture, where it can be taken again
const HORIZON = 0.02; // of the longer side: nothing is dragged nearer to the horizon than this

export const someSeed = () => Math.floor(Math.random() * 2 ** 31);

export class Editor {
  /** `changed()` is called when there is something new to show. */
  constructor(changed) {
    this.changed = changed;
    this.view = null;
    this.picture = null;
    this.pending = []; // edits shown but not confirmed: { index, dx, dy, factor, perspective }
    this.behind = null; // the picture without a token: { index, picture }, or without picture while it is fetched
    this.chosen = null;
    this.hovered = null;
    this.perspective = false;
    this.locks = 0; // edits under way after which tokens have other numbers
    this.queue = Promise.resolve();
    this.asked = 0; // requests that are not done
  }

  /** Whether nothing is being done, and nothing is about to be. */
  get idle() {
    return !this.asked && !this.row && !this.pending.length;
  }

  get token() {
    return this.view?.tokens.find((token) => token.index === this.chosen);
  }

  get locked() {
    return this.locks > 0;
  }

  /** Runs requests one after another. */
  enqueue(text, work) {
    this.asked++;
    const run = this.queue.then(() => during(text, work)).finally(() => this.asked--);
    this.queue = run.catch(() => {});
    return run;
  }

  /** A session that is opened by `ask`. True when it is there. */
  async start(text, ask) {
    settle();
    try {
      await this.enqueue(text, async () => {
        const view = await ask();
        this.pending = [];
        this.chosen = this.hovered = this.behind = null;
        await this.accept(view);
      });
      return true;
    } catch (fault) {
      complain(fault);
      return false;
    }
  }

  async accept(view) {
    const [urls, picture] = await Promise.all([load(view), api.bitmap(view.picture)]);
    this.view = view;
    this.picture = picture;
    if (!view.tokens.some((token) => token.index === this.chosen)) this.chosen = null;
    if (!view.tokens.some((token) => token.index === this.hovered)) this.hovered = null;
    this.changed();
    forgetAllBut(urls);
  }

  /** Asks for an edit; `shown` is the pending edit that it confirms. */
  async request(text, ask, shown = null) {
    settle();
    const id = this.view.id;
    try {
      return await this.enqueue(text, async () => {
        if (this.view?.id !== id) return null;
        const view = await ask(this.view);
        this.pending = this.pending.filter((edit) => edit !== shown);
        if (shown?.index !== this.behind?.index) this.behind = null; // moved itself, it leaves the same behind
        await this.accept(view);
        return view;
      });
    } catch (fault) {
      this.pending = this.pending.filter((edit) => edit !== shown);
      if (api.mayBeDone(fault)) await this.catchUp(id);
      this.changed();
      complain(fault);
      return null;
    }
  }

  /** Shows a session as the server has it, when that is not as it was seen here: what was asked for of that is dropped. */
  catchUp(id) {
    this.pending = [];
    this.behind = null;
    return this.enqueue('Opening…', async () => {
      if (this.view?.id === id) await this.accept(this.renumbered(await api.look(id)));
    }).catch(() => {});
  }

  /** An edit after which tokens have other numbers: nothing that names a token is begun until it is done. */
  async renumber(text, ask) {
    this.flush();
    this.locks++;
    this.changed();
    try {
      return await this.request(text, async (view) => this.renumbered(await ask(view)));
    } finally {
      this.locks--;
      this.changed();
    }
  }

  /** The same view. Where it has more tokens or fewer than are shown, a number may mean another thing now, and none is chosen. */
  renumbered(view) {
    if (view.tokens.length !== this.view.tokens.length) this.chosen = this.hovered = null;
    return view;
  }

  // What is shown before it is confirmed

  /** Where each token is shown, by index. */
  shifts(dragged = null) {
    const shifts = new Map();
    for (const edit of [...this.pending, ...(this.row ? [this.row] : []), ...(dragged ? [dragged] : [])]) {
      const token = this.view.tokens.find((t) => t.index === edit.index);
      if (!token) continue;
      const now = shifts.get(edit.index) || STILL;
      const shift = after(now, this.shiftOf(token, now, edit));
      shift.nearer = (now.nearer || 1) * (edit.perspective ? this.growth(token, now, edit.dy) : 1);
      shifts.set(edit.index, shift);
    }
    return shifts;
  }

  shiftOf(token, now, edit) {
    const [x, y] = at(now, token.x, token.y);
    if (edit.factor !== 1) return step(0, 0, edit.factor, x, y + (token.height / 2) * now.scale);
    return step(edit.dx, edit.dy, edit.perspective ? this.growth(token, now, edit.dy) : 1, x, y);
  }

  /** As much of a way of (dx, dy) as a thing can go and still be seen. */
  held(index, dx, dy) {
    const token = this.view.tokens.find((t) => t.index === index);
    const now = this.shifts().get(index) || STILL;
    const [x, y] = at(now, token.x, token.y);
    const along = (way, middle, length, size) => {
      const out = (0.5 - GRIP) * length * now.scale; // how far its middle may be outside
      return Math.max(Math.min(0, Math.ceil(-out - middle)), Math.min(Math.max(0, Math.floor(size + out - middle)), way));
    };
    return [along(dx, x, token.width, this.view.width), along(dy, y, token.height, this.view.height)];
  }

  /** A factor as it can be taken: not so small that next to nothing is left of a thing that is shown `scale` times as large. */
  within(token, factor, scale = 1) {
    const least = Math.max(SMALLEST, LEAST / (scale * Math.min(token.width, token.height)));
    return Math.min(LARGEST, Math.max(Math.min(1, least), factor));
  }

  growth(token, now, dy) {
    const y = at(now, token.x, token.y)[1] - this.view.horizon;
    const least = HORIZON * Math.max(this.view.width, this.view.height);
    return y > least && y + dy > least ? (y + dy) / y : 1;
  }

  /** Fetches what is seen where a token is, should it go away; until that is there, the layers show it as well as they can. */
  async lift(index) {
    if (!this.view?.guesses || index === null || this.behind?.index === index) return;
    const behind = (this.behind = { index, picture: null });
    try {
      behind.picture = await api.behind(this.view, index);
    } catch {
      if (this.behind === behind) this.behind = null;
    }
    if (this.behind === behind) this.changed();
  }

  // Edits

  move(index, dx, dy) {
    if (!dx && !dy) return this.changed();
    const edit = { index, dx, dy, factor: 1, perspective: this.perspective };
    this.pending.push(edit);
    this.changed();
    const body = { edit: 'move', index, dx, dy, perspective: this.perspective };
    return this.request('Rendering…', (view) => api.edit(view, body), edit);
  }

  resize(index, factor) {
    if (factor === 1) return this.changed();
    const edit = { index, dx: 0, dy: 0, factor, perspective: false };
    this.pending.push(edit);
    this.changed();
    return this.request('Rendering…', (view) => api.edit(view, { edit: 'resize', index, factor }), edit);
  }

  /** Steps that come quickly one after another become one edit. */
  nudge(dx, dy) {
    if (!this.token) return;
    const [x, y] = this.held(this.chosen, dx, dy);
    this.along({ dx: x, dy: y, factor: 1 });
  }

  grow(factor) {
    this.along({ dx: 0, dy: 0, factor });
  }

  along({ dx, dy, factor }) {
    if (!this.token || this.locked) return;
    const row = this.row;
    if (row && (row.index !== this.chosen || (row.factor === 1) !== (factor === 1))) this.flush();
    this.row ??= { index: this.chosen, dx: 0, dy: 0, factor: 1, perspective: factor === 1 && this.perspective };
    this.row.dx += dx;
    this.row.dy += dy;
    this.row.factor = this.within(this.token, this.row.factor * factor);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
    this.changed();
  }

  /** Sends a row of keys that is not sent yet; resolves when everything asked for is done. */
  flush() {
    clearTimeout(this.timer);
    const row = this.row;
    this.row = null;
    if (row && row.factor !== 1) this.resize(row.index, row.factor);
    else if (row) this.move(row.index, row.dx, row.dy);
    return this.queue;
  }

  remove() {
    return this.ofChosen((index) => this.renumber('Removing…', (view) => api.edit(view, { edit: 'remove', index })));
  }

  duplicate() {
    return this.ofChosen((index, token) => {
      const room = token.x + 1.5 * token.width < this.view.width ? 1 : -1;
      const dx = Math.round(room * Math.max(12, token.width * 0.6));
      const ask = async (view) => this.choosing(await api.edit(view, { edit: 'duplicate', index, dx }));
      return this.request('Duplicating…', ask);
    });
  }

  deepen(nearer) {
    return this.ofChosen((index) => this.request('Rendering…', (view) => api.edit(view, { edit: nearer ? 'raise' : 'lower', index })));
  }

  flip() {
    return this.ofChosen((index) => this.request('Flipping…', (view) => api.edit(view, { edit: 'flip', index })));
  }

  /** `to`: the name of a colour, or one as #rrggbb. */
  recolor(to) {
    return this.ofChosen((index) => this.request('Painting…', (view) => api.edit(view, { edit: 'recolor', index, to })));
  }

  replace(text) {
    return this.ofChosen((index) => this.request(`Drawing “${text}”…`, (view) => api.replace(view, index, text, someSeed())));
  }

  /** Finds what is at a place, which is then chosen; its token, or null. */
  async pointOut(place) {
    const view = await this.renumber('Looking there…', (seen) => api.pointOut(seen, place));
    if (!view) return null;
    this.chosen = view.asked_for;
    this.changed();
    return this.token;
  }

  /** `begin(index, token)` for the chosen token, if there is one, when a row of keys is sent. */
  ofChosen(begin) {
    if (!this.token || this.locked) return null;
    this.flush();
    return begin(this.chosen, this.token);
  }

  add(text) {
    this.flush();
    const before = this.chosen;
    return this.request(`Adding “${text}”…`, async (view) => {
      const added = await api.add(view, text, someSeed());
      const elsewhere = this.chosen !== before || this.row || this.pending.length; // the person works on another thing by now
      return elsewhere ? added : this.choosing(added);
    });
  }

  /** The same view, with its last token chosen: new tokens come last. */
  choosing(view) {
    this.chosen = view.tokens.at(-1)?.index ?? null;
    return view;
  }

  undo() {
    return this.view?.id && this.renumber('Undoing…', (view) => api.undo(view));
  }

  redo() {
    return this.view && this.renumber('Redoing…', (view) => api.redo(view));
  }
}
