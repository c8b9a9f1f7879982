// What the page shows, kept in the address so that it can be shared, and the words for it.

import { get } from './api.js';

/** Everything in the address. `app` workspace, `view`, `state`, `q`, `id` the teammates' conversation,
 *  `talk` the customer's, `chat` the bot platform's chat, `customer`, `as` the teammate, `pane`, `side` and
 *  `tab` what is in front. */
const FIELDS = ['app', 'view', 'state', 'q', 'id', 'customer', 'talk', 'chat', 'as', 'pane', 'side', 'tab'];

export const page = {
  at: {},
  workspaces: [],
  /** Whether a bot platform is connected, whose chats are shown. */
  bot: false,
  directory: { admins: [], teams: [], tags: [] },
  skew: 0,
  ahead: 0,
  listeners: new Set(),
};

export function read() {
  const found = new URLSearchParams(location.hash.slice(1));
  page.at = Object.fromEntries(FIELDS.filter((name) => found.get(name)).map((name) => [name, found.get(name)]));
}

/** Changes the address and tells everybody what is different. */
export function go(change, { replace = false } = {}) {
  const before = { ...page.at };
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === '') delete page.at[name];
    else page.at[name] = String(value);
  }
  const hash = `#${new URLSearchParams(FIELDS.filter((name) => page.at[name]).map((name) => [name, page.at[name]]))}`;
  if (hash !== location.hash) history[replace ? 'replaceState' : 'pushState'](null, '', hash);
  tell(before);
}

export function tell(before) {
  const changed = new Set(FIELDS.filter((name) => before[name] !== page.at[name]));
  if (changed.size) for (const listener of page.listeners) listener(changed);
}

export const onMove = (listener) => page.listeners.add(listener);

/** The sandbox's time in Unix seconds. */
export const now = () => Math.floor(Date.now() / 1000) + page.skew;

export const admin = (id) => page.directory.admins.find((one) => one.id === String(id));
export const team = (id) => page.directory.teams.find((one) => one.id === String(id));
export const nameOf = (person) => person?.name || person?.email || (person ? `Visitor ${person.id.slice(-4)}` : 'Somebody');

/** Who has a conversation: what it is called, and which of bot, people, team, nobody it is. */
export function ownerOf(row) {
  const one = row.admin_assignee_id && admin(row.admin_assignee_id);
  const group = row.team_assignee_id && team(row.team_assignee_id);
  if (row.admin_assignee_id && row.admin_assignee_id !== '0') {
    return { kind: one?.is_bot ? 'bot' : 'people', label: one?.name ?? `Teammate ${row.admin_assignee_id}`, team: group?.name };
  }
  if (row.team_assignee_id && row.team_assignee_id !== '0') return { kind: 'team', label: group?.name ?? `Team ${row.team_assignee_id}` };
  return { kind: 'nobody', label: 'Unassigned' };
}

export function ago(seconds) {
  const past = now() - seconds;
  if (past < 0) return `in ${span(-past)}`;
  return past < 45 ? 'now' : span(past);
}

export function span(seconds) {
  if (seconds < 3570) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
export const full = (seconds) => FULL.format(seconds * 1000);
export const clock = (seconds) => CLOCK.format(seconds * 1000);
export const iso = (seconds) => new Date(seconds * 1000).toISOString();

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

export async function loadDirectory() {
  page.directory = await get(`/${page.at.app}/directory`);
}

/** A value kept in this browser; private windows may refuse, which changes nothing else. */
export const remembered = {
  get(name) { try { return localStorage.getItem(`baton-sandbox-${name}`); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(`baton-sandbox-${name}`, value); } catch { /* not kept */ } },
};
