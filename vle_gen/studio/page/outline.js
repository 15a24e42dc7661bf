// The outline of a picture's alpha as an SVG path: marching squares with linear interpolation at half alpha.

const HALF = 127.5;

/** Path data in pixels of the bitmap; alpha is its alpha channel, row by row. */
export function outlineOf(alpha, width, height) {
  const value = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : alpha[y * width + x]);
  const row = width + 2;
  const across = (x, y) => ((y + 1) * row + x + 1) * 2; // the edge from sample (x, y) to (x + 1, y)
  const down = (x, y) => across(x, y) + 1; // from (x, y) to (x, y + 1)
  const next = new Map(); // from one crossed edge to the one after it, with the inside to the right
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const inside =
        (value(x, y) > HALF ? 8 : 0) | (value(x + 1, y) > HALF ? 4 : 0) |
        (value(x + 1, y + 1) > HALF ? 2 : 0) | (value(x, y + 1) > HALF ? 1 : 0);
      if (inside === 0 || inside === 15) continue;
      const top = across(x, y), bottom = across(x, y + 1), left = down(x, y), right = down(x + 1, y);
      const steps = {
        1: [left, bottom], 2: [bottom, right], 3: [left, right], 4: [right, top],
        6: [bottom, top], 7: [left, top], 8: [top, left], 9: [top, bottom],
        11: [top, right], 12: [right, left], 13: [right, bottom], 14: [bottom, left],
        5: [left, bottom, right, top], 10: [top, left, bottom, right],
      }[inside];
      for (let k = 0; k < steps.length; k += 2) next.set(steps[k], steps[k + 1]);
    }
  }
  const place = (edge) => {
    const cell = edge >> 1, x = (cell % row) - 1, y = Math.floor(cell / row) - 1;
    const [x2, y2] = edge & 1 ? [x, y + 1] : [x + 1, y];
    const from = value(x, y), to = value(x2, y2), share = (HALF - from) / (to - from);
    return [x + (x2 - x) * share + 0.5, y + (y2 - y) * share + 0.5];
  };
  const loops = [];
  while (next.size) {
    const first = next.keys().next().value;
    const loop = [];
    for (let edge = first; next.has(edge); ) {
      loop.push(place(edge));
      const after = next.get(edge);
      next.delete(edge);
      edge = after;
    }
    if (loop.length > 8) loops.push(smooth(loop));
  }
  return loops.map((loop) => `M${loop.map((p) => `${p[0].toFixed(1)} ${p[1].toFixed(1)}`).join('L')}Z`).join('');
}

/** A closed loop without the staircase that a hard edge leaves: every point becomes the mean of its neighbourhood. */
function smooth(loop) {
  const n = loop.length;
  const at = (k) => loop[(k + n) % n];
  const mean = (k, axis) => (at(k - 2)[axis] + 2 * at(k - 1)[axis] + 3 * at(k)[axis] + 2 * at(k + 1)[axis] + at(k + 2)[axis]) / 9;
  return loop.map((_, k) => [mean(k, 0), mean(k, 1)]);
}
