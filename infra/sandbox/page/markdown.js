// Markdown from anybody, as elements: paragraphs, lists, quotes, code, emphasis, links, pictures.
// Elements are made one by one and text stays text, so nothing in it can become markup.

import { harmless } from './safe-html.js';

const ITEM = /^ {0,3}(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$/;
const RULE = /^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^\s{0,3}> ?(.*)$/;
const DEEPEST = 12;

const element = (name, ...children) => {
  const node = document.createElement(name);
  node.append(...children);
  return node;
};

/** A text in Markdown as it is shown; in the form of `bodyOf`. */
export function markdownOf(text) {
  const out = element('div');
  out.className = 'body';
  out.dir = 'auto';
  out.append(...blocks((text ?? '').replace(/\r\n?/g, '\n').split('\n'), 0));
  return out;
}

/** A plain text, its lines kept. */
export function plainOf(text) {
  const out = element('div', element('p', ...lines((text ?? '').split('\n'), (line) => [line])));
  out.className = 'body';
  out.dir = 'auto';
  return out;
}

function blocks(rows, depth) {
  const made = [];
  let said = [];
  const paragraph = () => {
    if (said.length) made.push(element('p', ...lines(said, (line) => inline(line, 0))));
    said = [];
  };
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at];
    const fence = row.match(FENCE);
    const heading = row.match(HEADING);
    if (fence) {
      paragraph();
      const end = rows.findIndex((one, n) => n > at && one.trim().startsWith(fence[1]));
      const upto = end < 0 ? rows.length : end;
      made.push(element('pre', element('code', rows.slice(at + 1, upto).join('\n'))));
      at = upto;
    } else if (!row.trim()) paragraph();
    else if (heading) {
      paragraph();
      const node = element('p', ...inline(heading[1], 0));
      node.className = 'said-heading';
      made.push(node);
    } else if (RULE.test(row)) { paragraph(); made.push(element('hr')); }
    else if (QUOTE.test(row) && depth < DEEPEST) {
      paragraph();
      const inner = [];
      for (; at < rows.length && QUOTE.test(rows[at]); at++) inner.push(rows[at].match(QUOTE)[1]);
      at--;
      made.push(element('blockquote', ...blocks(inner, depth + 1)));
    } else if (ITEM.test(row) && depth < DEEPEST) {
      paragraph();
      const [list, next] = listAt(rows, at, depth);
      made.push(list);
      at = next - 1;
    } else said.push(row);
  }
  paragraph();
  return made;
}

/** The list that begins at a row, and the row after it. */
function listAt(rows, from, depth) {
  const numbered = Boolean(rows[from].match(ITEM)[2]);
  const list = element(numbered ? 'ol' : 'ul');
  if (numbered) list.start = Number(rows[from].match(ITEM)[2]);
  let at = from;
  while (at < rows.length) {
    const found = rows[at].match(ITEM);
    if (!found || Boolean(found[2]) !== numbered) break;
    const item = [found[3]];
    for (at++; at < rows.length; at++) {
      const further = /^\s{2,}\S/.test(rows[at]);
      const gap = !rows[at].trim() && /^\s{2,}\S/.test(rows[at + 1] ?? '');
      if (!further && !gap) break;
      item.push(rows[at].replace(/^ {2,4}/, ''));
    }
    const inner = blocks(item, depth + 1);
    const tight = inner[0]?.localName === 'p' && !inner[0].className ? [...inner[0].childNodes, ...inner.slice(1)] : inner;
    list.append(element('li', ...tight));
    const again = rows[at] !== undefined && !rows[at].trim() && ITEM.test(rows[at + 1] ?? '');
    if (again) at++;
  }
  return [list, at];
}

/** Lines with breaks between them; the two spaces or the backslash at an end are not shown. */
function lines(rows, draw) {
  return rows.flatMap((row, n) => [...(n ? [element('br')] : []), ...draw(row.replace(/(?:\\| {2,})$/, '').trimStart())]);
}

// What a span looks like, how it is drawn, and, where only its end tells, how it begins: a beginning whose end
// is missing is looked for once, not again at every later beginning of its kind.
const SPANS = [
  [/^\\([!-/:-@[-`{-~])/, (found) => found[1]],
  [/^(`+)(?!`)([^]*?[^`])\1(?!`)/, (found) => element('code', found[2]), /^`+(?!`)/],
  [/^!\[((?:\\.|[^[\]\\])*)\]\(<?((?:\\.|[^\s()<>\\])+)>?(?:\s+"[^"]*")?\)/, (found) => picture(found)],
  [/^\[((?:\\.|[^[\]\\])*)\]\(<?((?:\\.|[^\s()<>\\]|\([^\s()]*\))+)>?(?:\s+"[^"]*")?\)/, (found, depth) => link(found[2], inline(found[1], depth + 1)) ?? found[0]],
  [/^<(https?:\/\/[^\s<>]+)>/, (found) => link(found[1], [found[1]]) ?? found[0]],
  [/^(https?:\/\/[^\s<>]*[^\s<>.,;:!?)"'\]*_])/, (found) => link(found[1], [found[1]]) ?? found[0]],
  [/^(\*\*|__)(?=\S)([^]*?\S)\1/, (found, depth) => element('strong', ...inline(found[2], depth + 1)), /^(?:\*\*|__)(?=\S)/],
  [/^([*_])(?=[^\s*_])([^]*?[^\s\\])\1(?![\p{L}\p{N}])/u, (found, depth) => element('em', ...inline(found[2], depth + 1)), /^[*_](?=[^\s*_])/],
  [/^~~(?=\S)([^]*?\S)~~/, (found, depth) => element('s', ...inline(found[1], depth + 1)), /^~~(?=\S)/],
];

/** The first span that a text begins with, and how it is drawn. */
function spanOf(text, endless) {
  for (const [pattern, draw, begins] of SPANS) {
    const beginning = begins && text.match(begins)?.[0];
    if (begins && (!beginning || endless.has(beginning))) continue;
    const found = text.match(pattern);
    if (found) return [found, draw];
    if (begins) endless.add(beginning);
  }
  return null;
}

function inline(text, depth) {
  const made = [];
  const endless = new Set();
  let plain = '';
  let rest = text;
  while (rest) {
    // A letter before an underscore, or before an address, makes neither.
    const inWord = /[\p{L}\p{N}]$/u.test(plain.slice(-2)) && /^(?:_|https?:)/.test(rest);
    const hit = depth < DEEPEST && !inWord && /^[\\`!\[<h*_~]/.test(rest) ? spanOf(rest, endless) : null;
    if (hit) {
      const drawn = hit[1](hit[0], depth);
      if (typeof drawn === 'string') plain += drawn;
      else {
        if (plain) made.push(plain);
        plain = '';
        made.push(drawn);
      }
      rest = rest.slice(hit[0][0].length);
    } else {
      const [first] = rest;
      plain += first;
      rest = rest.slice(first.length);
    }
  }
  if (plain) made.push(plain);
  return made;
}

const unescaped = (text) => text.replace(/\\([!-/:-@[-`{-~])/g, '$1');

function link(address, children) {
  const href = harmless(unescaped(address), ['http:', 'https:', 'mailto:', 'tel:']);
  if (!href) return null;
  const made = element('a', ...children);
  made.href = href;
  made.target = '_blank';
  made.rel = 'noopener noreferrer nofollow';
  return made;
}

function picture([whole, words, address]) {
  const src = harmless(unescaped(address));
  if (!src) return whole;
  const made = element('img');
  made.loading = 'lazy';
  made.alt = unescaped(words) || 'Picture in the message';
  made.src = src;
  return made;
}
