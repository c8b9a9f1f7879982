// Bodies of messages are HTML from anybody. They are parsed into a document that runs and loads
// nothing, and built again from the few elements and attributes that are known to be harmless.

const policy = window.trustedTypes?.createPolicy('baton-bodies', { createHTML: (text) => text });
const SAME = new Set(['p', 'br', 'b', 'strong', 'i', 'em', 'u', 's', 'ul', 'ol', 'li', 'pre', 'code', 'blockquote', 'div', 'hr', 'span']);
const DROPPED = new Set(['script', 'style', 'head', 'template', 'iframe', 'object', 'embed', 'svg', 'math', 'noscript', 'title', 'textarea', 'select', 'form', 'button', 'input', 'video', 'audio', 'link', 'meta', 'base']);
const HEADING = /^h[1-6]$/;
const DEEPEST = 40;

export function bodyOf(html) {
  const text = html ?? '';
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, 'text/html');
  const out = document.createElement('div');
  out.className = 'body';
  out.dir = 'auto';
  copy(parsed.body, out, 0);
  return out;
}

/** An address that a person may be led to or a picture be loaded from; null for any other. */
export function harmless(address, schemes = ['http:', 'https:']) {
  try {
    const url = new URL(address);
    return schemes.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function copy(from, to, depth) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE) element(child, to, depth);
  }
}

function element(from, to, depth) {
  const name = from.localName;
  if (DROPPED.has(name) || depth > DEEPEST) return;
  let made = null;
  if (SAME.has(name)) made = document.createElement(name);
  else if (HEADING.test(name)) {
    // No heading of a message becomes one of the page.
    made = document.createElement('p');
    made.className = 'said-heading';
  } else if (name === 'a') made = link(from);
  else if (name === 'img') made = picture(from);
  if (!made) { copy(from, to, depth + 1); return; }
  to.append(made);
  if (name !== 'img') copy(from, made, depth + 1);
}

function link(from) {
  const address = harmless(from.getAttribute('href') ?? '', ['http:', 'https:', 'mailto:', 'tel:']);
  if (!address) return null;
  const made = document.createElement('a');
  made.href = address;
  made.target = '_blank';
  made.rel = 'noopener noreferrer nofollow';
  return made;
}

function picture(from) {
  const address = harmless(from.getAttribute('src') ?? '');
  if (!address) return null;
  const made = document.createElement('img');
  made.loading = 'lazy';
  made.alt = from.getAttribute('alt') || 'Picture in the message';
  made.src = address;
  return made;
}
