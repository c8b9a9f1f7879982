// Making and updating elements. Text always becomes text: nothing here parses HTML.

/** An element. Props: `class`, `on` (listeners), `data`, `style` (custom properties too), the rest attributes. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name === 'on') for (const [type, act] of Object.entries(value)) node.addEventListener(type, act);
    else if (name === 'data') Object.assign(node.dataset, value);
    else if (name === 'style') for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...kept(children));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...kept(children));
  return node;
}

const kept = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== '');

/** Keeps a container's children in step with a list, touching only what differs. */
export function reconcile(container, items, keyOf, signatureOf, make) {
  const present = new Map([...container.children].map((node) => [node.dataset.key, node]));
  let at = container.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const signature = signatureOf(item);
    let node = present.get(key);
    present.delete(key);
    if (!node || node.dataset.signature !== signature) {
      const fresh = make(item, node);
      fresh.dataset.key = key;
      fresh.dataset.signature = signature;
      if (node) {
        if (at === node) at = fresh;
        node.replaceWith(fresh);
      }
      node = fresh;
    }
    if (node === at) at = at.nextElementSibling;
    else container.insertBefore(node, at);
  }
  for (const node of present.values()) node.remove();
}

const ICONS = {
  send: 'M4 12 20 4l-6 16-3-7-7-1Z', clip: 'm8 12 6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l8-8', plus: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7 7 7', more: 'M5 12h.01M12 12h.01M19 12h.01', trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  tag: 'M3 12V4h8l9 9-8 8-9-9ZM7.5 8h.01', moon: 'M20 14A8 8 0 1 1 10 4a7 7 0 0 0 10 10Z', sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19',
  auto: 'M12 3a9 9 0 1 0 0 18ZM12 3a9 9 0 0 1 0 18', keys: 'M3 7h18v10H3ZM7 11h.01M12 11h.01M17 11h.01M8 14h8', check: 'M5 12l5 5 9-10',
  open: 'M4 4h16v16H4ZM4 14h5l1 2h4l1-2h5', play: 'M7 4l13 8-13 8Z', close: 'M6 6l12 12M18 6 6 18', eye: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z',
  clock: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM12 7v5l3 3', erase: 'M5 5l14 14M4 12h9M17 12h3',
};

/** A line drawing for a button; the button carries the words. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export const iconButton = (name, label, act, props = {}) =>
  h('button', { type: 'button', ...props, class: `icon-button ${props.class ?? ''}`, 'aria-label': label, title: label, on: { click: act } }, icon(name));

/** Says something to screen readers only. */
export function say(text) {
  document.getElementById('said').textContent = text;
}

/** Shows a short message that goes by itself. */
export function toast(text, kind = 'info') {
  const box = document.getElementById('toasts');
  const node = h('p', { class: `toast ${kind}` }, text);
  box.append(node);
  while (box.children.length > 3) box.firstChild.remove();
  setTimeout(() => node.remove(), kind === 'error' ? 9000 : 4500);
}

/** Runs what a button asks for; a refusal is shown in words. */
export async function attempt(act, done) {
  try {
    const result = await act();
    if (done) toast(done);
    return result;
  } catch (problem) {
    toast(problem.message, 'error');
    return undefined;
  }
}

/** Calls at most once in so many milliseconds, and once more when it was asked meanwhile. */
export function calmly(act, ms) {
  let timer = null;
  let running = false;
  let again = false;
  const run = async () => {
    timer = null;
    if (running) { again = true; return; }
    running = true;
    try { await act(); } catch (problem) { console.warn(problem.message); }
    running = false;
    if (again) { again = false; start(); }
  };
  const start = () => { timer ??= setTimeout(run, ms); };
  return start;
}

export function initials(name) {
  const words = (name || '?').trim().split(/\s+/);
  return (words[0][0] + (words.length > 1 ? words.at(-1)[0] : '')).toUpperCase();
}

export function avatar(name, kind = '') {
  let sum = 0;
  for (const c of name || '?') sum = (sum * 31 + c.codePointAt(0)) % 360;
  return h('span', { class: `avatar ${kind}`, 'aria-hidden': 'true', style: { '--hue': String(sum) } }, initials(name));
}
