// A list of conversations that is only partly loaded and only partly drawn, and kept up to date.

import { get } from './api.js';
import { calmly, h } from './dom.js';
import { page } from './state.js';

const PAGE_ROWS = 100;

/** The loaded top of a list of conversations, newest change first. */
export class Rows {
  constructor(changed) {
    this.changed = changed;
    this.query = null;
    this.clear();
    this.recount = calmly(() => this.count(), 500);
    this.renew = calmly(() => this.load(this.query, true), 300);
  }

  clear() {
    this.rows = [];
    this.next = null;
    this.total = 0;
    this.counts = {};
    this.loading = false;
    this.problem = null;
  }

  address(more) {
    const asked = { ...this.query, ...more };
    const words = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null && value !== '');
    return `/${page.at.app}/rows?${new URLSearchParams(words)}`;
  }

  /** Loads the list anew. What was there stays until the answer comes when `keep` is said. */
  async load(query, keep = false) {
    this.query = query;
    if (!keep) this.clear();
    this.loading = true;
    if (!keep) this.changed();
    const asked = query;
    const limit = keep ? Math.min(200, Math.max(PAGE_ROWS, this.rows.length)) : PAGE_ROWS;
    try {
      const answer = await get(this.address({ limit }));
      if (this.query !== asked) return;
      Object.assign(this, { rows: answer.rows, next: answer.next, total: answer.total, counts: answer.counts, problem: null });
    } catch (problem) {
      if (this.query === asked) this.problem = problem.message;
    }
    this.loading = false;
    this.changed();
  }

  async loadMore() {
    if (!this.next || this.loading || this.problem) return;
    this.loading = true;
    const asked = this.query;
    try {
      const answer = await get(this.address({ limit: PAGE_ROWS, after: this.next }));
      if (this.query === asked) {
        const known = new Set(this.rows.map((row) => row.id));
        this.rows.push(...answer.rows.filter((row) => !known.has(row.id)));
        Object.assign(this, { next: answer.next, total: answer.total, counts: answer.counts });
      }
    } catch (problem) {
      this.problem = problem.message;
    }
    this.loading = false;
    this.changed();
  }

  async count() {
    if (!this.query) return;
    const asked = this.query;
    const answer = await get(this.address({ limit: 1 }));
    if (this.query !== asked) return;
    Object.assign(this, { total: answer.total, counts: answer.counts });
    this.changed();
  }

  /** Puts changed conversations where they belong now. */
  apply(changes) {
    if (!this.query) return;
    for (const row of changes.conversations) {
      const at = this.rows.findIndex((one) => one.id === row.id);
      if (at >= 0) this.rows.splice(at, 1);
      if (!this.admits(row)) continue;
      if (this.query.q && at < 0) { this.renew(); continue; } // only the server can search
      const before = this.rows.findIndex((one) => newer(row, one));
      if (before >= 0) this.rows.splice(before, 0, row);
      else if (!this.next) this.rows.push(row);
    }
    for (const id of changes.gone) {
      const at = this.rows.findIndex((one) => one.id === id);
      if (at >= 0) this.rows.splice(at, 1);
    }
    if (changes.conversations.length || changes.gone.length) this.recount();
    this.changed();
  }

  admits(row) {
    const { view, state, contact_id: contact } = this.query;
    if (state && row.state !== state) return false;
    if (contact && !row.contact_ids.includes(contact)) return false;
    const [kind, id] = (view ?? 'all').split(':');
    if (kind === 'admin') return row.admin_assignee_id === id;
    if (kind === 'team') return row.team_assignee_id === id;
    if (kind === 'unassigned') return !row.admin_assignee_id && !row.team_assignee_id;
    return true;
  }
}

function newer(a, b) {
  if (a.updated_at !== b.updated_at) return a.updated_at > b.updated_at;
  return BigInt(a.id) > BigInt(b.id);
}

/** A list box that draws only the rows in sight. Arrow keys move, Enter opens. */
export class RowList {
  constructor({ id, label, height, draw, choose, more }) {
    this.height = height;
    this.draw = draw;
    this.choose = choose;
    this.more = more;
    this.id = id;
    this.rows = [];
    this.active = null;
    this.selected = null;
    this.canvas = h('div', { class: 'rows-canvas', role: 'presentation' });
    this.node = h('div', {
      class: 'rows', id, role: 'listbox', 'aria-label': label, tabindex: '0',
      on: {
        scroll: () => this.paint(),
        keydown: (event) => this.key(event),
        focus: () => { if (!this.active && this.rows.length) { this.active = this.selected ?? this.rows[0].id; this.paint(); } },
        click: (event) => {
          const row = event.target.closest('[role=option]');
          if (row) { this.active = row.dataset.key; this.choose(row.dataset.key, true); }
        },
      },
    }, this.canvas);
    this.drawn = new Map();
    new ResizeObserver(() => this.paint()).observe(this.node);
  }

  show(rows, total, selected) {
    this.rows = rows;
    this.total = total;
    this.selected = selected;
    if (this.active && !rows.some((row) => row.id === this.active)) this.active = null;
    this.canvas.style.height = `${rows.length * this.rowHeight()}px`;
    this.paint();
  }

  rowHeight() {
    return this.height * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  paint() {
    const height = this.rowHeight();
    const from = Math.max(0, Math.floor(this.node.scrollTop / height) - 3);
    const upto = Math.min(this.rows.length, Math.ceil((this.node.scrollTop + this.node.clientHeight) / height) + 3);
    const wanted = new Map();
    for (let at = from; at < upto; at++) wanted.set(this.rows[at].id, at);
    for (const [id, node] of this.drawn) if (!wanted.has(id)) { node.remove(); this.drawn.delete(id); }
    for (const [id, at] of wanted) {
      const row = this.rows[at];
      let node = this.drawn.get(id);
      if (!node || node.row !== row) {
        const fresh = this.draw(row);
        fresh.classList.add('row');
        fresh.id = `${this.id}-${id}`;
        fresh.dataset.key = id;
        fresh.setAttribute('role', 'option');
        fresh.row = row;
        if (node) node.replaceWith(fresh); else this.canvas.append(fresh);
        node = fresh;
        this.drawn.set(id, node);
      }
      node.style.transform = `translateY(${at * height}px)`;
      node.style.height = `${height}px`;
      node.setAttribute('aria-posinset', at + 1);
      node.setAttribute('aria-setsize', this.total);
      node.setAttribute('aria-selected', String(id === this.selected));
      node.classList.toggle('active', id === this.active);
    }
    if (this.active && wanted.has(this.active)) this.node.setAttribute('aria-activedescendant', `${this.id}-${this.active}`);
    else this.node.removeAttribute('aria-activedescendant');
    if (upto >= this.rows.length - 20) this.more();
  }

  /** Redraws what depends on the time or on names. */
  refresh() {
    for (const node of this.drawn.values()) node.row = null;
    this.paint();
  }

  move(by, open = true) {
    if (!this.rows.length) return;
    const present = this.rows.findIndex((row) => row.id === (this.active ?? this.selected));
    const at = Math.max(0, Math.min(this.rows.length - 1, present < 0 ? 0 : present + by));
    this.active = this.rows[at].id;
    const height = this.rowHeight();
    const top = at * height;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top + height > this.node.scrollTop + this.node.clientHeight) this.node.scrollTop = top + height - this.node.clientHeight;
    this.paint();
    if (!open) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.choose(this.active, false), 120);
  }

  key(event) {
    const pageful = Math.max(1, Math.floor(this.node.clientHeight / this.rowHeight()) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: pageful, PageUp: -pageful, Home: -Infinity, End: Infinity };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in moves) { event.preventDefault(); this.move(moves[event.key]); }
    else if ((event.key === 'Enter' || event.key === ' ') && this.active) { event.preventDefault(); clearTimeout(this.timer); this.choose(this.active, true); }
  }
}
