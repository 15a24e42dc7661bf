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

/** The outline of a token's body, as path data in pixels of the picture. */
export function outline(token) {
  const body = bodyOf(token);
  if (!body) return { path: '', left: 0, top: 0 };
  const entry = kept.get(body.url);
  if (entry.outline === undefined) {
    const { width, height } = entry.image;
    const pixels = drawn(entry.image, width, height).getImageData(0, 0, width, height).data;
    const alpha = new Uint8Array(width * height);
    for (let k = 0; k < alpha.length; k++) alpha[k] = pixels[4 * k + 3];
    entry.outline = outlineOf(alpha, width, height);
  }
  return { path: entry.outline, left: body.left, top: body.top };
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
  const image = imageOf(body);
  const scale = Math.min(canvas.width / image.width, canvas.height / image.height) * 0.86;
  const [w, h] = [image.width * scale, image.height * scale];
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
}
