// The customer's side: who one is, one's conversations, and one conversation in the Messenger.

import { get, post, upload } from './api.js';
import { attempt, avatar, fill, h, icon, iconButton, reconcile, say, toast } from './dom.js';
import { Loaded, authorKind, files, isMessage, messagesOf, time, toEnd } from './conversation.js';
import { RowList, Rows } from './rows.js';
import { bodyOf } from './safe-html.js';
import { ago, clock, go, nameOf, onMove, page, remembered, size } from './state.js';
import { finder } from './overlays.js';

const NEW = 'new';
const FACES = [[1, '😠', 'Terrible'], [2, '🙁', 'Bad'], [3, '😐', 'OK'], [4, '😃', 'Great'], [5, '🤩', 'Amazing']];

export class Messenger {
  constructor(root, { side }) {
    this.root = root;
    this.side = side;
    this.rows = new Rows(() => this.draw());
    this.loaded = new Loaded(() => this.draw());
    this.customer = null;
    this.pending = [];
    this.list = new RowList({
      id: 'talks', label: 'Conversations of this customer', height: 4.25, draw: drawTalk,
      choose: (id, open) => { if (open) go({ talk: id }); }, more: () => this.rows.loadMore(),
    });
    this.build();
    onMove((changed) => {
      if (changed.has('customer')) this.loadCustomer();
      if (changed.has('talk')) this.openTalk();
    });
  }

  build() {
    this.title = h('h2', { id: 'messenger-title' }, 'Messenger');
    this.who = h('div', { class: 'customer-line' });
    this.phone = h('div', { class: 'phone' });
    this.bar = h('div', { class: 'phone-bar' });
    this.messages = h('ol', { class: 'talk', 'aria-label': 'Messages in the Messenger' });
    this.choices = h('div', { class: 'choices' });
    this.scroll = h('div', { class: 'talk-scroll', tabindex: '0', role: 'region', 'aria-label': 'Messenger conversation' }, this.messages, this.choices);
    this.text = h('textarea', { rows: '1', 'aria-label': 'Message to the company', placeholder: 'Message…', on: {
      keydown: (event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.sendText(); } },
    } });
    this.fileInput = h('input', { type: 'file', multiple: true, class: 'quiet', tabindex: '-1', 'aria-label': 'Files to attach', on: { change: () => this.attach() } });
    this.attached = h('ul', { class: 'attached' });
    this.composer = h('form', { class: 'phone-composer', on: { submit: (event) => { event.preventDefault(); this.sendText(); } } },
      this.attached,
      h('div', { class: 'phone-line' },
        iconButton('clip', 'Attach files', () => this.fileInput.click()), this.fileInput, this.text,
        h('button', { type: 'submit', class: 'round', 'aria-label': 'Send to the company', title: 'Send' }, icon('send'))));
    this.listStatus = h('p', { class: 'list-status' });
    fill(this.root, h('header', { class: 'pane-head' }, this.title, this.side, this.who), h('div', { class: 'phone-room' }, this.phone));
  }

  start() {
    this.customer = null;
    this.loadCustomer();
    this.loaded.open(null);
    this.openTalk();
  }

  resync() {
    if (this.rows.query) this.rows.load(this.rows.query, true);
    this.loaded.again();
    if (!this.customer) this.loadCustomer();
  }

  apply(changes) {
    this.rows.apply(changes);
    this.loaded.apply(changes);
  }

  async loadCustomer() {
    const wanted = page.at.customer;
    const found = await attempt(() => get(`/${page.at.app}/people?${new URLSearchParams({ q: wanted ?? '', limit: '1' })}`));
    if (!found || wanted !== page.at.customer) return;
    this.customer = found.people[0] ?? null;
    if (this.customer) await this.rows.load({ contact_id: this.customer.id });
    this.draw();
  }

  openTalk() {
    const id = page.at.talk;
    this.loaded.open(id && id !== NEW ? id : null);
    this.draw();
  }

  choose(person) {
    remembered.set(`customer-${page.at.app}`, person.id);
    this.picking = false;
    go({ customer: person.id, talk: null });
    // The same customer again is no move, but the list is to be shown.
    this.draw();
    this.whoButton?.focus();
  }

  draw() {
    this.drawWho();
    const { talk } = page.at;
    const mode = this.picking ? 'pick' : talk ? 'talk' : 'list';
    if (mode === 'talk') this.drawConversation(talk);
    else if (mode === 'list') this.drawTalks();
    this.mode = mode;
  }

  drawWho() {
    const name = this.customer ? nameOf(this.customer) : 'Nobody yet';
    const signature = `${name}|${this.customer?.role}|${this.picking}`;
    if (this.drawnWho === signature) return;
    this.drawnWho = signature;
    this.whoButton = h('button', { type: 'button', class: 'who', 'aria-expanded': String(Boolean(this.picking)), on: { click: () => this.pick() } },
      avatar(name, 'customer'), h('span', {}, h('strong', {}, name), h('small', {}, this.customer?.role ?? 'choose a customer')), h('span', { class: 'caret', 'aria-hidden': 'true' }, '▾'));
    fill(this.who, this.whoButton);
  }

  pick() {
    if (this.picking) { this.picking = false; this.draw(); this.whoButton.focus(); return; }
    this.picking = true;
    const people = finder({
      label: 'Find a customer', placeholder: 'Name, address or id',
      find: async (q) => (await attempt(() => get(`/${page.at.app}/people?${new URLSearchParams({ q, limit: '40' })}`)))?.people ?? [],
      draw: (one) => [avatar(nameOf(one), 'customer'), h('span', {}, h('strong', {}, nameOf(one)), h('small', {}, one.email || one.role))],
      choose: (one) => this.choose(one),
    });
    const name = h('input', { type: 'text', 'aria-label': 'Name of the new customer', placeholder: 'Name', maxlength: '200', autocomplete: 'off' });
    const email = h('input', { type: 'email', 'aria-label': 'E-mail of the new customer', placeholder: 'E-mail, if known', maxlength: '200', autocomplete: 'off' });
    const form = h('form', { class: 'new-customer', on: { submit: async (event) => {
      event.preventDefault();
      const made = await attempt(() => post(`/${page.at.app}/contacts`, { name: name.value, email: email.value || undefined, role: email.value ? 'user' : 'lead' }));
      if (made) { toast(`${nameOf(made)} is a customer now.`); this.choose(made); }
    } } }, h('h3', {}, 'Or somebody new'), name, email, h('button', { type: 'submit', class: 'primary' }, icon('plus'), 'Create'));
    this.drawWho();
    fill(this.phone, h('div', { class: 'phone-bar' }, h('h3', {}, 'Who are you?')), h('div', { class: 'phone-pick' }, people.node, form));
    people.input.focus();
  }

  drawTalks() {
    const hello = `Hello${this.customer?.name ? ` ${this.customer.name.split(' ')[0]}` : ''}`;
    fill(this.bar, h('h3', {}, hello), h('p', {}, `${page.directory.name ?? 'Somebody'} is listening`));
    if (this.mode !== 'list' || !this.list.node.isConnected) {
      fill(this.phone, this.bar, this.listStatus, this.list.node,
        h('div', { class: 'phone-foot' }, h('button', { type: 'button', class: 'primary wide', on: { click: () => { go({ talk: NEW }); this.text.focus(); } } }, icon('plus'), 'Start a conversation')));
    }
    const { rows } = this;
    this.list.show(rows.rows, rows.total, null);
    this.list.node.hidden = !rows.rows.length;
    this.listStatus.textContent = rows.problem ?? (rows.loading ? 'Loading…' : rows.rows.length ? 'Your conversations' : this.customer ? 'No conversations yet. What is on your mind?' : 'There is no customer. Create one above.');
  }

  drawConversation(talk) {
    const { value, problem } = this.loaded;
    const fresh = this.mode !== 'talk' || this.drawnTalk !== talk || !this.composer.isConnected;
    const closed = value?.row.state === 'closed';
    if (fresh) {
      fill(this.phone, this.bar, this.scroll, this.composer);
      this.drawnCount = undefined;
    }
    const title = talk === NEW ? 'New conversation' : page.directory.name ?? 'Conversation';
    const under = talk === NEW ? 'We answer as soon as we can' : closed ? 'This conversation is closed' : this.served(value);
    const signature = `${title}|${under}`;
    if (fresh || this.drawnBar !== signature) {
      this.drawnBar = signature;
      fill(this.bar, iconButton('back', 'Back to your conversations', () => { go({ talk: null }); this.list.node.focus(); }), h('div', {}, h('h3', {}, title), h('p', {}, under)));
    }
    if (talk !== NEW && !value) {
      fill(this.messages, h('li', { class: 'talk-empty', 'data-key': 'empty' }, problem ?? 'Loading…'));
      fill(this.choices);
      this.drawnTalk = talk;
      return;
    }
    const parts = value ? messagesOf(value).filter((part) => isMessage(part) && part.part_type !== 'note').slice(-200) : [];
    const spoken = parts.filter((part) => part.body || part.attachments?.length);
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    reconcile(this.messages, spoken, (part) => part.id, (part) => `${part.updated_at}${part.redacted}${part.body?.length}`, bubble);
    this.drawChoices(value, parts);
    if (fresh || atEnd) toEnd(this.scroll);
    const newest = parts.at(-1);
    if (this.drawnCount !== undefined && parts.length > this.drawnCount && isFromCompany(newest)) say(`In the Messenger: ${newest.author.name ?? 'The company'} answered`);
    Object.assign(this, { drawnTalk: talk, drawnCount: parts.length });
  }

  served(value) {
    const last = value && messagesOf(value).filter((part) => isMessage(part) && part.part_type !== 'note' && isFromCompany(part)).at(-1);
    return last ? `${last.author.name ?? 'Somebody'} is with you` : 'We answer as soon as we can';
  }

  drawChoices(value, parts) {
    const last = parts.at(-1);
    const options = last?.metadata?.quick_reply_options ?? [];
    const rating = value?.row.state === 'closed' && !value.conversation_rating;
    const rated = value?.conversation_rating;
    const signature = JSON.stringify([value?.id, options, rating, rated?.rating]);
    if (this.drawnChoices === signature && this.choices.childElementCount) return;
    this.drawnChoices = signature;
    fill(this.choices,
      options.length > 0 && h('div', { class: 'quick', role: 'group', 'aria-label': 'Answers to choose from' }, options.map((option) =>
        h('button', { type: 'button', class: 'quick-reply', on: { click: () => this.press(option) } }, option.text))),
      rating && this.ratingForm(value.id),
      rated && h('p', { class: 'rated' }, `You rated this conversation ${rated.rating} of 5. Thank you!`));
  }

  ratingForm(id) {
    const remark = h('input', { type: 'text', 'aria-label': 'Remark on your rating', placeholder: 'A remark, if you like', maxlength: '500' });
    return h('div', { class: 'rating', role: 'group', 'aria-label': 'Rate this conversation' },
      h('p', {}, 'How did we do?'),
      h('div', { class: 'faces' }, FACES.map(([rating, face, label]) => h('button', {
        type: 'button', 'aria-label': `${label}, ${rating} of 5`, title: label,
        on: { click: () => attempt(() => post(`/${page.at.app}/conversations/${id}/rating`, { rating, remark: remark.value || undefined }), 'Rated.') },
      }, face))), remark);
  }

  press(option) {
    return attempt(() => post(`/${page.at.app}/conversations/${this.loaded.id}/customer`, { quick_reply_uuid: option.uuid, contact_id: this.writer() }));
  }

  /** Who writes here: the customer shown, where that one takes part. */
  writer() {
    const ids = this.loaded.value?.row.contact_ids ?? [];
    return ids.includes(this.customer?.id) ? this.customer.id : ids[0];
  }

  async attach() {
    for (const file of this.fileInput.files) {
      const kept = await attempt(() => upload(page.at.app, file));
      if (kept) this.pending.push(kept);
    }
    this.fileInput.value = '';
    this.drawAttached();
    this.text.focus();
  }

  drawAttached() {
    fill(this.attached, this.pending.map((file) => h('li', { class: 'chip' }, `${file.name}, ${size(file.filesize)} `,
      h('button', { type: 'button', 'aria-label': `Take ${file.name} off`, on: { click: () => { this.pending = this.pending.filter((one) => one !== file); this.drawAttached(); this.text.focus(); } } }, '×'))));
  }

  async sendText() {
    const body = this.text.value.trim();
    const { pending } = this;
    if ((!body && !pending.length) || this.starting) return;
    if (!this.customer) { toast('Choose or create a customer first.', 'error'); return; }
    const talk = page.at.talk;
    this.starting = talk === NEW; // what is sent next belongs to the same conversation
    const sending = attempt(() => (talk === NEW
      ? post(`/${page.at.app}/conversations`, { body, attachments: pending, contact_id: this.customer.id })
      : post(`/${page.at.app}/conversations/${talk}/customer`, { body, attachments: pending, contact_id: this.writer() })));
    this.write('', []);
    this.text.focus();
    const sent = await sending;
    this.starting = false;
    if (page.at.talk !== talk) return;
    if (sent && talk === NEW) go({ talk: sent.conversation_id, ...(page.at.id ? {} : { id: sent.conversation_id }) }, { replace: true });
    // What was not taken is there to be sent again, unless something else has been typed.
    if (!sent && !this.text.value && !this.pending.length) this.write(body, pending);
  }

  write(words, files) {
    this.text.value = words;
    this.pending = files;
    this.drawAttached();
  }
}

const isFromCompany = (part) => part.author.type === 'admin' || part.author.type === 'bot';

function bubble(part) {
  const company = isFromCompany(part);
  const name = part.author.name ?? (company ? 'Somebody' : 'You');
  return h('li', { class: company ? 'from-company' : 'from-me' },
    company && avatar(name, authorKind(part.author)),
    h('div', { class: 'balloon' },
      h('p', { class: 'balloon-by' }, company ? name : 'You', ' · ', time(part.created_at, clock(part.created_at))),
      part.body && bodyOf(part.body), files(part)));
}

function drawTalk(row) {
  const { seen } = row;
  const mine = seen.by === 'user' || seen.by === 'lead';
  return h('div', { class: 'talk-row' },
    avatar(mine ? nameOf(row.contact) : seen.name ?? '?', mine ? 'customer' : 'people'),
    h('div', { class: 'row-main' },
      h('p', { class: 'row-top' }, h('strong', {}, mine ? 'You' : seen.name ?? 'Somebody'), h('span', { class: 'row-time' }, ago(seen.at))),
      h('p', { class: 'row-text' }, seen.text || (seen.files ? 'A file' : 'No words'), row.state === 'closed' && ' · closed')));
}
