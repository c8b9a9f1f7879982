// What comes over the page: menus beside a button, questions, the list of keys.

import { fill, h } from './dom.js';

let opened = null;

/** A menu beside a button: choices, and on request a line to type another one. */
export function menu(button, label, items, typed) {
  opened?.();
  const close = (back = true) => {
    node.remove();
    document.removeEventListener('pointerdown', outside, true);
    button.setAttribute('aria-expanded', 'false');
    opened = null;
    if (back) button.focus();
  };
  const outside = (event) => { if (!node.contains(event.target)) close(false); };
  const buttons = items.map((item) => h('button', { type: 'button', role: 'menuitem', tabindex: '-1', on: { click: () => { close(); item.act(); } } }, item.label));
  const input = typed && h('input', { type: 'text', 'aria-label': typed.placeholder, placeholder: typed.placeholder, maxlength: '100' });
  const form = typed && h('form', { class: 'menu-form', on: { submit: (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) { close(); typed.act(text); }
  } } }, input, h('button', { type: 'submit', class: 'secondary' }, 'Add'));
  const node = h('div', { class: 'menu', on: { keydown: (event) => {
    const at = buttons.indexOf(document.activeElement);
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') { event.stopPropagation(); event.preventDefault(); close(); }
    else if (move && buttons.length) { event.preventDefault(); buttons[(at + move + buttons.length) % buttons.length].focus(); }
  } } }, buttons.length > 0 && h('div', { role: 'menu', 'aria-label': label }, buttons), form);
  document.body.append(node);
  const box = button.getBoundingClientRect();
  node.style.top = `${Math.min(box.bottom + 6, innerHeight - node.offsetHeight - 8)}px`;
  node.style.left = `${Math.max(8, Math.min(box.left, innerWidth - node.offsetWidth - 8))}px`;
  button.setAttribute('aria-expanded', 'true');
  document.addEventListener('pointerdown', outside, true);
  opened = close;
  (buttons[0] ?? input)?.focus();
}

/** A dialog over the page. The browser gives the focus back as it closes; its node goes a moment later. */
function dialog(title, content, buttons) {
  const node = h('dialog', { 'aria-labelledby': 'dialog-title' }, h('h2', { id: 'dialog-title' }, title), content, h('div', { class: 'dialog-buttons' }, buttons));
  node.addEventListener('close', () => node.remove());
  document.body.append(node);
  node.showModal();
  return node;
}

/** Asks before something that cannot be taken back. */
export function confirmed(title, text, word) {
  return new Promise((resolve) => {
    const yes = h('button', { type: 'button', class: 'danger', on: { click: () => { resolve(true); node.close(); } } }, word);
    const no = h('button', { type: 'button', class: 'secondary', on: { click: () => node.close() } }, 'Cancel');
    const node = dialog(title, h('p', {}, text), [no, yes]);
    node.addEventListener('close', () => resolve(false));
    no.focus();
  });
}

/** Whether something lies over the page. A dialog that is closed and not yet taken away does not. */
export const covered = () => Boolean(document.querySelector('dialog[open], .menu'));

export function show(title, ...content) {
  const done = h('button', { type: 'button', class: 'primary', on: { click: () => node.close() } }, 'Done');
  const node = dialog(title, h('div', { class: 'dialog-body' }, content), [done]);
  return node;
}

/** A field that finds people as one types: a combobox with a list below. */
export function finder({ label, placeholder, find, draw, choose }) {
  const id = `finder-${Math.random().toString(36).slice(2)}`;
  let options = [];
  let at = -1;
  const list = h('div', { class: 'found', role: 'listbox', id, 'aria-label': label });
  const input = h('input', { type: 'search', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': id, 'aria-autocomplete': 'list', 'aria-label': label, placeholder, autocomplete: 'off' });
  const mark = () => {
    [...list.children].forEach((node, n) => node.setAttribute('aria-selected', String(n === at)));
    if (at >= 0) { input.setAttribute('aria-activedescendant', `${id}-${at}`); list.children[at].scrollIntoView({ block: 'nearest' }); } else input.removeAttribute('aria-activedescendant');
  };
  let asked = 0;
  const search = async () => {
    const mine = ++asked;
    const found = await find(input.value.trim());
    if (mine !== asked) return;
    options = found;
    at = options.length ? 0 : -1;
    fill(list, options.map((one, n) => h('div', { role: 'option', id: `${id}-${n}`, on: { click: () => choose(one) } }, draw(one))));
    input.setAttribute('aria-expanded', String(options.length > 0));
    mark();
  };
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && options.length) { event.preventDefault(); at = (at + move + options.length) % options.length; mark(); }
    else if (event.key === 'Enter' && at >= 0) { event.preventDefault(); choose(options[at]); }
  });
  search();
  return { node: h('div', { class: 'finder' }, input, list), input };
}
