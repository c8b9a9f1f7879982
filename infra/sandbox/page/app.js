// The page as a whole: workspaces, panes, keys, the theme, and the stream that keeps all of it true.

import { Live, get, post } from './api.js';
import { attempt, calmly, fill, h, icon, iconButton, say, toast } from './dom.js';
import { ChatPane } from './chat.js';
import { Inbox } from './inbox.js';
import { Messenger } from './messenger.js';
import { Timeline } from './baton.js';
import { Workshop } from './workshop.js';
import { confirmed, covered, show } from './overlays.js';
import { full, go, loadDirectory, now, onMove, page, read, remembered, tell } from './state.js';

/** The panes in their order; the bot platform's chat is there when one is connected. */
const panes = () => [['messenger', page.bot ? 'Messenger' : 'Customer'], page.bot && ['chat', 'Bot’s chat'], ['inbox', 'Inbox'], ['baton', 'Baton']].filter(Boolean);
/** From which width on there is room for the views beside the inbox. */
const roomy = () => matchMedia(`(min-width: ${page.bot ? 150 : 110}em)`);
const THEMES = { auto: ['auto', 'As the system'], light: ['sun', 'Light'], dark: ['moon', 'Dark'] };
const at = (id) => document.getElementById(id);

const sides = [];
const messenger = new Messenger(at('pane-messenger'), { side: sideSwitch() });
const chat = new ChatPane(at('pane-chat'), { side: sideSwitch(), moved: () => timeline.open(chatConversation()) });
const inbox = new Inbox(at('pane-inbox'));
const { timeline, workshop, tabs } = batonPane(at('pane-baton'));
let live = null;
let connected = false;

/** Where both sides of the customer share a place, this tells which is shown. */
function sideSwitch() {
  const node = h('div', { class: 'segments side', role: 'group', 'aria-label': 'The customer’s side' }, [['messenger', 'Messenger'], ['chat', 'Bot’s chat']].map(([name, label]) =>
    h('button', { type: 'button', data: { side: name }, on: { click: () => { go({ pane: name, side: name === 'chat' ? name : null }); at(`pane-${name}`).querySelector(`[data-side=${name}]`).focus(); } } }, label)));
  sides.push(node);
  return node;
}

/** The conversation of the chat that is shown, where it has one here. */
function chatConversation() {
  const about = chat.chats.about;
  return about?.app_id === page.at.app ? chat.present()?.conversation_id ?? null : null;
}

function batonPane(root) {
  const names = [['steps', 'What Baton did'], ['faults', 'Faults'], ['scenarios', 'Scenarios']];
  const panels = Object.fromEntries(names.map(([name]) => [name, h('div', { class: 'tab-panel', role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}` })]));
  const buttons = names.map(([name, label]) => h('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, data: { tab: name }, on: { click: () => go({ tab: name === 'steps' ? null : name }) } }, label));
  const bar = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Baton and the sandbox', on: { keydown: (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = buttons[(buttons.indexOf(document.activeElement) + by + buttons.length) % buttons.length];
    next.focus();
    next.click();
  } } }, buttons);
  fill(root, h('h2', { id: 'baton-title', class: 'quiet' }, 'Baton'), bar, Object.values(panels));
  const draw = () => {
    const present = page.at.tab ?? 'steps';
    for (const button of buttons) {
      const on = button.dataset.tab === present;
      button.setAttribute('aria-selected', String(on));
      button.tabIndex = on ? 0 : -1;
    }
    for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== present;
    workshop.shown(present);
  };
  const timeline = new Timeline(panels.steps);
  const workshop = new Workshop(panels.faults, panels.scenarios, resetAll);
  onMove((changed) => { if (changed.has('tab')) draw(); });
  return { timeline, workshop, tabs: draw };
}

function drawTop() {
  const theme = remembered.get('theme') ?? 'auto';
  document.documentElement.dataset.theme = theme;
  const next = { auto: 'light', light: 'dark', dark: 'auto' }[theme];
  const focused = document.activeElement?.closest('#top-tools')?.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
  fill(at('top-tools'),
    h('label', { class: 'workspace' }, h('span', { class: 'quiet' }, 'Workspace'),
      h('select', { id: 'workspace', 'data-tool': 'workspace', on: { change: (event) => go({ app: event.target.value, id: null, talk: null, customer: null, as: null, view: null, q: null }) } },
        page.workspaces.map((one) => h('option', { value: one.app_id, selected: one.app_id === page.at.app }, `${one.name} · ${one.region}`)))),
    h('span', { class: `connection ${connected ? 'live' : 'lost'}`, id: 'connection' }, connected ? 'Live' : 'Not connected'),
    h('button', { type: 'button', class: 'plain clock', 'data-tool': 'clock', title: 'The sandbox’s time', on: { click: () => go({ pane: 'baton', tab: 'faults' }) } }, icon('clock'), h('span', { id: 'clock' })),
    iconButton(THEMES[theme][0], `Theme: ${THEMES[theme][1]}. Change to ${THEMES[next][1].toLowerCase()}`, () => { remembered.set('theme', next); drawTop(); }, { 'data-tool': 'theme' }),
    iconButton('keys', 'Keys', () => showKeys(), { 'data-tool': 'keys' }));
  if (focused) at('top-tools').querySelector(`[data-tool=${focused}]`)?.focus();
  drawClock();
}

function drawClock() {
  const text = page.ahead ? `${full(now())} (moved on)` : full(now());
  const node = at('clock');
  if (node) node.textContent = text;
}

function drawPanes() {
  const present = page.at.pane ?? 'inbox';
  const side = page.bot && page.at.side === 'chat' ? 'chat' : 'messenger';
  for (const button of sides.flatMap((one) => [...one.children])) button.setAttribute('aria-pressed', String(button.dataset.side === side));
  Object.assign(at('panes').dataset, { side, panes: panes().length, room: roomy().matches ? 'wide' : 'narrow' });
  at('pane-chat').hidden = !page.bot;
  fill(at('panes-nav'), panes().map(([name, label]) => h('button', { type: 'button', data: { pane: name }, 'aria-current': name === present ? 'page' : null, on: { click: () => turnTo(name) } }, label)));
  at('panes').dataset.pane = present;
}

/** Brings a pane to the front, where not all are shown. */
const turnTo = (pane) => go({ pane, ...(pane === 'chat' ? { side: 'chat' } : pane === 'messenger' && { side: null }) });

const directoryAgain = calmly(async () => { await loadDirectory(); inbox.directoryChanged(); timeline.draw(); drawTop(); }, 250);

function connect() {
  live?.close();
  live = new Live(page.at.app, {
    state(state) {
      const on = state === 'live';
      if (on === connected) return;
      if (!on) toast('The connection to the sandbox is lost. Trying again…', 'error');
      connected = on;
      const node = at('connection');
      if (node) { node.className = `connection ${state}`; node.textContent = on ? 'Live' : 'Not connected'; }
    },
    time(said) {
      page.skew = said.now - Math.floor(Date.now() / 1000);
      if (said.ahead_seconds !== undefined) page.ahead = said.ahead_seconds;
      drawClock();
    },
    restarted() { toast('The sandbox was restarted. Everything is loaded anew.'); },
    resync() { inbox.resync(); messenger.resync(); timeline.resync(); directoryAgain(); workshop.again(); },
    changes(changes) {
      inbox.apply(changes);
      messenger.apply(changes);
      timeline.apply(changes);
      if (changes.surroundings) { directoryAgain(); workshop.again(); inbox.rows.renew(); messenger.rows.renew(); if (!messenger.customer) messenger.loadCustomer(); }
    },
  });
}

/** Shows the workspace of the address from the start. */
async function startWorkspace() {
  document.title = `${page.workspaces.find((one) => one.app_id === page.at.app)?.name ?? ''} · Baton sandbox`;
  const loaded = await attempt(async () => { await loadDirectory(); return true; });
  if (!loaded) return;
  const kept = { as: remembered.get(`as-${page.at.app}`), customer: remembered.get(`customer-${page.at.app}`) };
  go({ as: page.at.as ?? kept.as, customer: page.at.customer ?? kept.customer }, { replace: true });
  drawTop();
  drawPanes();
  tabs();
  inbox.start();
  messenger.start();
  timeline.start();
  workshop.again();
  if (page.bot) chat.start();
  connect();
}

const KEYS = [
  ['J or ↓', 'the next conversation', () => inbox.list.move(1)],
  ['K or ↑', 'the conversation before', () => inbox.list.move(-1)],
  ['/', 'search', () => front('inbox', inbox.search)],
  ['R', 'write a reply', () => { inbox.setKind('reply'); front('inbox', inbox.text); }],
  ['N', 'write a note', () => { inbox.setKind('note'); front('inbox', inbox.text); }],
  ['A', 'assign', () => front('inbox', inbox.head.querySelector('select'))],
  ['E', 'close or reopen', () => inbox.closeOrOpen()],
  ['M', 'write as the customer', () => front('messenger', messenger.text)],
  ['C', 'write in the bot’s chat', () => { if (page.bot) { if (!page.at.chat) go({ chat: 'new' }); front('chat', chat.text); } }],
  ['1 2 3 …', 'one pane after the other', null],
  ['?', 'these keys', () => showKeys()],
];

function front(pane, node) {
  if (page.at.pane !== pane || pane === 'chat' || pane === 'messenger') turnTo(pane);
  if (node?.isConnected) node.focus();
}

function showKeys() {
  const off = remembered.get('keys') === 'off';
  const check = h('input', { type: 'checkbox', id: 'keys-on', checked: !off, on: { change: () => remembered.set('keys', check.checked ? 'on' : 'off') } });
  show('Keys',
    h('dl', { class: 'keys' }, KEYS.map(([key, what]) => [h('dt', {}, key.split(' ').map((one) => (one === 'or' || one === '…' ? ` ${one} ` : h('kbd', {}, one)))), h('dd', {}, what)]),
      h('dt', {}, h('kbd', {}, 'Ctrl'), ' + ', h('kbd', {}, 'Enter')), h('dd', {}, 'send what a teammate writes'),
      h('dt', {}, h('kbd', {}, 'Enter')), h('dd', {}, 'send what a customer writes'),
      h('dt', {}, h('kbd', {}, 'Esc')), h('dd', {}, 'leave a field, close a menu')),
    h('label', { class: 'check', for: 'keys-on' }, check, ' Single keys act outside of fields'));
}

async function resetAll() {
  const sure = await confirmed('Put everything back?', 'All workspaces start anew from the seed; conversations, faults and logs are forgotten.', 'Put back');
  if (!sure) return;
  if (await attempt(() => post('/reset'), 'The sandbox is as it was at its start.')) {
    go({ id: null, talk: null });
    inbox.resync();
    messenger.resync();
  }
}

document.addEventListener('keydown', (event) => {
  const target = event.target;
  // What had the focus in a dialog has it until the closed dialog is taken away, unless something had it before.
  const typing = target.matches?.('input, textarea, select, [contenteditable]') && !target.closest('dialog:not([open])');
  if (event.key === 'Escape' && typing && !covered()) { target.blur(); return; }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || covered() || remembered.get('keys') === 'off') return;
  const [pane] = panes()[Number(event.key) - 1] ?? [];
  if (pane) { turnTo(pane); [...at(`pane-${pane}`).querySelectorAll('button, [tabindex="0"]')].find((node) => node.offsetParent)?.focus(); event.preventDefault(); return; }
  const act = { j: 0, k: 1, '/': 2, r: 3, n: 4, a: 5, e: 6, m: 7, c: 8, '?': 10 }[event.key.toLowerCase()];
  if (act !== undefined) { event.preventDefault(); KEYS[act][2](); }
});

at('skip').addEventListener('click', (event) => { event.preventDefault(); front('inbox', inbox.list.node); });
onMove((changed) => {
  if (changed.has('app')) startWorkspace();
  if (changed.has('pane') || changed.has('side')) drawPanes();
  if (changed.has('chat')) timeline.open(chatConversation());
});
addEventListener('popstate', () => { const before = { ...page.at }; read(); tell(before); });
addEventListener('hashchange', () => { const before = { ...page.at }; read(); tell(before); });
setInterval(() => { drawClock(); }, 1000);
setInterval(() => { inbox.list.refresh(); messenger.list.refresh(); if (page.bot) chat.draw(); }, 30_000);
addEventListener('resize', () => { if ((at('panes').dataset.room === 'wide') !== roomy().matches) drawPanes(); });

async function begin() {
  read();
  document.documentElement.dataset.theme = remembered.get('theme') ?? 'auto';
  try {
    ({ workspaces: page.workspaces, bot: page.bot } = await get('/workspaces'));
  } catch (problem) {
    say(problem.message);
    toast(problem.message, 'error');
    setTimeout(begin, 1500);
    return;
  }
  const known = page.workspaces.some((one) => one.app_id === page.at.app);
  if (known) await startWorkspace();
  else go({ app: page.workspaces[0].app_id }, { replace: true });
}

begin();
