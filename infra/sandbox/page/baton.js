// What Baton did: everything around one conversation in the order of time, with what is behind each step.

import { get } from './api.js';
import { calmly, fill, h, reconcile } from './dom.js';
import { admin, onMove, page, team } from './state.js';

const KEPT = 1000;
const FILTERS = [['all', 'All'], ['event', 'People'], ['webhook', 'Webhooks'], ['step', 'Decisions'], ['request', 'Requests']];
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false });
/** Fields of a step that have a place of their own. */
const PLACED = new Set(['at_ms', 'app_id', 'conversation_id', 'function', 'outcome', 'level', 'decisions', 'silent_because', 'why', 'kind', 'key', 'row', 'queue', 'owner', 'epoch']);

export class Timeline {
  constructor(root) {
    this.root = root;
    this.entries = [];
    this.filter = 'all';
    this.id = null;
    this.again = calmly(() => this.load(), 60);
    this.summary = h('div', { class: 'summary' });
    this.filters = h('div', { class: 'segments wrap', role: 'group', 'aria-label': 'Which steps' }, FILTERS.map(([value, label]) =>
      h('button', { type: 'button', data: { filter: value }, on: { click: () => { this.filter = value; this.draw(); } } }, label)));
    this.list = h('ol', { class: 'steps', 'aria-label': 'Steps' });
    this.empty = h('p', { class: 'empty' });
    this.scroll = h('div', { class: 'steps-scroll', tabindex: '0', role: 'region', 'aria-label': 'Timeline' }, this.empty, this.list);
    fill(root, this.summary, this.filters, this.scroll);
    onMove((changed) => { if (changed.has('id') || changed.has('talk')) this.open(); });
  }

  start() { this.id = undefined; this.open(); }

  /** The teammates' conversation, or else the customer's, or else that of the bot platform's chat. */
  open(ofChat = this.ofChat) {
    this.ofChat = ofChat;
    const talk = page.at.talk === 'new' ? null : page.at.talk;
    const id = page.at.id ?? talk ?? ofChat ?? null;
    if (id === this.id) return;
    this.id = id;
    this.resync();
  }

  resync() {
    this.entries = [];
    this.next = null;
    this.problem = null;
    this.loaded = false;
    this.draw();
    if (this.id) this.load();
  }

  apply(changes) {
    if (changes.steps.includes(this.id) || changes.conversations.some((row) => row.id === this.id)) this.again();
  }

  async load() {
    const { id, next } = this;
    if (!id) return;
    const asked = next ? `?after=${next}` : '';
    try {
      const answer = await get(`/${page.at.app}/conversations/${id}/timeline${asked}`);
      if (this.id !== id || this.next !== next) return;
      this.next = answer.next;
      this.problem = null;
      const known = new Set(this.entries.map((entry) => entry.key));
      this.entries.push(...answer.entries.filter((entry) => !known.has(entry.key)));
      // A step may tell later of something that was earlier.
      this.entries.sort((a, b) => (a.at_ms ?? 0) - (b.at_ms ?? 0));
      this.entries = this.entries.slice(-KEPT);
    } catch (problem) {
      if (this.id === id) this.problem = problem.message;
    }
    this.loaded = true;
    this.draw();
  }

  draw() {
    for (const button of this.filters.children) button.setAttribute('aria-pressed', String(button.dataset.filter === this.filter));
    this.drawSummary();
    const shown = this.entries.filter((entry) => this.filter === 'all' || entry.kind === this.filter);
    this.empty.hidden = shown.length > 0;
    this.empty.textContent = this.problem ?? (!this.id ? 'Choose a conversation to see, step by step, what Baton heard, decided and sent.'
      : !this.loaded ? 'Loading the steps…' : this.entries.length ? 'There are no steps of this kind.' : 'Nothing has happened here yet.');
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    reconcile(this.list, shown, (entry) => entry.key, (entry) => entry.key, drawEntry);
    if (atEnd) this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  drawSummary() {
    const last = this.entries.findLast((entry) => entry.kind === 'step' && entry.owner);
    const hooks = this.entries.filter((entry) => entry.kind === 'webhook').length;
    const sent = this.entries.filter((entry) => entry.kind === 'request' && entry.method !== 'GET').length;
    const parts = [
      last && h('span', { class: `chip owner ${ownerKind(last.owner)}` }, `owner: ${last.owner}`),
      last?.epoch !== undefined && h('span', { class: 'chip' }, `epoch ${last.epoch}`),
      h('span', { class: 'chip' }, `${hooks} ${hooks === 1 ? 'webhook' : 'webhooks'} out`),
      h('span', { class: 'chip' }, `${sent} ${sent === 1 ? 'change' : 'changes'} by REST`),
    ];
    fill(this.summary, this.id ? parts : null);
  }
}

export const ownerKind = (owner) => (owner === 'bot' ? 'bot' : owner === 'people' || owner === 'person' || owner === 'teammate' ? 'people' : 'nobody');

function drawEntry(entry) {
  const drawn = KINDS[entry.kind](entry);
  const { kind, key, ...raw } = entry;
  return h('li', { class: `step of-${kind} level-${drawn.level ?? 'info'}` },
    h('p', { class: 'step-top' },
      h('span', { class: 'step-kind' }, drawn.lane),
      h('strong', {}, drawn.title),
      entry.at_ms ? h('time', { datetime: new Date(entry.at_ms).toISOString() }, CLOCK.format(entry.at_ms)) : null),
    drawn.text && h('p', { class: 'step-text' }, drawn.text),
    drawn.silent && h('p', { class: 'step-silent' }, h('strong', {}, 'Silent: '), drawn.silent),
    drawn.decisions?.length > 0 && h('ul', { class: 'decisions' }, drawn.decisions.map((one) => h('li', {}, one))),
    drawn.chips?.length > 0 && h('p', { class: 'step-chips' }, drawn.chips.filter(Boolean).map(([text, kindOf = '']) => h('span', { class: `chip ${kindOf}` }, text))),
    h('details', {}, h('summary', {}, 'Details', h('span', { class: 'quiet' }, ` of ${drawn.title}`)),
      h('pre', { tabindex: '0', 'aria-label': 'Details as JSON' }, JSON.stringify(raw, null, 2))));
}

const good = (status) => status >= 200 && status < 300;

const KINDS = {
  event(entry) {
    const part = entry.source ?? entry.part;
    const who = part.author?.name || 'The customer';
    const said = part.body ? withoutTags(part.body) : part.attachments?.length ? `${part.attachments.length} file(s)` : '';
    const verb = entry.event === 'source' ? 'starts the conversation' : VERBS[part.part_type] ?? part.part_type.replaceAll('_', ' ');
    return { lane: part.author?.type === 'admin' ? (admin(part.author.id)?.is_bot ? 'bot' : 'teammate') : part.author?.type === 'bot' ? 'workflow' : 'customer', title: `${who} ${verb}${to(part)}`, text: said };
  },
  webhook(entry) {
    const failed = !good(entry.status);
    return {
      lane: 'webhook', title: entry.topic, level: failed ? 'error' : 'info',
      text: entry.problem,
      chips: [
        [entry.status ? `answered ${entry.status}` : 'no answer', failed ? 'bad' : 'good'],
        entry.attempt > 0 ? [`attempt ${entry.attempt}`] : ['never sent', 'bad'],
        [`${entry.duration_ms} ms`],
        entry.fault && [`fault: ${faultName(entry.fault)}`, 'bad'],
      ],
    };
  },
  request(entry) {
    const failed = !good(entry.status);
    const body = entry.body && typeof entry.body === 'object' ? entry.body : {};
    const text = typeof body.body === 'string' ? withoutTags(body.body) : '';
    return {
      lane: entry.method === 'GET' ? 'read' : 'request', level: failed ? 'error' : 'info',
      title: requestTitle(entry, body), text,
      chips: [
        [entry.status ? String(entry.status) : 'connection cut', failed ? 'bad' : 'good'],
        [`${entry.method} ${entry.path}`, 'mono'],
        entry.duration_ms !== undefined && [`${entry.duration_ms} ms`],
        entry.fault && [`fault: ${faultName(entry.fault)}`, 'bad'],
      ],
    };
  },
  step(entry) {
    const others = Object.entries(entry).filter(([name, value]) => !PLACED.has(name) && value !== null && typeof value !== 'object');
    return {
      lane: 'decision', level: entry.level, title: `${entry.function}: ${entry.outcome}`, text: entry.why, silent: entry.silent_because, decisions: entry.decisions,
      chips: [
        entry.owner && [`owner: ${entry.owner}`, `owner ${ownerKind(entry.owner)}`],
        entry.epoch !== undefined && entry.epoch !== null && [`epoch ${entry.epoch}`],
        entry.queue && [`queue ${entry.queue}`, 'mono'],
        entry.row && [`row ${entry.row.key ?? ''}${entry.row.version !== undefined ? ` v${entry.row.version}` : ''}`, 'mono'],
        ...others.map(([name, value]) => [`${name.replaceAll('_', ' ')}: ${value}`]),
      ],
    };
  },
};

const faultName = (fault) => (typeof fault === 'string' ? fault : fault.fault ?? 'yes').replaceAll('_', ' ');

const VERBS = {
  comment: 'writes', note: 'notes', quick_reply: 'offers choices', open: 'writes and reopens', close: 'closes', snoozed: 'snoozes',
  unsnoozed: 'ends the snooze', assignment: 'assigns', assign_and_reopen: 'reopens and assigns', conversation_attribute_updated_by_admin: 'sets an attribute',
};

function to(part) {
  if (!part.part_type?.startsWith('assign')) return '';
  const target = part.assigned_to;
  if (!target) return ' to nobody';
  return ` to ${(target.type === 'team' ? team(target.id)?.name : admin(target.id)?.name) ?? target.id}`;
}

const SENT = { comment: 'Sends a message', note: 'Sends a note', quick_reply: 'Offers choices', assignment: 'Assigns', close: 'Closes', open: 'Opens', snoozed: 'Snoozes' };

function requestTitle(entry, body) {
  if (entry.method === 'GET') return 'Reads the conversation';
  if (entry.method === 'PUT') return 'Sets attributes';
  if (entry.method === 'DELETE' && !entry.path.includes('/tags')) return 'Deletes the conversation';
  if (entry.path.includes('/tags')) return entry.method === 'DELETE' ? 'Takes a tag off' : 'Tags';
  return SENT[body.message_type] ?? `${entry.method} ${entry.path.split('/').slice(3).join('/') || 'conversation'}`;
}

/** The words of a body, cut short. Nothing is parsed as HTML. */
function withoutTags(html) {
  const text = html.replace(/<\/?(p|div|br|li|ul|ol|h\d|pre|blockquote|hr)\b[^>]*>/gi, ' ').replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&nbsp;/g, ' ').replace(/&amp;/g, '&').replace(/\s+/g, ' ').trim();
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
