// The other hand: faults switched on and off, the sandbox's time, the webhook, scenarios.

import { call, get, post } from './api.js';
import { attempt, calmly, fill, h, icon, reconcile } from './dom.js';
import { admin, full, go, now, page } from './state.js';

const PRESETS = [
  ['down', 'Intercom is down', 'Every request is answered 503 and changes nothing', { fault: 'fail_before', times: 'always' }],
  ['lost', 'Answers are lost', 'Requests take effect, then the connection is cut', { match: { method: 'POST' }, fault: 'disconnect_after', times: 'always' }],
  ['limit', 'Rate limit reached', 'Every request is answered 429', { fault: 'rate_limit', times: 'always' }],
  ['slow', 'Slow answers', 'Every answer comes three seconds late', { fault: 'delay', delay_ms: 3000, times: 'always' }],
  ['flaky', 'One in three fails', 'A third of the requests is answered 503', { fault: 'fail_before', chance: 0.33, times: 'always' }],
  ['hooks-lost', 'Webhooks get lost', 'None is sent', { webhook: {}, fault: 'drop', times: 'always' }],
  ['hooks-twice', 'Webhooks come twice', 'Each is sent again at once', { webhook: {}, fault: 'repeat', times: 'always' }],
  ['hooks-mixed', 'Webhooks out of order', 'Each waits up to four seconds', { webhook: {}, fault: 'unordered', delay_ms: 4000, times: 'always' }],
];
const OF_REQUESTS = ['fail_before', 'fail_after', 'disconnect_before', 'disconnect_after', 'rate_limit', 'delay', 'delay_after', 'stale_read', 'garbled', 'truncated'];
const OF_WEBHOOKS = ['drop', 'repeat', 'delay', 'reverse', 'unordered', 'unsigned', 'wrong_signature'];
const WAITS = ['delay', 'delay_after', 'repeat', 'unordered'];
const MOVES = [[60, '1 minute'], [600, '10 minutes'], [3600, '1 hour'], [86_400, '1 day']];

const words = (name) => name.replaceAll('_', ' ');
const canonical = (value) => (value && typeof value === 'object'
  ? `{${Object.keys(value).sort().map((key) => `${key}:${canonical(value[key])}`).join()}}` : JSON.stringify(value));

export class Workshop {
  constructor(faultsPanel, scenariosPanel, startAnew) {
    this.startAnew = startAnew;
    this.faults = [];
    this.scenarios = null;
    this.runs = new Map();
    this.again = calmly(() => this.load(), 200);
    this.buildFaults(faultsPanel);
    this.buildScenarios(scenariosPanel);
  }

  shown(tab) {
    if (tab === 'scenarios' && !this.scenarios) this.loadScenarios();
    if (tab === 'faults') this.again();
  }

  async load() {
    const answer = await get('/faults');
    this.faults = answer.faults;
    this.drawFaults();
    this.drawTime();
    await Promise.all([this.loadWebhook(), this.loadTokens()]);
  }

  buildFaults(panel) {
    this.presets = h('div', { class: 'presets' });
    this.active = h('ul', { class: 'faults' });
    this.noFaults = h('p', { class: 'hint' });
    this.time = h('p', { class: 'big-time' });
    this.webhook = h('div', { class: 'webhook' });
    this.tokens = h('div', { class: 'presets' });
    this.limits = h('p', { class: 'hint' });
    const seconds = h('input', { type: 'number', min: '1', max: '31536000', 'aria-label': 'Seconds to move on', placeholder: 'seconds' });
    fill(panel, h('div', { class: 'panel-scroll', tabindex: '0', role: 'region', 'aria-label': 'Faults and time' },
      h('section', { class: 'block' }, h('h3', {}, 'Switches'), h('p', { class: 'hint' }, 'They hold for this workspace until they are switched off.'), this.presets),
      h('section', { class: 'block' }, h('h3', {}, 'All faults'), this.active, this.noFaults, this.faultForm()),
      h('section', { class: 'block' }, h('h3', {}, 'Time'), this.time,
        h('p', { class: 'hint' }, 'Moving on brings what is due: retries, snoozes, Baton’s own limits. It never goes back.'),
        h('div', { class: 'buttons' }, MOVES.map(([by, label]) => h('button', { type: 'button', class: 'secondary', on: { click: () => this.move(by) } }, `+ ${label}`))),
        h('form', { class: 'inline', on: { submit: (event) => { event.preventDefault(); if (seconds.value) this.move(Number(seconds.value)); } } }, seconds, h('button', { type: 'submit', class: 'secondary' }, 'Move on'))),
      h('section', { class: 'block' }, h('h3', {}, 'Webhook'), this.webhook),
      h('section', { class: 'block' }, h('h3', {}, 'Access tokens'), h('p', { class: 'hint' }, 'A revoked token is answered 401 until it is restored.'), this.tokens, this.limits),
      h('section', { class: 'block' }, h('h3', {}, 'From the start'), h('p', { class: 'hint' }, 'All workspaces go back to the seed; conversations, faults and logs are forgotten.'),
        h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'danger', on: { click: () => this.startAnew() } }, 'Put everything back')))));
    this.drawFaults();
  }

  faultForm() {
    const kind = h('select', { id: 'fault-kind', on: { change: () => which() } });
    const target = h('select', { id: 'fault-target', on: { change: () => kinds() } }, h('option', { value: 'requests' }, 'REST requests'), h('option', { value: 'webhooks' }, 'Webhooks'));
    const times = h('input', { id: 'fault-times', type: 'number', min: '1', placeholder: 'always' });
    const status = h('input', { id: 'fault-status', type: 'number', min: '400', max: '599', placeholder: '503' });
    const delay = h('input', { id: 'fault-delay', type: 'number', min: '0', placeholder: '1000' });
    const narrow = h('input', { id: 'fault-narrow', type: 'text', placeholder: 'everything', maxlength: '200' });
    const only = h('input', { id: 'fault-only', type: 'checkbox' });
    const field = (label, input) => h('label', { class: 'field', for: input.id }, h('span', {}, label), input);
    const statusField = field('Status', status);
    const delayField = field('Milliseconds', delay);
    const narrowField = field('Path contains', narrow);
    const which = () => {
      statusField.hidden = !kind.value.startsWith('fail');
      delayField.hidden = !WAITS.includes(kind.value);
      narrowField.firstChild.textContent = target.value === 'requests' ? 'Path contains' : 'Topic';
    };
    const kinds = () => {
      fill(kind, (target.value === 'requests' ? OF_REQUESTS : OF_WEBHOOKS).map((one) => h('option', { value: one }, words(one))));
      which();
    };
    kinds();
    return h('details', { class: 'more-form' }, h('summary', {}, 'Another fault'),
      h('form', { class: 'grid-form', on: { submit: (event) => {
        event.preventDefault();
        const match = { app_id: page.at.app };
        if (narrow.value.trim()) match[target.value === 'requests' ? 'path_contains' : 'topic'] = narrow.value.trim();
        if (only.checked && page.at.id) match.conversation_id = page.at.id;
        const order = { fault: kind.value, times: times.value ? Number(times.value) : 'always', [target.value === 'requests' ? 'match' : 'webhook']: match };
        if (status.value && !statusField.hidden) order.status = Number(status.value);
        if (delay.value && !delayField.hidden) order.delay_ms = Number(delay.value);
        this.add(order);
      } } },
      field('Of', target), field('What happens', kind), statusField, delayField, field('How often', times), narrowField,
      h('label', { class: 'check', for: 'fault-only' }, only, ' Only in the conversation shown'),
      h('button', { type: 'submit', class: 'primary' }, 'Switch on')));
  }

  add(order) {
    return attempt(async () => { await post('/faults', order); await this.load(); });
  }

  remove(id) {
    return attempt(async () => { await call('DELETE', `/faults/${id}`); await this.load(); });
  }

  /** A preset for the present workspace. */
  order(order) {
    return order.webhook ? { ...order, webhook: { app_id: page.at.app } } : { ...order, match: { ...order.match, app_id: page.at.app } };
  }

  /** The fault that a preset has become in the present workspace. */
  standing(preset) {
    const wanted = canonical(this.order(preset));
    return this.faults.find(({ id, left, hits, ...given }) => left !== 0 && canonical(given) === wanted);
  }

  toggle(preset) {
    const on = this.standing(preset);
    return on ? this.remove(on.id) : this.add(this.order(preset));
  }

  drawFaults() {
    const standing = this.faults.filter((fault) => fault.left !== 0);
    const focused = this.presets.contains(document.activeElement) ? document.activeElement.dataset.preset : null;
    fill(this.presets, PRESETS.map(([name, label, what, preset]) => {
      const on = this.standing(preset);
      return h('button', { type: 'button', class: 'switch wide', role: 'switch', 'aria-checked': String(Boolean(on)), data: { preset: name }, on: { click: () => this.toggle(preset) } },
        h('span', { class: 'knob' }), h('span', {}, h('strong', {}, label), h('small', {}, on?.hits ? `${what}. Struck ${on.hits === 1 ? 'once' : `${on.hits} times`}` : what)));
    }));
    if (focused) this.presets.querySelector(`[data-preset=${focused}]`)?.focus();
    this.noFaults.textContent = standing.length ? '' : 'Nothing is broken on purpose.';
    reconcile(this.active, standing, (fault) => fault.id, (fault) => JSON.stringify(fault), (fault) => {
      const { id, left, hits, fault: kind, times, ...rest } = fault;
      const of = fault.webhook ? 'webhooks' : 'requests';
      return h('li', {}, h('div', {}, h('strong', {}, words(kind)), ` of ${of}`, h('p', { class: 'hint' }, `${left === 'always' ? 'until switched off' : `${left} left`}, struck ${hits === 1 ? 'once' : `${hits} times`}`), h('code', {}, JSON.stringify(rest))),
        h('button', { type: 'button', class: 'secondary', 'aria-label': `Switch off ${words(kind)} of ${of}`, on: { click: () => this.remove(id) } }, 'Switch off'));
    });
    document.getElementById('tab-faults')?.classList.toggle('alarm', standing.length > 0);
  }

  drawTime() {
    this.time.textContent = `${full(now())}${page.ahead ? `, ${page.ahead.toLocaleString()} s ahead` : ''}`;
  }

  async move(by) {
    const moved = await attempt(() => post('/clock', { advance_seconds: by }), 'The time is moved on.');
    if (!moved) return;
    page.skew = moved.now - Math.floor(Date.now() / 1000);
    page.ahead = moved.ahead_seconds;
    this.drawTime();
  }

  async loadWebhook() {
    let state = null;
    try { state = await get(`/${page.at.app}/webhook`); } catch (problem) { if (problem.status !== 404) throw problem; }
    if (!state?.url) { fill(this.webhook, h('p', { class: 'hint' }, 'Nobody listens: this workspace has no webhook.')); return; }
    const { counters = {}, topics, others, ...facts } = state;
    const lines = Object.entries(facts).filter(([, value]) => value !== null && typeof value !== 'object');
    fill(this.webhook,
      h('dl', { class: 'facts' },
        lines.map(([name, value]) => [h('dt', {}, words(name)), h('dd', {}, /since|until/.test(name) ? full(value) : name === 'state' ? h('span', { class: `chip ${value === 'live' ? 'good' : 'bad'}` }, value) : String(value))]),
        Object.entries(counters).map(([name, value]) => [h('dt', {}, words(name)), h('dd', {}, value.toLocaleString())]),
        h('dt', {}, 'topics'), h('dd', {}, Array.isArray(topics) ? topics.join(', ') : 'all')),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'secondary', on: { click: () => attempt(() => post(`/${page.at.app}/webhook/ping`), 'The ping is sent.') } }, 'Send a ping'),
        state.state !== 'live' && h('button', { type: 'button', class: 'secondary', on: { click: () => attempt(() => post(`/${page.at.app}/webhook/live`), 'The webhook is live again.') } }, 'Make it live again')));
  }

  async loadTokens() {
    const [{ tokens }, { workspace }] = await Promise.all([get(`/${page.at.app}/tokens`), get(`/${page.at.app}/limits`)]);
    const focused = this.tokens.contains(document.activeElement) ? document.activeElement.dataset.token : null;
    fill(this.tokens, tokens.map(({ token, revoked, admin_id: acts }) => h('button', {
      type: 'button', class: 'switch wide', role: 'switch', 'aria-checked': String(!revoked), data: { token },
      on: { click: () => attempt(async () => { await post(`/${page.at.app}/tokens`, { token, action: revoked ? 'restore' : 'revoke' }); await this.loadTokens(); }) },
    }, h('span', { class: 'knob' }), h('span', {}, h('code', {}, token), h('small', {}, revoked ? 'revoked' : `opens the workspace as ${admin(acts)?.name ?? acts}`)))));
    if (focused) [...this.tokens.children].find((node) => node.dataset.token === focused)?.focus();
    this.limits.textContent = `The workspace’s rate limit has ${workspace.remaining.toLocaleString()} of ${workspace.limit.toLocaleString()} calls left in this window of ten seconds.`;
  }

  buildScenarios(panel) {
    this.list = h('ul', { class: 'scenarios' });
    this.find = h('input', { type: 'search', class: 'search', 'aria-label': 'Find a scenario', placeholder: 'Find a scenario', on: { input: () => this.drawScenarios() } });
    this.words = h('p', { class: 'hint', role: 'status' });
    fill(panel, h('div', { class: 'panel-scroll', tabindex: '0', role: 'region', 'aria-label': 'Scenarios' },
      h('section', { class: 'block' }, h('h3', {}, 'Scenarios'), h('p', { class: 'hint' }, 'Accidents that can be played again, each in conversations of its own. Something has to listen to the webhook.'), this.find, this.words, this.list)));
  }

  async loadScenarios() {
    this.words.textContent = 'Loading…';
    try {
      this.scenarios = (await get('/scenarios')).scenarios;
    } catch (problem) {
      this.words.textContent = problem.message;
      return;
    }
    this.drawScenarios();
  }

  drawScenarios() {
    const needle = this.find.value.trim().toLowerCase();
    const found = (this.scenarios ?? []).filter((one) => !needle || `${one.name} ${one.title} ${one.accident ?? ''}`.toLowerCase().includes(needle));
    this.words.textContent = found.length ? '' : 'There is no such scenario.';
    reconcile(this.list, found, (one) => one.name, (one) => JSON.stringify([one, this.runs.get(one.name)]), (one, before) => this.drawScenario(one, before));
  }

  drawScenario(one, before) {
    const run = this.runs.get(one.name);
    const running = run?.outcome === 'running';
    const open = before?.querySelector('details')?.open ?? true;
    const focused = before?.contains(document.activeElement);
    const button = h('button', { type: 'button', class: 'icon-button play', 'aria-label': `Play ${one.title}`, title: 'Play', 'aria-disabled': running ? 'true' : null, on: { click: () => !running && this.play(one) } }, icon('play'));
    if (focused) queueMicrotask(() => button.focus());
    return h('li', {}, h('div', { class: 'scenario-line' }, button,
      h('div', {}, h('strong', {}, one.title), one.holds && h('p', { class: 'holds' }, Array.isArray(one.holds) ? one.holds.join(' ') : one.holds),
        h('p', { class: 'hint' }, h('code', {}, one.name), one.accident && ` · accident ${one.accident}`)),
      run && h('span', { class: `chip run-${run.outcome}` }, run.outcome)),
      run && h('details', { open }, h('summary', {}, `${run.steps.length} steps`),
        run.conversation_id && h('button', { type: 'button', class: 'plain', on: { click: () => go({ id: run.conversation_id, tab: null, state: 'any' }) } }, 'Show the conversation'),
        h('ol', { class: 'run-steps' }, run.steps.map((step) => h('li', { class: `run-${step.outcome}` }, h('span', {}, typeof step.step === 'string' ? step.step : JSON.stringify(step.step)), step.detail && h('small', {}, ` ${typeof step.detail === 'string' ? step.detail : JSON.stringify(step.detail)}`))))));
  }

  async play(one) {
    const started = await attempt(() => post(`/${page.at.app}/scenarios/${encodeURIComponent(one.name)}`));
    if (!started) return;
    this.runs.set(one.name, { outcome: 'running', steps: [] });
    this.drawScenarios();
    const look = async () => {
      const run = await attempt(() => get(`/scenario-runs/${started.run}`));
      if (!run) { this.runs.delete(one.name); this.drawScenarios(); return; }
      this.runs.set(one.name, run);
      this.drawScenarios();
      if (run.outcome === 'running') setTimeout(look, 400);
    };
    look();
  }
}
