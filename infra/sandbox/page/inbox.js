// The teammates' inbox: views, a list, a conversation, and everything a teammate can do to it.

import { call, post } from './api.js';
import { attempt, avatar, calmly, fill, h, icon, iconButton, reconcile, say, toast } from './dom.js';
import { Loaded, dayOf, eventLine, eventText, isMessage, message, messagesOf, toEnd } from './conversation.js';
import { RowList, Rows } from './rows.js';
import { admin, ago, full, go, nameOf, onMove, ownerOf, page, remembered, team } from './state.js';
import { confirmed, menu } from './overlays.js';

const STATES = [['open', 'Open'], ['snoozed', 'Snoozed'], ['closed', 'Closed'], ['any', 'Any']];
const SNOOZES = [[3600, 'For an hour'], [3 * 3600, 'For three hours'], [86_400, 'Until tomorrow'], [7 * 86_400, 'For a week']];

export class Inbox {
  constructor(root) {
    this.root = root;
    this.rows = new Rows(() => this.drawList());
    this.loaded = new Loaded(() => this.drawThread());
    this.list = new RowList({
      id: 'inbox-list', label: 'Conversations', height: 5.25, draw: drawRow,
      choose: (id, open) => { go({ id }, { replace: !open }); if (open) this.root.classList.add('reading'); },
      more: () => this.rows.loadMore(),
    });
    this.build();
    onMove((changed) => this.moved(changed));
  }

  me() {
    const { admins } = page.directory;
    return admin(page.at.as) ?? admins.find((one) => !one.is_bot) ?? admins[0];
  }

  build() {
    this.meBox = h('div', { class: 'me' });
    this.viewBox = h('nav', { class: 'views', 'aria-label': 'Views' });
    this.viewSelect = h('select', { 'aria-label': 'View', class: 'view-select', on: { change: () => go({ view: this.viewSelect.value }) } });
    this.states = h('div', { class: 'segments', role: 'group', 'aria-label': 'State' }, STATES.map(([value, label]) =>
      h('button', { type: 'button', data: { state: value }, on: { click: () => go({ state: value === 'open' ? null : value }) } }, label)));
    const search = calmly(() => go({ q: this.search.value.trim() }, { replace: true }), 220);
    this.search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search conversations', class: 'search', autocomplete: 'off', on: { input: search } });
    this.listStatus = h('p', { class: 'list-status' });
    this.thread = h('div', { class: 'thread' });
    fill(this.root,
      h('div', { class: 'rail' }, h('h2', { id: 'inbox-title' }, 'Inbox'), this.meBox, this.viewBox),
      h('div', { class: 'list-side' },
        h('div', { class: 'list-tools' }, this.viewSelect, this.search, this.states, this.listStatus), this.list.node),
      this.thread);
    this.buildThread();
  }

  buildThread() {
    this.head = h('header', { class: 'thread-head' });
    this.earlier = h('button', { type: 'button', class: 'plain earlier', on: { click: () => { this.loaded.shown += 300; this.drawThread(); } } }, 'Show earlier messages');
    this.messages = h('ol', { class: 'messages', 'aria-label': 'Messages' });
    this.scroll = h('div', { class: 'thread-scroll', tabindex: '0', role: 'region', 'aria-label': 'Conversation' }, this.earlier, this.messages);
    this.kind = 'reply';
    this.kinds = h('div', { class: 'segments', role: 'group', 'aria-label': 'What you write' }, [['reply', 'Reply'], ['note', 'Note']].map(([kind, label]) =>
      h('button', { type: 'button', data: { kind }, on: { click: () => this.setKind(kind) } }, label)));
    this.text = h('textarea', { rows: '3', class: 'compose-text', on: {
      keydown: (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.sendText(); } },
      input: () => { this.drafts.set(page.at.id, this.text.value); },
    } });
    this.drafts = new Map();
    this.sendButton = h('button', { type: 'submit', class: 'primary' }, icon('send'), h('span', {}, 'Send'));
    this.composer = h('form', { class: 'composer', on: { submit: (event) => { event.preventDefault(); this.sendText(); } } },
      h('div', { class: 'composer-top' }, this.kinds, h('span', { class: 'hint' }, 'Ctrl + Enter sends')), this.text, this.sendButton);
    this.empty = h('div', { class: 'empty' });
    this.setKind('reply');
  }

  setKind(kind) {
    this.kind = kind;
    for (const button of this.kinds.children) button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
    this.composer.classList.toggle('noting', kind === 'note');
    this.text.placeholder = kind === 'note' ? 'Write a note that only teammates see' : 'Write to the customer';
    this.text.setAttribute('aria-label', this.text.placeholder);
    this.sendButton.lastChild.textContent = kind === 'note' ? 'Add note' : 'Send';
  }

  /** Shows another workspace, or the same from the start. */
  start() {
    this.search.value = page.at.q ?? '';
    this.drawMe();
    this.load();
    this.loaded.open(null);
    this.loaded.open(page.at.id ?? null);
    this.drawThread();
    this.root.classList.toggle('reading', Boolean(page.at.id));
  }

  directoryChanged() {
    this.drawMe();
    this.drawViews();
    this.list.refresh();
    this.drawThread(true);
  }

  resync() {
    this.rows.load(this.rows.query ?? this.query(), true);
    this.loaded.again();
  }

  apply(changes) {
    this.rows.apply(changes);
    this.loaded.apply(changes);
  }

  query() {
    const view = page.at.view === 'mine' ? `admin:${this.me()?.id}` : page.at.view;
    const state = page.at.state ?? 'open';
    return { view: view ?? 'all', state: state === 'any' ? '' : state, q: page.at.q ?? '' };
  }

  load() {
    this.drawViews();
    this.rows.load(this.query());
  }

  moved(changed) {
    const mine = changed.has('as') && page.at.view === 'mine';
    if (changed.has('view') || changed.has('state') || changed.has('q') || mine) {
      if (document.activeElement !== this.search) this.search.value = page.at.q ?? '';
      this.list.node.scrollTop = 0;
      this.load();
    }
    if (changed.has('as')) { this.drawMe(); this.drawThread(true); }
    if (changed.has('id')) {
      this.loaded.open(page.at.id ?? null);
      this.text.value = this.drafts.get(page.at.id) ?? '';
      this.root.classList.toggle('reading', Boolean(page.at.id));
      this.drawList();
    }
  }

  drawMe() {
    const me = this.me();
    if (!me) return;
    fill(this.meBox,
      h('label', { class: 'field' }, h('span', {}, 'You act as'),
        h('select', { id: 'act-as', on: { change: (event) => { remembered.set(`as-${page.at.app}`, event.target.value); go({ as: event.target.value }, { replace: true }); } } },
          page.directory.admins.map((one) => h('option', { value: one.id, selected: one.id === me.id }, one.is_bot ? `${one.name} (bot)` : one.name)))),
      h('button', { type: 'button', class: 'switch', role: 'switch', 'aria-checked': String(me.away_mode_enabled), on: { click: () => this.setAway(me) } },
        h('span', { class: 'knob' }), h('span', {}, `${me.name} is away`)));
  }

  async setAway(me) {
    await attempt(() => post(`/${page.at.app}/admins/${me.id}/away`, { away_mode_enabled: !me.away_mode_enabled }),
      me.away_mode_enabled ? `${me.name} is back.` : `${me.name} is away.`);
  }

  views() {
    const { admins, teams } = page.directory;
    return [
      ['', [['all', 'All'], ['unassigned', 'Unassigned'], ['mine', 'Mine']]],
      ['Teams', teams.map((one) => [`team:${one.id}`, one.name])],
      ['Teammates', admins.map((one) => [`admin:${one.id}`, one.name, one])],
    ].filter(([, views]) => views.length);
  }

  drawViews() {
    const present = page.at.view ?? 'all';
    const counts = this.rows.counts;
    const count = (view) => counts[view === 'mine' ? `admin:${this.me()?.id}` : view] ?? 0;
    fill(this.viewSelect, this.views().map(([group, views]) => {
      const options = views.map(([view, label]) => h('option', { value: view, selected: view === present }, `${label} (${count(view)})`));
      return group ? h('optgroup', { label: group }, options) : options;
    }));
    const focused = this.viewBox.contains(document.activeElement) ? document.activeElement.dataset.view : null;
    fill(this.viewBox, this.views().map(([group, views]) => h('div', { class: 'view-group' },
      group && h('h3', {}, group),
      views.map(([view, label, one]) => h('button', {
        type: 'button', class: `view ${one?.is_bot ? 'bot' : ''}`, data: { view }, 'aria-current': view === present ? 'true' : null, on: { click: () => go({ view: view === 'all' ? null : view }) },
      }, h('span', { class: 'view-name' }, label), one?.away_mode_enabled && h('span', { class: 'chip away' }, 'away'), h('span', { class: 'count' }, String(count(view))))))));
    if (focused) [...this.viewBox.querySelectorAll('button')].find((button) => button.dataset.view === focused)?.focus();
  }

  drawList() {
    const { rows } = this;
    for (const button of this.states.children) button.setAttribute('aria-pressed', String(button.dataset.state === (page.at.state ?? 'open')));
    this.drawViews();
    this.list.node.setAttribute('aria-busy', String(rows.loading && !rows.rows.length));
    this.list.show(rows.rows, rows.total, page.at.id);
    let text = `${rows.total.toLocaleString()} ${rows.total === 1 ? 'conversation' : 'conversations'}`;
    if (rows.problem) text = rows.problem;
    else if (rows.loading && !rows.rows.length) text = 'Loading…';
    else if (!rows.rows.length) text = page.at.q ? 'Nothing found. Other words, or any state?' : 'Nothing here. A customer can start one in the Messenger.';
    if (this.listStatus.textContent !== text) this.listStatus.textContent = text;
    this.listStatus.classList.toggle('problem', Boolean(rows.problem));
  }

  drawThread(again = false) {
    const { value, id, problem } = this.loaded;
    if (!value) {
      const words = problem ?? (id ? 'Loading the conversation…' : 'Choose a conversation on the left, or start one as a customer.');
      fill(this.empty, h('p', {}, words), id && h('button', { type: 'button', class: 'plain', on: { click: () => go({ id: null }) } }, 'Back to the list'));
      if (this.thread.firstChild !== this.empty) fill(this.thread, this.empty);
      return;
    }
    const fresh = this.drawnId !== id || !this.head.isConnected;
    if (!this.head.isConnected) fill(this.thread, this.head, this.scroll, this.composer);
    if (this.drawnHead !== JSON.stringify(value.row) || again || fresh) this.drawHead(value);
    this.drawnHead = JSON.stringify(value.row);
    const all = messagesOf(value);
    const shown = all.slice(-this.loaded.shown);
    this.earlier.hidden = shown.length === all.length;
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    reconcile(this.messages, entriesOf(shown), (entry) => entry.key, (entry) => entry.signature, (entry) => entry.draw((part) => this.redact(part)));
    if (fresh || atEnd) toEnd(this.scroll);
    if (!fresh && all.length > (this.drawnCount ?? 0)) this.announce(all.at(-1));
    Object.assign(this, { drawnId: id, drawnCount: all.length });
  }

  announce(part) {
    const event = eventText(part);
    const who = part.author.name || 'The customer';
    say(event ? `${who} ${event}` : `New ${part.part_type === 'note' ? 'note' : 'message'} by ${who}`);
  }

  drawHead(value) {
    const row = value.row;
    const owner = ownerOf(row);
    const who = nameOf(row.contact);
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const assignees = h('select', { 'aria-label': 'Assigned to', data: { act: 'assign' }, on: { change: (event) => this.assign(event.target.value) } },
      h('option', { value: '', selected: true }, row.team_assignee_id && row.admin_assignee_id ? `${owner.label} · ${owner.team ?? team(row.team_assignee_id)?.name}` : owner.label),
      h('option', { value: 'nobody' }, 'Nobody'),
      h('optgroup', { label: 'Teammates' }, page.directory.admins.map((one) => h('option', { value: `admin:${one.id}` }, one.away_mode_enabled ? `${one.name} (away)` : one.name))),
      h('optgroup', { label: 'Teams' }, page.directory.teams.map((one) => h('option', { value: `team:${one.id}` }, one.name))));
    const closed = row.state === 'closed';
    fill(this.head,
      iconButton('back', 'Back to the list', () => { go({ id: null }); this.root.classList.remove('reading'); this.list.node.focus(); }, { class: 'to-list' }),
      avatar(who, 'customer'),
      h('div', { class: 'thread-who' },
        h('h3', { id: 'thread-title' }, who),
        h('p', { class: 'sub' }, h('button', { type: 'button', class: 'id', title: 'Copy the id', on: { click: () => this.copy(row.id) } }, row.id),
          h('span', { class: `chip state-${row.state}` }, row.state === 'snoozed' && row.snoozed_until ? `snoozed until ${full(row.snoozed_until)}` : row.state),
          row.rating && h('span', { class: 'chip' }, `rated ${row.rating} of 5`),
          row.tags.map((tag) => h('button', { type: 'button', class: 'chip tag', title: 'Take this tag off', 'aria-label': `Take the tag ${tag} off`, on: { click: () => this.untag(tag) } }, tag, ' ×')))),
      h('button', { type: 'button', class: closed ? 'secondary' : 'primary', data: { act: 'close' }, on: { click: () => this.closeOrOpen() } }, icon(closed ? 'open' : 'check'), h('span', {}, closed ? 'Reopen' : 'Close')),
      h('div', { class: 'thread-acts' },
        h('span', { class: `owner-select ${owner.kind}` }, assignees),
        iconButton('eye', 'Show it as the customer sees it', () => go({ customer: row.contact?.id, talk: row.id, pane: 'messenger' }), { 'data-act': 'eye' }),
        iconButton('tag', 'Tag', (event) => this.tagMenu(event.currentTarget), { 'data-act': 'tag' }),
        iconButton('clock', row.state === 'snoozed' ? 'End the snooze' : 'Snooze', (event) => (row.state === 'snoozed' ? this.act('unsnooze', {}, 'The snooze is over.') : this.snoozeMenu(event.currentTarget)), { 'data-act': 'snooze' }),
        iconButton('trash', 'Delete the conversation', () => this.remove(), { 'data-act': 'delete' })));
    if (focused) this.head.querySelector(`[data-act=${focused}]`)?.focus();
  }

  path(what) { return `/${page.at.app}/conversations/${this.loaded.id}/${what}`; }

  act(action, more, done) {
    return attempt(() => post(this.path('teammate'), { admin_id: this.me().id, action, ...more }), done);
  }

  async sendText() {
    const body = this.text.value.trim();
    if (!body || !this.loaded.value) { this.text.focus(); return; }
    const id = this.loaded.id;
    const sending = this.act(this.kind, { body });
    this.write(id, '');
    this.text.focus();
    // What was not taken is there to be sent again, unless something else has been typed.
    if (!await sending && !this.drafts.get(id)) this.write(id, body);
  }

  /** Puts words where they are written, for the conversation that they are meant for. */
  write(id, words) {
    this.drafts.set(id, words);
    if (page.at.id === id) this.text.value = words;
  }

  closeOrOpen() {
    if (!this.loaded.value) return undefined;
    return this.loaded.value.row.state === 'closed' ? this.act('open', {}, 'Reopened.') : this.act('close', {}, 'Closed.');
  }

  assign(to) {
    if (!to) return;
    const [type, id] = to.split(':');
    this.act('assign', { assignee: { type, id } }, `Assigned to ${type === 'nobody' ? 'nobody' : (type === 'team' ? team(id) : admin(id))?.name}.`);
  }

  snoozeMenu(button) {
    menu(button, 'Snooze', SNOOZES.map(([seconds, label]) => ({ label, act: () => this.act('snooze', { snoozed_until: Math.floor(Date.now() / 1000) + page.skew + seconds }, 'Snoozed.') })));
  }

  tagMenu(button) {
    const present = this.loaded.value.row.tags;
    const tag = (name) => attempt(() => post(this.path('tag'), { name, admin_id: this.me().id }), `Tagged ${name}.`);
    const known = page.directory.tags.filter((one) => !present.includes(one.name)).map((one) => ({ label: one.name, act: () => tag(one.name) }));
    menu(button, 'Tag', known, { placeholder: 'Another tag', act: tag });
  }

  untag(name) {
    return attempt(() => post(this.path('untag'), { name, admin_id: this.me().id }), `The tag ${name} is off.`);
  }

  async redact(part) {
    const sure = await confirmed('Redact this message?', 'Its words and files are taken away for good, for everybody.', 'Redact');
    if (sure) await attempt(() => post(this.path('redact'), { part_id: part.id }), 'Redacted.');
  }

  async remove() {
    const sure = await confirmed('Delete this conversation?', 'It is gone for customers and teammates, and Baton is told so.', 'Delete');
    if (sure) await attempt(() => call('DELETE', `/${page.at.app}/conversations/${this.loaded.id}`), 'Deleted.');
  }

  async copy(id) {
    try { await navigator.clipboard.writeText(id); toast(`Copied ${id}.`); } catch { toast(`The id is ${id}.`); }
  }
}

/** Messages, the lines of what was done, and a line where a day begins. */
function entriesOf(parts) {
  const entries = [];
  let day = null;
  for (const part of parts) {
    const today = dayOf(part.created_at);
    if (today !== day) {
      day = today;
      entries.push({ key: `day-${today}`, signature: today, draw: () => h('li', { class: 'day' }, h('span', {}, today)) });
    }
    const event = !part.first && eventText(part);
    if (isMessage(part)) {
      const signature = JSON.stringify([part.updated_at, part.redacted, part.body?.length, part.tags?.length, admin(part.author.id)?.is_bot]);
      entries.push({ key: part.id, signature, draw: (redact) => message(part, { redact }) });
    }
    if (event) entries.push({ key: `event-${part.id}`, signature: event, draw: () => eventLine(part) });
  }
  return entries;
}

function drawRow(row) {
  const who = nameOf(row.contact);
  const owner = ownerOf(row);
  const { last } = row;
  const by = last.by === 'user' || last.by === 'lead' ? '' : `${last.name ?? 'Somebody'}: `;
  const text = last.text || (last.files ? `${last.files} ${last.files === 1 ? 'file' : 'files'}` : 'No words');
  return h('div', { class: `inbox-row state-${row.state}` },
    avatar(who, 'customer'),
    h('div', { class: 'row-main' },
      h('p', { class: 'row-top' }, h('strong', {}, who), h('span', { class: 'row-time' }, ago(row.updated_at))),
      h('p', { class: `row-text${last.note ? ' note' : ''}` }, last.note && 'Note · ', by, text),
      h('p', { class: 'row-chips' },
        h('span', { class: `chip owner ${owner.kind}` }, owner.label),
        owner.team && h('span', { class: 'chip' }, owner.team),
        row.state !== 'open' && h('span', { class: `chip state-${row.state}` }, row.state),
        row.tags.slice(0, 3).map((tag) => h('span', { class: 'chip tag' }, tag)))));
}
