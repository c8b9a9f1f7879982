// The bot platform's own chat: who one is and on which channel, the bot, and the people it fetches.

import { Chats, customerOf } from './chats.js';
import { attempt, avatar, fill, h, icon, iconButton, reconcile, say } from './dom.js';
import { files, time, toEnd } from './conversation.js';
import { get } from './api.js';
import { bodyOf, harmless } from './safe-html.js';
import { markdownOf, plainOf } from './markdown.js';
import { menu } from './overlays.js';
import { ago, clock, go, onMove, page } from './state.js';

const NEW = 'new';
const IDENTITIES = [
  ['none', 'Anonymous', null],
  ['external_id', 'Customer number', { type: 'text', placeholder: 'cust-1001' }],
  ['email', 'E-mail', { type: 'email', placeholder: 'name@example.com' }],
  ['phone', 'Phone', { type: 'tel', placeholder: '+49 30 123450' }],
];
const DELIVERIES = { sending: 'on its way', sent: 'passed on', refused: 'not passed on' };

export class ChatPane {
  constructor(root, { side, moved }) {
    this.root = root;
    this.moved = moved;
    this.chats = new Chats((news) => this.news(news));
    this.pending = [];
    this.title = h('h2', { id: 'chat-title' }, 'Bot’s chat');
    this.phone = h('div', { class: 'phone' });
    this.bar = h('div', { class: 'phone-bar' });
    this.list = h('ul', { class: 'chat-list', 'aria-label': 'Chats on the bot platform' });
    this.listStatus = h('p', { class: 'list-status', role: 'status' });
    this.buildTalk();
    fill(root, h('header', { class: 'pane-head' }, this.title, side), h('div', { class: 'phone-room' }, this.phone));
    onMove((changed) => { if (changed.has('chat')) this.draw(); });
  }

  buildTalk() {
    this.messages = h('ol', { class: 'talk', 'aria-label': 'Messages in the bot’s chat' });
    this.choices = h('div', { class: 'choices' });
    this.scroll = h('div', { class: 'talk-scroll', tabindex: '0', role: 'region', 'aria-label': 'Chat with the bot' }, this.messages, this.choices);
    this.text = h('textarea', { rows: '1', 'aria-label': 'Message to the bot', placeholder: 'Message…', on: {
      keydown: (event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.sendText(); } },
    } });
    this.attached = h('ul', { class: 'attached' });
    this.clip = iconButton('clip', 'Add a file', () => this.fileMenu(), { 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
    this.composer = h('form', { class: 'phone-composer', on: { submit: (event) => { event.preventDefault(); this.sendText(); } } },
      this.attached,
      h('div', { class: 'phone-line' }, this.clip, this.text,
        h('button', { type: 'submit', class: 'round', 'aria-label': 'Send to the bot', title: 'Send' }, icon('send'))));
  }

  start() {
    this.chats.start();
    this.draw();
  }

  present() {
    return this.chats.chats.get(page.at.chat);
  }

  news(changed) {
    this.draw();
    if (changed.some((one) => one.id === page.at.chat)) this.moved();
  }

  draw() {
    const { chat } = page.at;
    const mode = !this.chats.about ? 'waiting' : chat === NEW ? 'new' : chat ? 'talk' : 'list';
    this.root.classList.toggle('lost', this.chats.state === 'lost');
    if (mode === 'waiting') this.drawWaiting();
    else if (mode === 'new') { if (this.mode !== 'new') this.drawNew(); }
    else if (mode === 'list') this.drawList();
    else this.drawTalk();
    this.mode = mode;
  }

  drawBar(title, under, ...tools) {
    const signature = JSON.stringify([title, under, tools.map((one) => one.title), this.chats.problem]);
    if (this.drawnBar === signature && this.bar.isConnected && this.barMode === page.at.chat) return;
    Object.assign(this, { drawnBar: signature, barMode: page.at.chat });
    const focused = this.bar.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const back = page.at.chat && iconButton('back', 'Back to the chats', () => { go({ chat: null }); this.root.querySelector('.primary')?.focus(); }, { 'data-act': 'back' });
    fill(this.bar, back, h('div', { class: 'bar-words' }, h('h3', {}, title), h('p', { role: 'status' }, this.chats.problem ?? under)), tools);
    if (focused) this.bar.querySelector(`[data-act=${focused}]`)?.focus();
  }

  drawWaiting() {
    this.drawBar('Bot platform', this.chats.state === 'lost' ? this.chats.problem : 'Loading…');
    const words = this.chats.state === 'lost' ? 'The bot platform does not answer. The chats are here again as soon as it does.' : 'Loading the chats…';
    fill(this.phone, this.bar, h('p', { class: 'empty' }, words));
  }

  // ── The list ──────────────────────────────────────────────────────────────────────────────

  drawList() {
    const { about } = this.chats;
    this.drawBar(about.name, 'A bot platform of its own, outside Intercom');
    if (this.mode !== 'list' || !this.list.isConnected) {
      fill(this.phone, this.bar, this.listStatus, this.list,
        h('div', { class: 'phone-foot' }, this.elsewhere(), h('button', { type: 'button', class: 'primary wide', on: { click: () => go({ chat: NEW }) } }, icon('plus'), 'Start a chat')));
    }
    const all = this.chats.all();
    const words = all.length ? `${all.length} ${all.length === 1 ? 'chat' : 'chats'}` : 'No chats yet. Start one, on any channel, as anybody.';
    if (this.listStatus.textContent !== words) this.listStatus.textContent = words;
    this.list.hidden = !all.length;
    reconcile(this.list, all, (chat) => chat.id, (chat) => `${chat.version}|${ago(lastAt(chat))}`, (chat) => this.drawRow(chat));
  }

  drawRow(chat) {
    const last = chat.messages.findLast((one) => one.from !== 'event' && (one.text || one.files.length));
    return h('li', {}, h('button', { type: 'button', class: 'chat-row', on: { click: () => go({ chat: chat.id }) } },
      avatar(customerOf(chat), 'customer'),
      h('span', { class: 'row-main' },
        h('span', { class: 'row-top' }, h('strong', {}, customerOf(chat)), h('span', { class: 'row-time' }, ago(lastAt(chat)))),
        h('span', { class: 'row-text' }, last ? last.text.replace(/[*`]+/g, '') || 'A file' : 'No words'),
        h('span', { class: 'row-chips' }, h('span', { class: 'chip' }, this.chats.channel(chat.channel)), stateChip(chat)))));
  }

  /** Where the platform's colleagues are, when another workspace is shown. */
  elsewhere() {
    const { app_id: app } = this.chats.about;
    const workspace = page.workspaces.find((one) => one.app_id === app);
    if (!workspace || app === page.at.app) return null;
    return h('p', { class: 'hint' }, `Its colleagues are in ${workspace.name}. `, h('button', { type: 'button', class: 'plain', on: { click: () => go({ app, id: null, talk: null, customer: null, as: null, view: null, q: null }) } }, 'Show them'));
  }

  // ── A new chat ────────────────────────────────────────────────────────────────────────────

  drawNew() {
    const radio = (group, value, label, checked) => h('label', { class: 'pick' },
      h('input', { type: 'radio', name: group, value, checked }), h('span', {}, label));
    const value = h('input', { maxlength: '200', autocomplete: 'off', list: 'chat-known', id: 'chat-who' });
    const valueField = h('label', { class: 'field', for: 'chat-who' }, h('span', {}), value);
    const known = h('datalist', { id: 'chat-known' });
    const name = h('input', { type: 'text', maxlength: '200', autocomplete: 'off', id: 'chat-name', placeholder: 'may stay empty' });
    const identity = h('fieldset', { on: { change: () => which() } }, h('legend', {}, 'What the bot knows of you'),
      h('div', { class: 'picks' }, IDENTITIES.map(([one, label], n) => radio('identity', one, label, n === 0))));
    const channel = h('fieldset', {}, h('legend', {}, 'Channel'), h('div', { class: 'picks' }, this.chats.about.channels.map((one, n) => radio('channel', one.id, one.name, n === 0))));
    const chosen = (set) => set.querySelector('input:checked').value;
    const which = () => {
      const [one, label, input] = IDENTITIES.find(([key]) => key === chosen(identity));
      valueField.hidden = !input;
      value.required = Boolean(input);
      if (!input) return;
      valueField.firstChild.textContent = label;
      value.type = input.type;
      value.placeholder = input.placeholder;
      fill(known, this.people?.filter((person) => person[one]).map((person) => h('option', { value: person[one] }, person.name ?? '')));
    };
    const form = h('form', { class: 'chat-new', on: { submit: async (event) => {
      event.preventDefault();
      const who = chosen(identity);
      const customer = { ...(name.value.trim() && { name: name.value.trim() }), ...(who !== 'none' && { [who]: value.value.trim() }) };
      const chat = await attempt(() => this.chats.begin(chosen(channel), customer));
      if (chat) { go({ chat: chat.id }, { replace: true }); this.text.focus(); }
    } } }, channel, identity, valueField, known,
    h('label', { class: 'field', for: 'chat-name' }, h('span', {}, 'Name'), name),
    h('button', { type: 'submit', class: 'primary wide' }, 'Start the chat'));
    this.drawBar('New chat', 'The bot answers, until it fetches people');
    fill(this.phone, this.bar, h('div', { class: 'phone-pick' }, form));
    which();
    channel.querySelector('input').focus();
    if (!this.people) this.loadPeople().then(which);
  }

  async loadPeople() {
    this.people = (await attempt(() => get(`/${this.chats.about.app_id}/people?limit=20`)))?.people ?? [];
  }

  // ── One chat ──────────────────────────────────────────────────────────────────────────────

  drawTalk() {
    const chat = this.present();
    if (!chat) {
      this.drawBar('Chat', this.chats.state === 'live' ? 'It is not here any more' : 'Loading…');
      fill(this.phone, this.bar, h('div', { class: 'empty' }, h('p', {}, this.chats.state === 'live' ? 'This chat is not here any more.' : 'Loading the chat…'), h('button', { type: 'button', class: 'plain', on: { click: () => go({ chat: null }) } }, 'Back to the chats')));
      this.drawnChat = null;
      return;
    }
    const fresh = this.mode !== 'talk' || this.drawnChat !== chat.id || !this.composer.isConnected;
    const people = ['asked', 'waiting', 'human'].includes(chat.state);
    const inbox = chat.conversation_id && iconButton('open', 'Show the conversation in the inbox', () => go({ app: this.chats.about.app_id, id: chat.conversation_id, state: 'any', pane: 'inbox' }), { 'data-act': 'inbox' });
    const end = chat.state !== 'ended' && iconButton('close', people ? 'End the talk' : 'End the chat', () => attempt(() => this.chats.end(this.present().id)), { 'data-act': 'end' });
    this.drawBar(`${customerOf(chat)} · ${this.chats.channel(chat.channel)}`, stateWords(chat, this.chats.about), ...[inbox, end].filter(Boolean));
    if (fresh) {
      fill(this.phone, this.bar, this.scroll, this.composer);
      this.drawnLast = undefined;
    }
    const shown = chat.messages;
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    reconcile(this.messages, shown, (one) => `${chat.id}-${one.n}`, (one) => JSON.stringify(one), (one) => this.bubble(one));
    this.drawChoices(chat);
    if (fresh || atEnd) toEnd(this.scroll);
    const last = shown.at(-1);
    if (this.drawnLast !== undefined && last && last.n > this.drawnLast && last.from !== 'customer') say(`In the bot’s chat: ${last.from === 'event' ? last.text : `${nameOf(last)} wrote`}`);
    Object.assign(this, { drawnChat: chat.id, drawnLast: last?.n ?? 0 });
  }

  drawChoices(chat) {
    const last = chat.messages.at(-1);
    const options = (chat.state === 'bot' && last?.options) || [];
    const signature = JSON.stringify([chat.id, last?.n, options]);
    if (this.drawnChoices === signature) return;
    this.drawnChoices = signature;
    fill(this.choices, options.length > 0 && h('div', { class: 'quick', role: 'group', 'aria-label': 'Answers to choose from' }, options.map((option) =>
      h('button', { type: 'button', class: 'quick-reply', on: { click: () => { this.text.focus(); attempt(() => this.chats.write(chat.id, option.label, [], { value: option.value })); } } }, option.label))));
  }

  bubble(one) {
    if (one.from === 'event') return h('li', { class: 'talk-event' }, h('span', {}, one.text), ' ', time(seconds(one.at), clock(seconds(one.at))));
    const mine = one.from === 'customer';
    const by = mine ? one.through ? 'You, in Intercom’s Messenger' : 'You' : nameOf(one);
    const delivery = one.removed ? null : DELIVERIES[one.delivery];
    return h('li', { class: `${mine ? 'from-me' : `from-company by-${one.from}`}${one.removed ? ' removed' : ''}` },
      !mine && face(one),
      h('div', { class: 'balloon' },
        h('p', { class: 'balloon-by' }, by, one.from === 'teammate' && h('span', { class: 'quiet' }, ', a colleague'), ' · ', time(seconds(one.at), clock(seconds(one.at))),
          delivery && h('span', { class: `delivery ${one.delivery}` }, ` · ${delivery}`)),
        one.removed ? h('p', { class: 'hint' }, 'This message was removed.') : one.text && (mine ? plainOf(one.text) : words(one)),
        files({ attachments: one.files.map((file) => ({ ...file, name: file.name ?? 'File', filesize: file.size_bytes })) })),
      mine && !one.removed && !one.through && iconButton('erase', 'Remove this message', () => attempt(() => this.chats.remove(this.present().id, one.n)), { class: 'small' }));
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────

  fileMenu() {
    const add = (file) => { this.pending.push(file); this.drawAttached(); this.text.focus(); };
    const samples = this.chats.about.samples.map((one) => ({ label: one.label, act: () => add({ sample: one.name, name: one.name }) }));
    menu(this.clip, 'Add a file', samples, { placeholder: 'Address of another file', act: (url) => add({ url, name: url.split('/').at(-1) || url }) });
  }

  drawAttached() {
    fill(this.attached, this.pending.map((file) => h('li', { class: 'chip' }, `${file.name} `,
      h('button', { type: 'button', 'aria-label': `Take ${file.name} off`, on: { click: () => { this.pending = this.pending.filter((one) => one !== file); this.drawAttached(); this.text.focus(); } } }, '×'))));
  }

  async sendText() {
    const text = this.text.value.trim();
    const chat = this.present();
    if (!chat || (!text && !this.pending.length)) return;
    const pending = this.pending;
    const sending = attempt(() => this.chats.write(chat.id, text, pending.map(({ name, ...file }) => file)));
    Object.assign(this, { pending: [] });
    this.text.value = '';
    this.drawAttached();
    this.text.focus();
    // What was not taken is there to be sent again, unless something else has been typed.
    if (await sending || this.text.value || this.pending.length) return;
    this.text.value = text;
    this.pending = pending;
    this.drawAttached();
  }
}

const seconds = (ms) => Math.floor(ms / 1000);
const lastAt = (chat) => seconds(chat.messages.at(-1)?.at ?? chat.began_at);
const nameOf = (one) => one.name ?? { bot: 'Bot', workflow: 'Workflow', teammate: 'A colleague' }[one.from];

function words(one) {
  if (one.markdown) return markdownOf(one.markdown);
  if (one.format === 'html') return bodyOf(one.text);
  return one.format === 'plain' ? plainOf(one.text) : markdownOf(one.text);
}

function face(one) {
  const address = one.avatar && harmless(one.avatar);
  if (address) return h('img', { class: 'avatar', src: address, alt: '' });
  return avatar(nameOf(one), one.from === 'teammate' ? 'people' : one.from);
}

function stateWords(chat, about) {
  return {
    bot: `${about.name} answers`,
    asked: 'The bot asks for a colleague…',
    waiting: 'Waiting for a colleague',
    human: `${chat.agent?.name ?? 'A colleague'} is with you`,
    ended: 'This chat has ended. Write to go on.',
  }[chat.state];
}

function stateChip(chat) {
  const [label, kind] = {
    bot: ['bot', 'bot'], asked: ['asking', 'team'], waiting: ['waiting', 'team'], human: [chat.agent?.name ?? 'people', 'people'], ended: ['ended', ''],
  }[chat.state];
  return h('span', { class: `chip ${kind}` }, label);
}
