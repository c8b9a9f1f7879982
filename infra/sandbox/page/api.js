// Talking to the sandbox: calls to the control API, and the stream of changes.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body, type) {
  const init = { method, headers: { Accept: 'application/json' } };
  if (body !== undefined) {
    init.body = type ? body : JSON.stringify(body);
    init.headers['Content-Type'] = type || 'application/json';
  }
  let response;
  try {
    response = await fetch(`/_sandbox${path}`, init);
  } catch {
    throw new Refused(0, 'The sandbox does not answer. Is it still running?');
  }
  const text = await response.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* an answer that is no JSON has no words for people */ }
  if (!response.ok) throw new Refused(response.status, value?.error ?? value?.errors?.[0]?.message ?? `The sandbox answered ${response.status}.`);
  return value;
}

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => call('POST', path, body);

/** Uploads a file; the answer can be an attachment of a message. */
export const upload = (app, file) =>
  call('POST', `/${app}/files?name=${encodeURIComponent(file.name)}`, file, file.type || 'application/octet-stream');

const RETRY_MS = 1000;
const SILENT_MS = 25_000;

/** The stream of changes in a workspace. The browser comes back by itself where it can; where it
 *  gives up, or nothing is heard for long, the stream is opened anew and everything asked again. */
export class Live {
  constructor(app, heard) {
    this.app = app;
    this.heard = heard;
    this.run = null;
    this.opened = 0;
    this.open();
    this.watch = setInterval(() => { if (Date.now() - this.last > SILENT_MS) this.reopen(); }, 5000);
  }

  open() {
    this.last = Date.now();
    this.source = new EventSource(`/_sandbox/${this.app}/live`);
    const fresh = this.opened++ > 0;
    let first = true;
    const on = (name, act) => this.source.addEventListener(name, (event) => {
      this.last = Date.now();
      act(JSON.parse(event.data));
    });
    on('hello', (hello) => {
      const restarted = this.run !== null && this.run !== hello.run;
      // A stream opened anew has no memory of what was missed; one that came back has.
      const missed = restarted || (fresh && first);
      first = false;
      this.run = hello.run;
      this.heard.state('live');
      this.heard.time(hello);
      if (restarted) this.heard.restarted();
      if (missed) this.heard.resync();
    });
    on('changes', (changes) => { this.heard.time(changes); this.heard.changes(changes); });
    on('resync', () => this.heard.resync());
    on('beat', (beat) => this.heard.time(beat));
    this.source.onerror = () => {
      this.heard.state('lost');
      if (this.source.readyState === EventSource.CLOSED) this.retry();
    };
  }

  retry() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reopen(), RETRY_MS);
  }

  reopen() {
    this.source.close();
    this.open();
  }

  close() {
    this.source.close();
    clearTimeout(this.timer);
    clearInterval(this.watch);
  }
}
