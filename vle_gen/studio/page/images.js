// The pictures that the layers are made of: fetched once, kept while they are shown; and what is derived from them.

import { bitmap } from './api.js';
import { outlineOf } from './outline.js';

const kept = new Map(); // url -> { image, outline }

/** Fetches what a view shows and forgets what it does not. */
export async function load(view) {
  const planes = [view.floor, ...view.tokens.flatMap((token) => token.planes)];
  const urls = new Set(planes.map((plane) => plane.url));
  await Promise.all([...urls].filter((url) => !kept.has(url)).map(async (url) => kept.set(url, { image: await bitmap(url) })));
  return urls;
}

export function forgetAllBut(urls) {
  for (const url of kept.keys()) if (!urls.has(url)) kept.delete(url);
}

export const imageOf = (plane) => kept.get(plane.url).image;

/** The plane that shows the object itself; the others are what it does to the light. */
export const bodyOf = (token) => token.planes.find((plane) => plane.blend === 'source-over');

/** The outline of a token's body, as path data in pixels of its plane, and the box that it fills there. */
export function outline(token) {
  const body = bodyOf(token);
  if (!body) return { path: '', left: 0, top: 0, box: null };
  const entry = kept.get(body.url);
  if (!entry.outline) {
    const { width, height } = entry.image;
    const pixels = drawn(entry.image, width, height).getImageData(0, 0, width, height).data;
    const alpha = new Uint8Array(width * height);
    for (let k = 0; k < alpha.length; k++) alpha[k] = pixels[4 * k + 3];
    entry.outline = { path: outlineOf(alpha, width, height), box: boxOf(alpha, width, height) };
  }
  return { left: body.left, top: body.top, ...entry.outline };
}

/** Where alpha is more than half; everything where it is nowhere. */
function boxOf(alpha, width, height) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let k = 0; k < alpha.length; k++) {
    if (alpha[k] < 128) continue;
    const [x, y] = [k % width, Math.floor(k / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  return right ? { left, top, right, bottom } : { left: 0, top: 0, right: width, bottom: height };
}

function drawn(image, width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context;
}

/** Draws a token's body into a square canvas, as large as it fits. */
export function thumbnail(canvas, token) {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  const body = bodyOf(token);
  if (!body) return;
  const { left, top, right, bottom } = outline(token).box;
  const scale = 0.86 * Math.min(canvas.width / (right - left), canvas.height / (bottom - top));
  const [w, h] = [(right - left) * scale, (bottom - top) * scale];
  context.imageSmoothingQuality = 'high';
  context.drawImage(imageOf(body), left, top, right - left, bottom - top, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
}
