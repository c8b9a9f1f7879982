// One conversation as it is loaded, and its messages as they are drawn.

import { get } from './api.js';
import { avatar, calmly, h, icon, iconButton } from './dom.js';
import { bodyOf, harmless } from './safe-html.js';
import { admin, ago, clock, full, iso, page, size, team } from './state.js';

const SHOWN = 150;

/** A conversation that is loaded again whenever it changed. */
export class Loaded {
  constructor(changed) {
    this.changed = changed;
    this.id = null;
    this.value = null;
    this.problem = null;
    this.shown = SHOWN;
    this.again = calmly(() => this.load(), 30);
  }

  open(id) {
    if (this.id === id) return;
    Object.assign(this, { id, value: null, problem: null, shown: SHOWN });
    this.changed();
    if (id) this.load();
  }

  async load() {
    const id = this.id;
    if (!id) return;
    try {
      const value = await get(`/${page.at.app}/conversations/${encodeURIComponent(id)}`);
      if (this.id === id) Object.assign(this, { value, problem: null });
    } catch (problem) {
      if (this.id === id) Object.assign(this, { value: null, problem: problem.status === 404 ? 'This conversation is not here any more.' : problem.message });
    }
    if (this.id === id) this.changed();
  }

  apply(changes) {
    if (changes.gone.includes(this.id) || changes.conversations.some((row) => row.id === this.id)) this.again();
  }
}

/** The first message in the shape of a part, so that all are drawn alike. */
export function messagesOf(value) {
  const { source } = value;
  const first = { ...source, part_type: 'comment', created_at: value.created_at, updated_at: value.created_at, first: true };
  return [first, ...value.conversation_parts.conversation_parts];
}

export const isMessage = (part) =>
  Boolean(part.body || part.attachments?.length || part.metadata?.quick_reply_options?.length);

export function time(seconds, text = ago(seconds)) {
  return h('time', { datetime: iso(seconds), title: full(seconds) }, text);
}

export function authorKind(author) {
  if (author.type === 'admin') return admin(author.id)?.is_bot ? 'bot' : 'people';
  return author.type === 'bot' ? 'workflow' : 'customer';
}

export function files(part) {
  const list = (part.attachments ?? []).map((file) => {
    const address = harmless(file.url);
    const label = `${file.name}${file.filesize ? `, ${size(file.filesize)}` : ''}`;
    if (!address) return h('span', { class: 'file' }, icon('clip'), label);
    if (file.content_type?.startsWith('image/')) {
      return h('a', { class: 'file picture', href: address, target: '_blank', rel: 'noopener noreferrer' },
        h('img', { src: address, alt: file.name, loading: 'lazy' }), h('span', {}, label));
    }
    return h('a', { class: 'file', href: address, target: '_blank', rel: 'noopener noreferrer' }, icon('clip'), h('span', {}, label));
  });
  return list.length ? h('div', { class: 'files' }, list) : null;
}

/** A message as the teammates see it. */
export function message(part, { redact }) {
  const kind = authorKind(part.author);
  const note = part.part_type === 'note';
  const options = part.metadata?.quick_reply_options ?? [];
  const who = part.author.name || part.author.email || (kind === 'customer' ? 'Visitor' : 'Somebody');
  const mayRedact = redact && !part.redacted && part.body && !(part.first && kind !== 'customer');
  return h('li', { class: `message from-${kind}${note ? ' note' : ''}${part.redacted ? ' redacted' : ''}` },
    avatar(who, kind),
    h('article', { class: 'bubble', 'aria-label': `${note ? 'Note by' : 'Message by'} ${who}` },
      h('header', {},
        h('strong', {}, who),
        h('span', { class: `role ${note ? 'note' : kind}` }, note ? 'Note, not seen by the customer' : ROLE[kind](part.author)),
        time(part.created_at, clock(part.created_at)),
        mayRedact && iconButton('erase', `Redact this ${note ? 'note' : 'message'}`, () => redact(part), { class: 'small' })),
      part.body && bodyOf(part.body),
      files(part),
      options.length > 0 && h('p', { class: 'offered' }, 'Offered: ', options.map((option) => h('span', { class: 'choice-shown' }, option.text))),
      part.tags?.length > 0 && h('p', { class: 'tags' }, part.tags.map((tag) => h('span', { class: 'chip tag' }, tag.name)))));
}

const ROLE = {
  customer: () => 'Customer',
  bot: () => 'Bot',
  people: () => 'Teammate',
  workflow: (author) => (author.from_ai_agent ? 'AI agent' : 'Workflow'),
};

const whom = (to) => {
  if (!to) return 'nobody';
  return (to.type === 'team' ? team(to.id)?.name : admin(to.id)?.name) ?? `${to.type} ${to.id}`;
};

const EVENTS = {
  open: () => 'reopened it',
  close: () => 'closed it',
  snoozed: () => 'snoozed it',
  unsnoozed: () => 'ended the snooze',
  timer_unsnooze: () => 'came back: the snooze is over',
  assignment: (part) => `assigned it to ${whom(part.assigned_to)}`,
  default_assignment: (part) => `assigned it to ${whom(part.assigned_to)}`,
  assign_and_reopen: (part) => `reopened it and assigned it to ${whom(part.assigned_to)}`,
  assign_and_unsnooze: (part) => `ended the snooze and assigned it to ${whom(part.assigned_to)}`,
  conversation_attribute_updated_by_admin: (part) => {
    const { attribute, value } = part.event_details ?? {};
    return attribute ? `set ${attribute.name} to ${value?.name ?? 'nothing'}` : 'changed an attribute';
  },
};

/** What a part did besides what it says; null when nothing. */
export function eventText(part) {
  const said = EVENTS[part.part_type];
  if (said) return said(part);
  return isMessage(part) ? null : part.part_type.replaceAll('_', ' ');
}

export function eventLine(part) {
  return h('li', { class: 'event' }, h('span', {}, h('strong', {}, part.author.name || 'Visitor'), ` ${eventText(part)} `), time(part.created_at, clock(part.created_at)));
}

/** Scrolls to the end, and again when pictures there have come. */
export function toEnd(scroll) {
  const down = () => { scroll.scrollTop = scroll.scrollHeight; };
  down();
  for (const picture of scroll.querySelectorAll('img')) if (!picture.complete) picture.addEventListener('load', down, { once: true });
}

export function dayOf(seconds) {
  return new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' }).format(seconds * 1000);
}
