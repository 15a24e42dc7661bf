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
    this.pending = []; // edits shown but not confirmed: { which, dx, dy, factor, perspective }
    this.asking = 0; // degrees that were asked for and are not confirmed
    this.behind = null; // the picture without a token: { index, picture }, or without picture while it is fetched
    this.chosen = null; // the token that was chosen last
    this.also = []; // those that were chosen before it, and are still
    this.several = false; // what is chosen next comes to what is chosen
    this.hovered = null;
    this.perspective = false;
    this.locks = 0; // edits under way after which tokens have other numbers
    this.queue = Promise.resolve();
    this.asked = 0; // requests that are not done
  }

  /** Whether nothing is being done, and nothing is about to be. */
  get idle() {
    return !this.asked && !this.row && !this.turning && !this.pending.length;
  }

  get token() {
    return this.view?.tokens.find((token) => token.index === this.chosen);
  }

  /** Indices of all that is chosen, in the order in which it was. */
  get which() {
    return this.chosen === null ? [] : [...this.also, this.chosen];
  }

  get tokens() {
    return this.which.map((index) => this.view?.tokens.find((token) => token.index === index)).filter(Boolean);
  }

  /** Chooses tokens, and no others. */
  choose(which) {
    this.also = which.slice(0, -1);
    this.chosen = which.at(-1) ?? null;
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
        this.hovered = this.behind = null;
        this.choose([]);
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
    this.choose(this.which.filter((index) => view.tokens.some((token) => token.index === index)));
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
        if (this.behind && String(shown?.which) !== String(this.behind.index)) this.behind = null; // it leaves the same behind
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
    if (view.tokens.length !== this.view.tokens.length) {
      this.hovered = null;
      this.choose([]);
    }
    return view;
  }

  // What is shown before it is confirmed

  /** Where each token is shown, by index. */
  shifts(dragged = null) {
    const shifts = new Map();
    for (const edit of [...this.pending, ...(this.row ? [this.row] : []), ...(dragged ? [dragged] : [])]) {
      for (const token of this.view.tokens.filter((t) => edit.which.includes(t.index))) {
        const now = shifts.get(token.index) || STILL;
        const shift = after(now, this.shiftOf(token, now, edit));
        shift.nearer = (now.nearer || 1) * (edit.perspective ? this.growth(token, now, edit.dy) : 1);
        shifts.set(token.index, shift);
      }
    }
    return shifts;
  }

  shiftOf(token, now, edit) {
    const [x, y] = at(now, token.x, token.y);
    if (edit.factor !== 1) return step(0, 0, edit.factor, x, y + (token.height / 2) * now.scale);
    return step(edit.dx, edit.dy, edit.perspective ? this.growth(token, now, edit.dy) : 1, x, y);
  }

  /** As much of a way of (dx, dy) as things can go together, and all still be seen. */
  held(which, dx, dy) {
    const shifts = this.shifts();
    for (const token of this.view.tokens.filter((t) => which.includes(t.index))) {
      const now = shifts.get(token.index) || STILL;
      const [x, y] = at(now, token.x, token.y);
      const along = (way, middle, length, size) => {
        const out = (0.5 - GRIP) * length * now.scale; // how far its middle may be outside
        return Math.max(Math.min(0, Math.ceil(-out - middle)), Math.min(Math.max(0, Math.floor(size + out - middle)), way));
      };
      [dx, dy] = [along(dx, x, token.width, this.view.width), along(dy, y, token.height, this.view.height)];
    }
    return [dx, dy];
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

  // Edits. `which` are the indices of the tokens that they are of

  move(which, dx, dy) {
    if (!dx && !dy) return this.changed();
    const edit = { which, dx, dy, factor: 1, perspective: this.perspective };
    this.pending.push(edit);
    this.changed();
    const body = { edit: 'move', index: which, dx, dy, perspective: this.perspective };
    return this.request('Rendering…', (view) => api.edit(view, body), edit);
  }

  resize(which, factor) {
    if (factor === 1) return this.changed();
    const edit = { which, dx: 0, dy: 0, factor, perspective: false };
    this.pending.push(edit);
    this.changed();
    return this.request('Rendering…', (view) => api.edit(view, { edit: 'resize', index: which, factor }), edit);
  }

  /** Steps that come quickly one after another become one edit. */
  nudge(dx, dy) {
    if (!this.token) return;
    const [x, y] = this.held(this.which, dx, dy);
    this.along({ dx: x, dy: y, factor: 1 });
  }

  grow(factor) {
    this.along({ dx: 0, dy: 0, factor });
  }

  along({ dx, dy, factor }) {
    if (!this.token || this.locked) return;
    const row = this.row;
    if (this.turning || (row && (String(row.which) !== String(this.which) || (row.factor === 1) !== (factor === 1)))) this.flush();
    this.row ??= { which: this.which, dx: 0, dy: 0, factor: 1, perspective: factor === 1 && this.perspective };
    this.row.dx += dx;
    this.row.dy += dy;
    this.row.factor = this.tokens.reduce((now, token) => this.within(token, now), this.row.factor * factor);
    this.soon();
    this.changed();
  }

  /** Turns the hue by degrees; what is asked for in a row counts from the same start, and becomes one edit. */
  turn(by) {
    if (!this.token || this.locked) return;
    if (this.row || (this.turning && String(this.turning.which) !== String(this.which))) this.flush();
    this.turning = { which: this.which, by };
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  /** Sends a row of keys that is not sent yet; resolves when everything asked for is done. */
  flush() {
    clearTimeout(this.timer);
    const { row, turning } = this;
    this.row = this.turning = null;
    if (row && row.factor !== 1) this.resize(row.which, row.factor);
    else if (row) this.move(row.which, row.dx, row.dy);
    if (turning?.by) {
      this.asking += turning.by;
      const done = this.edit('Painting…', { edit: 'recolor', index: turning.which, by: turning.by });
      done.finally(() => {
        this.asking -= turning.by;
        this.changed();
      });
    }
    return this.queue;
  }

  edit(text, body) {
    return this.request(text, (view) => api.edit(view, body));
  }

  remove() {
    return this.ofChosen((index) => this.renumber('Removing…', (view) => api.edit(view, { edit: 'remove', index })));
  }

  duplicate() {
    return this.ofChosen((index, tokens) => {
      const right = Math.max(...tokens.map((token) => token.x + 1.5 * token.width));
      const wide = Math.max(...tokens.map((token) => token.width));
      const dx = Math.round((right < this.view.width ? 1 : -1) * Math.max(12, wide * 0.6));
      const ask = async (view) => this.choosing(await api.edit(view, { edit: 'duplicate', index, dx }), index.length);
      return this.request('Duplicating…', ask);
    });
  }

  deepen(nearer) {
    return this.ofChosen((index) => this.edit('Rendering…', { edit: nearer ? 'raise' : 'lower', index }));
  }

  flip() {
    return this.ofChosen((index) => this.edit('Flipping…', { edit: 'flip', index }));
  }

  /** `to`: the name of a colour, or one as #rrggbb. */
  recolor(to) {
    return this.ofChosen((index) => this.edit('Painting…', { edit: 'recolor', index, to }));
  }

  replace(text) {
    return this.ofChosen(([index]) => this.request(`Drawing “${text}”…`, (view) => api.replace(view, index, text, someSeed())));
  }

  swap() {
    return this.ofChosen((index) => this.edit('Swapping…', { edit: 'swap', index, perspective: this.perspective }));
  }

  align(edge) {
    return this.ofChosen((index) => this.edit('Aligning…', { edit: 'align', index, edge }));
  }

  distribute(direction) {
    return this.ofChosen((index) => this.edit('Spacing evenly…', { edit: 'distribute', index, direction }));
  }

  /** Finds what is at a place, which is then chosen; its token, or null. */
  async pointOut(place) {
    const view = await this.renumber('Looking there…', (seen) => api.pointOut(seen, place));
    if (!view) return null;
    this.choose([view.asked_for]);
    this.changed();
    return this.token;
  }

  /** `begin(which, tokens)` for what is chosen, if anything is, when a row of keys is sent. */
  ofChosen(begin) {
    if (!this.token || this.locked) return null;
    this.flush();
    return begin(this.which, this.tokens);
  }

  add(text) {
    this.flush();
    const before = String(this.which);
    return this.request(`Adding “${text}”…`, async (view) => {
      const added = await api.add(view, text, someSeed());
      const elsewhere = String(this.which) !== before || this.row || this.pending.length; // the person works on another by now
      return elsewhere ? added : this.choosing(added);
    });
  }

  /** The same view, with its last tokens chosen: new ones come last. */
  choosing(view, count = 1) {
    this.choose(view.tokens.map((token) => token.index).sort((a, b) => a - b).slice(-count));
    return view;
  }

  undo() {
    return this.view?.id && this.renumber('Undoing…', (view) => api.undo(view));
  }

  redo() {
    return this.view && this.renumber('Redoing…', (view) => api.redo(view));
  }
}
