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
export const isStill = (shift) => shift.scale === 1 && shift.x === 0 && shift.y === 0;
