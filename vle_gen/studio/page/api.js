// Requests to the studio's server. Whatever goes wrong becomes an Error whose message a person can read.

export class Trouble extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const CHANGED = 409; // the status of an edit of what was changed in another window
const BUSY = 503;

/** Whether the server may have another picture than the page, after this went wrong: the answer was lost, or there is news. */
export const mayBeDone = ({ status }) => !status || status === CHANGED || (status >= 500 && status !== BUSY);

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Trouble('The studio cannot be reached. Is “vlegen serve” still running?', 0);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Trouble(sentence(said.error || `The studio answered ${answer.status}.`), answer.status);
}

function sentence(text) {
  const upper = /^[a-z]+\b(?!\.)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text; // but no file name
  return /[.?!)]$/.test(upper) ? upper : `${upper}.`;
}

const post = async (path, body, more = {}) =>
  (await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...more },
    body: JSON.stringify(body ?? {}),
  })).json();

const at = (id) => `/api/sessions/${encodeURIComponent(id)}`;

export const open = async (file, name) =>
  (await ask(`/api/sessions?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file,
  })).json();

export const write = (prompt, seed) => post('/api/sessions/from-text', { prompt, seed });
export const colours = async () => (await ask('/api/colours')).json();
export const look = async (id) => (await ask(at(id))).json();
// Changes are asked for of a view: the server refuses them where the session is no longer as that shows it.
const seen = (view) => ({ 'if-match': String(view.version) });
const change = (view, what, body) => post(`${at(view.id)}/${what}`, body, seen(view));
export const edit = (view, body) => change(view, 'edits', body);
export const add = (view, text, seed) => change(view, 'add', { text, seed });
export const replace = (view, index, text, seed) => change(view, 'replace', { index, text, seed });
/** `place`: { box: [left, top, width, height] } or { point: [x, y] }, in pixels of the picture, or { mask } as a file. */
export const pointOut = async (view, place) => {
  if (!place.mask) return change(view, 'point-out', place);
  const headers = { 'content-type': 'application/octet-stream', ...seen(view) };
  return (await ask(`${at(view.id)}/mask`, { method: 'POST', headers, body: place.mask })).json();
};
/** Remembers tokens with the picture, to be pasted from there. */
export const copy = (view, index) =>
  ask(`${at(view.id)}/copy`, { method: 'POST', headers: { 'content-type': 'application/json', ...seen(view) }, body: JSON.stringify({ index }) });
/** `source`: the id of the picture that they are of; `place`: { x, y }, or nothing for where they lay. */
export const paste = (view, source, place) => change(view, 'paste', { source, ...place });
export const undo = (view) => change(view, 'undo');
export const redo = (view) => change(view, 'redo');

export const pictureFile = async (id) => (await ask(`${at(id)}/picture.png`)).blob();
/** The picture without a token. */
export const behind = (view, index) => bitmap(`${at(view.id)}/behind/${index}.png?version=${view.version}`);

export const tokensFile = async (id) => (await ask(`${at(id)}/tokens.vle`)).blob();

export async function bitmap(url) {
  return createImageBitmap(await (await ask(url)).blob(), { colorSpaceConversion: 'none' });
}
