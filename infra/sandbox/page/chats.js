// The bot platform's chats as they are loaded, and what a customer does in them. The sandbox passes
// all of it on to the platform; news are waited for with one request at a time.

import { get, post } from './api.js';

const WAIT_S = 20;
const AGAIN_MS = 1500;

export class Chats {
  constructor(changed) {
    this.changed = changed;
    this.about = null;
    this.run = '';
    this.version = 0;
    this.chats = new Map();
    /** `off` until it is started, then `loading`, `live` or `lost`. */
    this.state = 'off';
    this.problem = null;
  }

  /** Begins to listen, for as long as the page is open. */
  start() {
    if (this.state !== 'off') return;
    this.state = 'loading';
    this.listen();
  }

  async listen() {
    for (;;) {
      try {
        this.about ??= await get('/bot/about');
        const asked = { run: this.run, after: this.version, wait: this.state === 'live' ? WAIT_S : 0 };
        this.take(await get(`/bot/changes?${new URLSearchParams(asked)}`));
      } catch (problem) {
        Object.assign(this, { state: 'lost', problem: problem.message });
        this.changed([]);
        await new Promise((resume) => { setTimeout(resume, AGAIN_MS); });
      }
    }
  }

  take(answer) {
    const news = answer.run !== this.run || answer.chats.length > 0 || this.state !== 'live';
    if (answer.run !== this.run) this.chats.clear();
    for (const chat of answer.chats) this.chats.set(chat.id, chat);
    Object.assign(this, { run: answer.run, version: answer.version, state: 'live', problem: null });
    if (news) this.changed(answer.chats);
  }

  /** Newest change first. */
  all() {
    return [...this.chats.values()].sort((a, b) => b.version - a.version);
  }

  channel(id) {
    return this.about?.channels.find((one) => one.id === id)?.name ?? id;
  }

  async begin(channel, customer) {
    const chat = await post('/bot/sessions', { channel, customer });
    this.chats.set(chat.id, chat);
    return chat;
  }

  write(id, text, files, choice) { return post(`/bot/sessions/${id}/messages`, { text, files, choice }); }

  end(id) { return post(`/bot/sessions/${id}/end`); }

  remove(id, n) { return post(`/bot/sessions/${id}/remove`, { n }); }
}

/** Who writes in a chat, in words. */
export function customerOf(chat) {
  const { name, email, phone, external_id: external } = chat.customer;
  return name || email || phone || external || 'Anonymous';
}
