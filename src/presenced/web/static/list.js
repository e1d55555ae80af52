// The list of people. Only what can be seen is in the document, whatever the length of the list; one of its entries
// is in the tab order, and the arrow keys move from one to the next.

import { h, setAttribute, setText } from './dom.js';
import { avatar, icon, paintAvatar } from './presence.js';
import { ago, exactly, iso } from './time.js';

const BEYOND = 400; // pixels that are kept ready above and below

export class List {
  /** `open(id)` when a person is chosen, `fold(kind)` when a group's heading is. */
  constructor({ open, fold }) {
    this.open = open;
    this.fold = fold;
    this.items = [];
    this.offsets = [0];
    this.shown = new Map();
    this.active = null;
    this.current = null;
    this.content = h('ul', { class: 'rows', role: 'list', 'aria-label': 'People' });
    this.element = h('div', { class: 'scroller', onscroll: () => this.later() }, this.content);
    this.content.addEventListener('keydown', (event) => this.key(event));
    this.content.addEventListener('focusin', (event) => this.focused(event));
    new ResizeObserver(() => this.measure()).observe(this.element);
  }

  /** Show these items. */
  show(items) {
    this.items = items;
    this.indexes = new Map(items.map((item, index) => [item.key, index]));
    this.measure();
  }

  /** Mark the person whose details are shown. */
  mark(id) {
    this.current = id;
    this.render();
  }

  /** Put the focus on a person, if they are in the list. */
  focus(key) {
    const index = this.indexes?.get(key);
    if (index !== undefined) this.goTo(index);
  }

  /** Put the focus on the first entry. */
  focusFirst() {
    if (this.items.length) this.goTo(0);
  }

  measure() {
    const style = getComputedStyle(this.element);
    const row = parseFloat(style.getPropertyValue('--row'));
    const group = parseFloat(style.getPropertyValue('--group'));
    let at = 0;
    this.offsets = this.items.map((item) => {
      const before = at;
      at += item.row ? row : group;
      return before;
    });
    this.offsets.push(at);
    this.content.style.height = `${at}px`;
    this.render();
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.render();
    });
  }

  /** Bring what is shown up to date. */
  render() {
    const top = this.element.scrollTop - BEYOND;
    const bottom = this.element.scrollTop + this.element.clientHeight + BEYOND;
    const wanted = new Set();
    for (let index = this.at(top); index < this.items.length && this.offsets[index] < bottom; index += 1) {
      wanted.add(index);
    }
    if (this.active === null || !this.indexes?.has(this.active)) this.active = this.items[0]?.key ?? null;
    // whoever has the focus stays, wherever the list is scrolled to
    if (this.active !== null) wanted.add(this.indexes.get(this.active));
    const indexes = [...wanted].sort((one, other) => one - other);
    const keys = new Set(indexes.map((index) => this.items[index].key));
    const focused = this.content.contains(document.activeElement);
    for (const [key, entry] of this.shown) {
      if (!keys.has(key)) {
        entry.element.remove();
        this.shown.delete(key);
      }
    }
    let before = this.content.firstChild;
    for (const index of indexes) {
      const item = this.items[index];
      const entry = this.entry(item);
      entry.paint(item);
      entry.element.style.transform = `translateY(${this.offsets[index]}px)`;
      setAttribute(entry.element, 'aria-setsize', this.items.length);
      setAttribute(entry.element, 'aria-posinset', index + 1);
      entry.button.tabIndex = item.key === this.active ? 0 : -1;
      if (entry.element === before) before = before.nextSibling;
      else this.content.insertBefore(entry.element, before);
    }
    if (focused && !this.content.contains(document.activeElement)) this.shown.get(this.active)?.button.focus({ preventScroll: true });
  }

  /** The index of the item at so many pixels from the top. */
  at(pixels) {
    let [low, high] = [0, this.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= pixels) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  entry(item) {
    let entry = this.shown.get(item.key);
    if (entry === undefined) {
      entry = item.row ? this.person(item.key) : this.group(item.kind);
      this.shown.set(item.key, entry);
    }
    return entry;
  }

  person(id) {
    let face = null;
    const name = h('span', { class: 'name' });
    const title = h('span', { class: 'title' });
    const state = h('span', { class: 'state' });
    const message = h('span', { class: 'message' });
    const since = h('time', { class: 'since' });
    const button = h('button', { type: 'button', class: 'row', onclick: () => this.open(id) },
      h('span', { class: 'who' }, name, title), state, message, since);
    const element = h('li', { 'data-key': id }, button);
    const paint = ({ row }) => {
      if (face === null) button.prepend(face = avatar(row));
      else paintAvatar(face, row);
      setText(name, row.name);
      setText(title, row.jobTitle ?? '');
      setText(state, row.words + (row.isOutOfOffice && row.kind !== 'ooo' ? ', out of office' : ''));
      setText(message, row.message ?? '');
      message.title = row.message ?? '';
      setText(since, ago(row.since));
      setAttribute(since, 'datetime', iso(row.since));
      since.title = `since ${exactly(row.since)}`;
      button.dataset.kind = row.kind;
      setAttribute(button, 'aria-current', this.current === id ? 'true' : null);
    };
    return { element, button, paint };
  }

  group(kind) {
    const count = h('span', { class: 'count' });
    const label = h('span');
    const button = h('button', { type: 'button', class: 'group', onclick: () => this.fold(kind) },
      h('span', { class: 'chevron', 'aria-hidden': 'true' }), icon(kind), label, count);
    const element = h('li', { 'data-key': `group ${kind}` }, h('h3', {}, button));
    const paint = (item) => {
      setText(label, item.label);
      setText(count, String(item.count));
      setAttribute(button, 'aria-expanded', String(!item.folded));
    };
    return { element, button, paint };
  }

  focused(event) {
    const key = event.target.closest('li')?.dataset.key;
    if (key !== undefined && key !== this.active) {
      this.active = key;
      for (const [other, entry] of this.shown) entry.button.tabIndex = other === key ? 0 : -1;
    }
  }

  key(event) {
    const index = this.indexes.get(this.active) ?? 0;
    const page = Math.max(1, Math.floor(this.element.clientHeight / 64));
    const moves = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: this.items.length - 1, PageDown: index + page, PageUp: index - page };
    const to = moves[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.goTo(Math.min(Math.max(to, 0), this.items.length - 1));
  }

  goTo(index) {
    this.active = this.items[index].key;
    const [top, bottom] = [this.offsets[index], this.offsets[index + 1]];
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.element.scrollTop = bottom - clientHeight;
    this.render();
    this.shown.get(this.active).button.focus({ preventScroll: true });
  }
}
