// What was copied: the server keeps it with the picture that it is of, and all windows of this browser remember which that is.

import * as api from './api.js';
import { complain, settle } from './messages.js';

const NAME = 'vlegen-copied';

/** { source, count, x, y }: the id of the picture's session, how many objects, and their middle in shares of its canvas. */
export function copied() {
  try {
    return JSON.parse(localStorage.getItem(NAME));
  } catch {
    return null;
  }
}

function remember(clip) {
  try {
    localStorage.setItem(NAME, JSON.stringify(clip));
  } catch {
    complain(new Error('This browser keeps nothing for pages, and so what is copied cannot be pasted.'));
  }
}

/** The middle of tokens of a view, in shares of its canvas: the square about the picture. */
function middleOf(view, tokens) {
  const side = Math.max(view.width, view.height);
  const ends = (at, size) => [
    Math.min(...tokens.map((token) => token[at] - token[size] / 2)), Math.max(...tokens.map((token) => token[at] + token[size] / 2)),
  ];
  const [[left, right], [top, bottom]] = [ends('x', 'width'), ends('y', 'height')];
  return { x: ((left + right) / 2 - view.width / 2) / side + 0.5, y: ((top + bottom) / 2 - view.height / 2) / side + 0.5 };
}

const STEP = 0.04; // of the longer side, by which what is pasted lies beside what it was copied from

/** Where what was copied goes in a picture: beside itself, each time farther, or where it lay; nothing to be said of that, but
 * where it would not be seen. */
function placeFor(clip, view, times) {
  const side = Math.max(view.width, view.height);
  const own = clip.source === view.id;
  const along = (share, size) => {
    const lain = (share - 0.5) * side + size / 2;
    const step = own ? times * STEP * side * (lain + STEP * side < size ? 1 : -1) : 0;
    return Math.round(Math.min(size, Math.max(0, lain + step)));
  };
  const place = { x: along(clip.x, view.width), y: along(clip.y, view.height) };
  const lain = { x: (clip.x - 0.5) * side + view.width / 2, y: (clip.y - 0.5) * side + view.height / 2 };
  const seen = lain.x >= 0 && lain.x <= view.width && lain.y >= 0 && lain.y <= view.height;
  return own || !seen ? place : {};
}

let times = 0; // it was pasted since it was copied

/** Remembers what is chosen in an editor, to be pasted there or into another picture. True when that is done. */
export function copy(editor) {
  return editor.ofChosen(async (index, tokens) => {
    settle();
    const id = editor.view.id;
    try {
      return await editor.enqueue('Copying…', async () => {
        if (editor.view.id !== id) return false;
        await api.copy(editor.view, index);
        const now = editor.view.tokens.filter((token) => index.includes(token.index));
        remember({ source: id, count: tokens.length, ...middleOf(editor.view, now) });
        times = 0;
        editor.changed();
        return true;
      });
    } catch (fault) {
      if (api.mayBeDone(fault)) await editor.catchUp(id);
      complain(fault);
      return false;
    }
  });
}

/** Puts what was copied into an editor's picture, where it is chosen. */
export function paste(editor) {
  const clip = copied();
  if (!clip || !editor.view) return null;
  editor.flush();
  const place = placeFor(clip, editor.view, ++times);
  return editor.request('Pasting…', async (view) => editor.choosing(await api.paste(view, clip.source, place), clip.count));
}
