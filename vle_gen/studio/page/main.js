// The page: what its buttons, keys, files and forms do.

import * as api from './api.js';
import { Editor, someSeed } from './editor.js';
import { closeMenu, openMenu, toggle } from './menus.js';
import { complain, during, say, settle } from './messages.js';
import { Objects } from './objects.js';
import { palette } from './palette.js';
import { Pointing } from './pointing.js';
import { Stage } from './stage.js';
import { Zoom } from './zoom.js';

const $ = (selector) => document.querySelector(selector);
const editor = new Editor(show);
const chooser = { hover, choose };
const objects = new Objects($('#objects'), $('#count'), {
  hover,
  choose(index) {
    choose(index);
    if (editor.token) zoom.reveal(editor.token.x, editor.token.y);
  },
});
let dragged = null;
let shown = null;
const stage = new Stage($('#frame'), {
  ...chooser,
  drag(index, dx, dy) {
    editor.flush();
    const [x, y] = editor.held(index, dx, dy);
    dragged = { index, dx: x, dy: y, factor: 1, perspective: editor.perspective };
    place();
  },
  drop(index, dx, dy) {
    dragged = null;
    editor.move(index, ...editor.held(index, dx, dy));
  },
  size(factor) {
    editor.flush();
    dragged = { index: editor.chosen, dx: 0, dy: 0, factor: sizeable(factor), perspective: false };
    place();
  },
  sized(factor) {
    dragged = null;
    if (editor.token) editor.resize(editor.chosen, sizeable(factor));
  },
  cancel() {
    dragged = null;
    place();
  },
});
const pointing = new Pointing($('#pointing'), {
  picture: () => ({ width: editor.view.width, height: editor.view.height, zoom: stage.zoom }),
  async found(place) {
    const token = await editor.pointOut(place);
    if (token) say(`Found: ${token.label}`);
    return Boolean(token);
  },
  changed(on) {
    for (const part of $('#object-tools').children) part.hidden = part.id === 'stop' ? !on : on && part.id !== 'chosen';
    $('[data-do=point-out]').setAttribute('aria-pressed', on);
    choose(on ? null : editor.chosen);
  },
  say,
});

const zoom = new Zoom($('#stage'), $('#frame'), stage, {
  changed: mark,
  release() {
    stage.cancel();
    pointing.cancel();
  },
});

new ResizeObserver(mark).observe($('#stage')); // the size that it is shown at is said

/** A factor for the chosen token, as it is sent. */
function sizeable(factor) {
  const scale = editor.shifts().get(editor.chosen)?.scale || 1;
  return Number(editor.within(editor.token, factor, scale).toFixed(3));
}

function hover(index) {
  if (editor.hovered === index) return;
  editor.hovered = index;
  mark();
}

function choose(index) {
  if (editor.chosen !== index) {
    stage.handles.cancel();
    editor.flush();
  }
  editor.chosen = index;
  editor.lift(index);
  mark();
}

// Showing

function show() {
  const view = editor.view;
  if (!view) return;
  if (shown !== view) {
    if (dragged && (shown?.id !== view.id || view.tokens.length < shown.tokens.length)) stage.cancel();
    stage.shifts = editor.shifts(dragged);
    stage.show(view, editor.picture);
    objects.show(view);
    opened(view);
    shown = view;
  }
  stage.locked = editor.locked;
  place();
  mark();
}

function place() {
  if (editor.view) stage.place(editor.shifts(dragged), editor.behind);
}

function mark() {
  stage.mark(editor.hovered, editor.chosen);
  objects.mark(editor.hovered, editor.chosen);
  const token = editor.token;
  $('#chosen').textContent = pointing.on ? 'Draw a box around an object, or tap it' : token?.label ?? advice();
  for (const button of document.querySelectorAll('#object-tools .group :is([data-do], summary)')) allow(button, token);
  if (!token && $('#object-tools').contains(openMenu())) closeMenu();
  allow($('[data-do=undo]'), editor.view?.can_undo);
  allow($('[data-do=redo]'), editor.view?.can_redo);
  allow($('[data-do=zoom-in]'), !zoom.closest);
  for (const name of ['zoom-out', 'zoom-fit']) allow($(`[data-do=${name}]`), zoom.closer);
  $('[data-do=zoom-fit]').textContent = `${Math.round(100 * (stage.zoom || 1))} %`;
}

const advice = () => (editor.view?.tokens.length ? 'Drag an object to move it' : 'No objects yet');

/** A button that does nothing now stays where the keyboard is, so that Tab need not begin anew after each edit. */
function allow(button, may) {
  button.setAttribute('aria-disabled', !may || editor.locked);
}

function opened(view) {
  document.body.classList.add('working');
  for (const part of ['#work', '#side', '#picture-tools', '#file']) $(part).hidden = false;
  $('#welcome').hidden = true;
  $('#file').textContent = `${view.name} · ${view.width} × ${view.height}`;
  $('#canvas').setAttribute('aria-label', `${view.name}: ${view.tokens.map((token) => token.label).join(', ') || 'no objects'}`);
  document.title = `${view.name} · VLE-Gen studio`;
  if (shown?.id !== view.id) {
    pointing.end();
    const address = `#${view.id}`;
    if (location.hash !== address) history[shown ? 'pushState' : 'replaceState'](null, '', address); // Back: the one before
    zoom.to(1);
    const count = view.tokens.length;
    const unsure = view.tokens.filter((token) => !token.sure).length;
    const found = count ? `Found ${count} object${count === 1 ? '' : 's'}${unsure ? `, ${unsure} unsure (?)` : ''}` : 'Found no objects';
    say(view.note || found);
  } else if (view.note) say(view.note);
}

// Opening

const open = (file) => editor.start(`Looking at ${file.name}…`, () => api.open(file, file.name || 'pasted.png'));

async function draw(prompt) {
  await editor.start(`Drawing “${prompt}”…`, () => api.write(prompt, someSeed()));
}

$('#file-input').addEventListener('change', (event) => {
  const [file] = event.target.files;
  event.target.value = '';
  if (file) open(file);
});

let over = 0;
const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
addEventListener('dragenter', (event) => hasFiles(event) && ($('#drop').hidden = !++over));
addEventListener('dragleave', (event) => hasFiles(event) && ($('#drop').hidden = !(over = Math.max(0, over - 1))));
addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  over = 0;
  $('#drop').hidden = true;
  if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
});
addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files || [])][0];
  if (!file) return;
  event.preventDefault();
  open(file);
});

for (const chip of document.querySelectorAll('.chip')) {
  chip.addEventListener('click', () => {
    $('#prompt').value = chip.textContent;
    $('#write').requestSubmit();
  });
}

/** What a form says is asked for once, however often it is sent before that is done. */
function onSubmit(form, field, ask) {
  let asked = null;
  field.addEventListener('input', settle);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text || text === asked) return;
    asked = text;
    const done = await ask(text);
    if (asked === text) asked = null;
    if (done && field.value.trim() === text) field.value = '';
  });
}
onSubmit($('#write'), $('#prompt'), draw);
onSubmit($('#add'), $('#addition'), (text) => editor.add(text));
onSubmit($('#replace'), $('#replacement'), async (text) => {
  const done = await editor.replace(text);
  if (done && openMenu() === $('#replace-menu')) closeMenu(true);
  return done;
});
palette($('#palette'), $('#any-colour'), (colour) => editor.recolor(colour)).catch(complain);

// Saving

const stem = () => editor.view.name.replace(/\.[^.]*$/, '') || 'picture';

async function save(kind) {
  closeMenu();
  await editor.flush();
  try {
    const id = editor.view.id;
    const file = await during('Saving…', () => (kind === 'vle' ? api.tokensFile(id) : api.pictureFile(id)));
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${stem()}-edited.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(`Saved ${link.download}`);
  } catch (fault) {
    complain(fault);
  }
}

// Buttons and keys

const actions = {
  open: () => $('#file-input').click(),
  undo: () => editor.undo(),
  redo: () => editor.redo(),
  'save-png': () => save('png'),
  'save-vle': () => save('vle'),
  nearer: () => editor.deepen(true),
  farther: () => editor.deepen(false),
  smaller: () => editor.grow(1 / 1.1),
  larger: () => editor.grow(1.1),
  flip: () => editor.flip(),
  colour: () => toggle($('#colour-menu')),
  replace: () => toggle($('#replace-menu')),
  'zoom-in': () => zoom.step(true),
  'zoom-out': () => zoom.step(false),
  'zoom-fit': () => zoom.to(1),
  'point-out': () => (pointing.on ? pointing.end() : pointing.begin()),
  duplicate: () => editor.duplicate(),
  remove: () => editor.remove(),
  perspective() {
    editor.flush();
    editor.perspective = !editor.perspective;
    $('#perspective').setAttribute('aria-pressed', editor.perspective);
    say(editor.perspective ? 'Over the floor: what comes nearer grows' : 'Objects keep their size');
  },
};
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (button && button.getAttribute('aria-disabled') !== 'true') actions[button.dataset.do]();
});

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { Delete: 'remove', Backspace: 'remove', '[': 'farther', ']': 'nearer', '-': 'smaller', '+': 'larger', '=': 'larger', o: 'open', p: 'perspective', f: 'flip', c: 'colour', r: 'replace', b: 'point-out', z: 'zoom-in', 0: 'zoom-fit' };
const WITH_CONTROL = { z: 'undo', y: 'redo', d: 'duplicate', s: 'save-png', o: 'open' };

addEventListener('keydown', (event) => {
  if (event.altKey) return;
  if (event.key === 'Escape') {
    if (stage.held) return stage.cancel();
    if (openMenu()) return closeMenu(true);
    if (event.target.closest?.('input, textarea')) return;
    return pointing.on ? leave() : choose(null);
  }
  if (event.target.closest?.('input, textarea')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let action = null;
  if (event.ctrlKey || event.metaKey) action = key === 'z' && event.shiftKey ? 'redo' : WITH_CONTROL[key];
  else action = key === 'z' && event.shiftKey ? 'zoom-out' : KEYS[key];
  const arrow = !event.ctrlKey && !event.metaKey && ARROWS[event.key];
  if (!editor.view && action !== 'open') return;
  if (arrow && editor.token) {
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    editor.nudge(arrow[0] * far, arrow[1] * far);
  } else if (action) {
    event.preventDefault();
    if (!stage.held) actions[action]();
  }
});

function leave() {
  pointing.end();
  $('#picture-tools [data-do=point-out]').focus();
}

// For tests and the curious.
window.studio = { editor, stage, zoom, settled: () => editor.idle && !stage.held && !stage.waiting && !pointing.busy };

// A page that is loaded again goes on where it was; `vlegen serve PICTURE` begins in the same way.
async function resume() {
  const id = location.hash.slice(1);
  if (!id || id === editor.view?.id) return;
  const there = await editor.start('Opening…', () => api.look(id));
  if (!there) history.replaceState(null, '', editor.view ? `#${editor.view.id}` : location.pathname);
}
addEventListener('popstate', resume);
resume();
