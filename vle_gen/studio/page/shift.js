// Where the page shows a token before the server has answered: p -> scale * p + (x, y), in pixels of the picture.

export const STILL = { scale: 1, x: 0, y: 0 };

/** First `a`, then `b`. */
export const after = (a, b) => ({ scale: a.scale * b.scale, x: a.x * b.scale + b.x, y: a.y * b.scale + b.y });

/** A step of (dx, dy) that grows what is about (cx, cy). */
export const step = (dx, dy, scale = 1, cx = 0, cy = 0) => ({
  scale,
  x: cx * (1 - scale) + dx,
  y: cy * (1 - scale) + dy,
});

export const at = (shift, x, y) => [shift.scale * x + shift.x, shift.scale * y + shift.y];
const NOTHING = 0.3; // pixels: an outline that is off by less is left as it is, as by the server

/** How a token that moves aside is stretched about its centre, as `vle_gen/compositing/camera.py` has it: x becomes wider * x + lean * y. */
export function stretch(token, shift, width, height) {
  if (!token.focal || shift.scale !== 1) return { wider: 1, lean: 0 };
  const u = (token.x - width / 2) / token.focal;
  const v = (token.y - height / 2) / token.focal;
  const now = u + shift.x / token.focal;
  const wider = Math.sqrt((1 + v * v + now * now) / (1 + v * v + u * u));
  const lean = ((now - wider * u) * v) / (1 + v * v);
  const off = (Math.abs(wider - 1) * token.width + Math.abs(lean) * token.height) / 2;
  return off > NOTHING ? { wider, lean } : { wider: 1, lean: 0 };
}

export const isStill = (shift) => shift.scale === 1 && shift.x === 0 && shift.y === 0;
