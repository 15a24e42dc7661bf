// Requests to the studio's server. Whatever goes wrong becomes an Error whose message a person can read.

export class Trouble extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

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

const post = async (path, body) =>
  (await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
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
export const look = async (id) => (await ask(at(id))).json();
export const edit = (id, change) => post(`${at(id)}/edits`, change);
export const add = (id, text, seed) => post(`${at(id)}/add`, { text, seed });
export const undo = (id) => post(`${at(id)}/undo`);
export const redo = (id) => post(`${at(id)}/redo`);

export const pictureFile = async (id) => (await ask(`${at(id)}/picture.png`)).blob();
export const tokensFile = async (id) => (await ask(`${at(id)}/tokens.vle`)).blob();

export async function bitmap(url) {
  return createImageBitmap(await (await ask(url)).blob(), { colorSpaceConversion: 'none' });
}
