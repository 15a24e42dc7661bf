// The page: what its buttons, keys, files and forms do.

import * as api from './api.js';
import { copied, copy, paste } from './clipboard.js';
import { Editor, someSeed } from './editor.js';
import { onSubmit } from './forms.js';
import { closeMenu, openMenu, toggle } from './menus.js';
import { complain, during, say } from './messages.js';
import { Objects } from './objects.js';
import { Hue, palette } from './palette.js';
import { Pointing } from './pointing.js';
import { Stage } from './stage.js';
import { Zoom } from './zoom.js';

const $ = (selector) => document.querySelector(selector);
const editor = new Editor(show);
const objects = new Objects($('#objects'), $('#count'), {
  hover,
  choose(index, event) {
    choose(index, adding(event));
    if (editor.token) zoom.reveal(editor.token.x, editor.token.y);
  },
});
let dragged = null;
let shown = null;
const stage = new Stage($('#frame'), {
  hover,
  choose,
  adding,
  drag(index, dx, dy) {
    editor.flush();
    const which = together(index);
    const [x, y] = editor.held(which, dx, dy);
    dragged = { which, dx: x, dy: y, factor: 1, perspective: editor.perspective };
    place();
  },
  drop(index, dx, dy) {
    dragged = null;
    const which = together(index);
    editor.move(which, ...editor.held(which, dx, dy));
  },
  size(factor) {
    editor.flush();
    dragged = { which: [editor.chosen], dx: 0, dy: 0, factor: sizeable(factor), perspective: false };
    place();
  },
  sized(factor) {
    dragged = null;
    if (editor.token) editor.resize([editor.chosen], sizeable(factor));
  },
  cancel() {
    dragged = null;
    place();
  },
});
const pointing = new Pointing($('#pointing'), $('#mask'), $('#ring'), {
  picture: () => ({ width: editor.view.width, height: editor.view.height, zoom: stage.zoom }),
  async found(place) {
    const token = await editor.pointOut(place);
    if (token) say(`Found: ${token.label}`);
    return Boolean(token);
  },
  changed() {
    const { on, paints, brush } = pointing;
    for (const part of $('#object-tools').children) {
      if (part.id !== 'chosen') part.hidden = part.classList.contains('pointing') ? !on : on;
    }
    $('#brush-tools').hidden = !on || !paints;
    const pressed = { '[data-do=point-out]': on, '[data-do=by-box]': !paints, '[data-do=by-brush]': paints, '[data-do=erase]': brush.erases };
    for (const [name, is] of Object.entries(pressed)) $(name).setAttribute('aria-pressed', is);
    $('[data-do=mask-done]').setAttribute('aria-disabled', !brush.marked);
    if (on && editor.chosen !== null) choose(null);
    else mark();
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

const hue = new Hue($('#hue'), $('#turned'), (by) => editor.turn(by));
addEventListener('storage', () => mark()); // something was copied in another window
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

/** Whether what is pressed now comes to what is chosen. */
function adding(event) {
  return editor.several || event.shiftKey || event.ctrlKey || event.metaKey;
}

/** All that is dragged with a token. */
function together(index) {
  return editor.which.includes(index) ? editor.which : [index];
}

/** Chooses a token, or nothing; with `more` besides what is chosen, from which it goes if it is in it. */
function choose(index, more = false) {
  const rest = editor.which.filter((other) => other !== index);
  chooseAll(!more ? [index].filter((one) => one !== null) : editor.which.includes(index) ? rest : [...rest, index]);
}

function chooseAll(which) {
  if (String(editor.which) !== String(which)) {
    stage.handles.cancel();
    editor.flush();
  }
  editor.choose(which);
  editor.lift(which.length === 1 ? which[0] : null);
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
  const { token, which } = editor;
  stage.mark(editor.hovered, which);
  objects.mark(editor.hovered, which);
  const chosen = which.length > 1 ? `${which.length} objects` : token?.label ?? advice();
  const asked = pointing.paints ? 'Paint over the whole object' : 'Draw a box around an object, or tap it';
  $('#chosen').textContent = pointing.on ? asked : chosen;
  for (const button of document.querySelectorAll('#object-tools .group :is([data-do], summary, input)')) {
    const { least = 1, most = Infinity } = button.dataset;
    allow(button, editor.view && which.length >= least && which.length <= most);
  }
  allow($('[data-do=paste]'), copied());
  if (openMenu()?.querySelector('summary').getAttribute('aria-disabled') === 'true') closeMenu();
  $('[data-do=several]').setAttribute('aria-pressed', editor.several);
  if (!editor.turning) hue.show((token?.turn ?? 0) + editor.asking);
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
  if (!file && (event.target.closest?.(TYPED) || !editor.view)) return;
  event.preventDefault();
  if (file) open(file);
  else actions.paste();
});

for (const kind of ['copy', 'cut']) {
  addEventListener(kind, (event) => {
    if (!editor.token || event.target.closest?.(TYPED) || String(getSelection())) return;
    event.preventDefault();
    // In place of a picture that may be on the clipboard, which would be opened when this is to be pasted.
    event.clipboardData.setData('text/plain', editor.tokens.map((token) => token.label).join(', '));
    actions[kind]();
  });
}

for (const chip of document.querySelectorAll('.chip')) {
  chip.addEventListener('click', () => {
    $('#prompt').value = chip.textContent;
    $('#write').requestSubmit();
  });
}

$('#mask-input').addEventListener('change', (event) => {
  const [mask] = event.target.files;
  event.target.value = '';
  if (mask && pointing.on && !pointing.busy) pointing.find({ mask });
});
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
  swap: () => editor.swap(),
  arrange: () => toggle($('#arrange-menu')),
  async copy() {
    const { length } = editor.which;
    const done = await copy(editor);
    if (done) say(`Copied ${length} object${length === 1 ? '' : 's'}: paste here or into another picture`);
    return done;
  },
  async cut() {
    if (await actions.copy()) editor.remove();
  },
  paste: () => (copied() ? paste(editor) : say('Nothing was copied yet')),
  several() {
    editor.several = !editor.several;
    mark();
    say(editor.several ? 'What you choose now comes to what is chosen' : 'One object is chosen at a time');
  },
  all: () => chooseAll(editor.view.tokens.map((token) => token.index)),
  'by-box': () => pointing.begin(),
  'by-brush': () => pointing.begin(true),
  'brush-smaller': () => pointing.brush.size(false),
  'brush-larger': () => pointing.brush.size(true),
  erase: () => pointing.brush.erase(),
  'mask-done': () => pointing.done(),
  'mask-file': () => $('#mask-input').click(),
  perspective() {
    editor.flush();
    editor.perspective = !editor.perspective;
    $('#perspective').setAttribute('aria-pressed', editor.perspective);
    say(editor.perspective ? 'Over the floor: what comes nearer grows' : 'Objects keep their size');
  },
};
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button || button.getAttribute('aria-disabled') === 'true') return;
  if (button.classList.contains('row')) closeMenu(true);
  const { align, distribute } = button.dataset;
  if (align) editor.align(align);
  else if (distribute) editor.distribute(distribute);
  else actions[button.dataset.do]();
});

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { Delete: 'remove', Backspace: 'remove', '[': 'farther', ']': 'nearer', '-': 'smaller', '+': 'larger', '=': 'larger', o: 'open', p: 'perspective', f: 'flip', c: 'colour', r: 'replace', b: 'point-out', m: 'several', a: 'arrange', z: 'zoom-in', 0: 'zoom-fit' };
const WITH_CONTROL = { z: 'undo', y: 'redo', d: 'duplicate', s: 'save-png', o: 'open', a: 'all' };
const TYPED = 'input:not([type=range], [type=color], [type=file]), textarea'; // where keys write

addEventListener('keydown', (event) => {
  if (event.altKey) return;
  if (event.key === 'Escape') {
    if (stage.held) return stage.cancel();
    if (openMenu()) return closeMenu(true);
    if (event.target.closest?.(TYPED)) return;
    return pointing.on ? leave() : choose(null);
  }
  const field = event.target.closest?.('input, textarea');
  if (field && (field.matches(TYPED) || !(event.ctrlKey || event.metaKey))) return; // a slider has keys of its own
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
