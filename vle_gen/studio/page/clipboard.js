// What was copied: the server keeps it with the picture that it is of, and all windows of this browser remember which that is.

const NAME = 'vlegen-copied';

/** { source, count, x, y }: the id of the picture's session, how many objects, and their middle in shares of its canvas. */
export function copied() {
  try {
    return JSON.parse(localStorage.getItem(NAME));
  } catch {
    return null;
  }
}

export function remember(clip) {
  try {
    localStorage.setItem(NAME, JSON.stringify(clip));
  } catch {
    // a browser that keeps nothing: then only this window would know, and it asks here too
  }
}

/** The middle of tokens of a view, in shares of its canvas: the square about the picture. */
export function middleOf(view, tokens) {
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
export function placeFor(clip, view, times) {
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
