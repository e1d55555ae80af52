// The stream of changes. It connects again by itself, also when the server was stopped and started, and lets go while
// nobody looks at the page.

import { ask } from './api.js';

const LONGEST_PAUSE = 8000;
const SILENCE = 35000; // the server says something every ten seconds
const UNSEEN = 60000;

export class Live {
  /** `handlers`: hello, people, reload, tick (data), connected (boolean), signedOut. */
  constructor(handlers) {
    this.handlers = handlers;
    this.address = null;
    document.addEventListener('visibilitychange', () => this.visibility());
  }

  /** Follow a tenant. */
  start(tenant) {
    this.stop();
    this.address = `/board/events?tenant=${encodeURIComponent(tenant)}`;
    this.pause = 500;
    this.connect();
  }

  /** Follow nothing. */
  stop() {
    this.address = null;
    this.close();
    clearTimeout(this.retrying);
  }

  connect() {
    this.close();
    if (this.address === null) return;
    const source = this.source = new EventSource(this.address);
    const on = (name) => source.addEventListener(name, (event) => {
      if (source !== this.source) return;
      this.heard();
      this.handlers[name](JSON.parse(event.data));
    });
    source.addEventListener('hello', () => {
      this.pause = 500;
      this.handlers.connected(true);
    });
    ['hello', 'people', 'reload', 'tick'].forEach(on);
    source.onerror = () => this.again();
    this.heard();
  }

  heard() {
    clearTimeout(this.silent);
    this.silent = setTimeout(() => this.again(), SILENCE);
  }

  again() {
    this.close();
    this.handlers.connected(false);
    clearTimeout(this.retrying);
    this.retrying = setTimeout(async () => {
      try {
        await ask('/board/session');
      } catch (refusal) {
        if (refusal.status === 401) return void (this.address && this.handlers.signedOut());
        if (refusal.status === 0 || refusal.status >= 500) return void this.again();
      }
      this.connect();
    }, this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(this.pause * 1.6, LONGEST_PAUSE);
  }

  close() {
    clearTimeout(this.silent);
    this.source?.close();
    this.source = null;
  }

  visibility() {
    clearTimeout(this.unseen);
    if (document.hidden) {
      this.unseen = setTimeout(() => this.close(), UNSEEN);
    } else if (this.address !== null && this.source === null) {
      this.pause = 500;
      clearTimeout(this.retrying);
      this.connect();
    }
  }
}
