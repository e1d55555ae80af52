// What the owner sees besides people: subscriptions and deliveries, the request log, the clock.

import { ask } from './api.js';
import { announce, h, setText } from './dom.js';
import { exactly, frozen, hear, instant, iso, length, now } from './time.js';

const EVERY = 3000;

/** A view that asks again while it is shown. */
class Polled {
  constructor() {
    this.element = h('div', { class: 'page' });
  }

  show(tenant) {
    this.tenant = tenant;
    this.showing = true;
    this.poll();
  }

  hide() {
    this.showing = false;
    clearTimeout(this.timer);
  }

  async poll() {
    clearTimeout(this.timer);
    try {
      await this.refresh();
    } catch (refusal) {
      if (refusal.status === 404) this.element.replaceChildren(h('p', { class: 'empty' }, refusal.message));
    }
    if (this.showing) this.timer = setTimeout(() => this.poll(), EVERY);
  }
}

export class Subscriptions extends Polled {
  async refresh() {
    const said = await ask(`/board/subscriptions?${new URLSearchParams({ tenant: this.tenant })}`);
    const text = JSON.stringify(said, (name, value) => (name === 'expires_in' ? undefined : value));
    if (text === this.text && now() - this.painted < 20) return; // nothing new: leave what may have the focus alone
    this.text = text;
    this.painted = now();
    const subscriptions = said.subscriptions.map((one) => h('tr', {},
      cell('State', one.paused ? badge('paused', 'bad') : badge('active', 'good')),
      cell('Watches', one.people === null ? 'everybody' : one.people === 1 ? lastPart(one.resource) : `${one.people} people`, one.rich ? badge('with data') : null),
      cell('Sends to', h('span', { class: 'url' }, one.notification_url)),
      cell('For', h('span', { class: 'mono' }, one.user ?? 'the app'), h('span', { class: 'note' }, `app ${one.app}`)),
      cell('Ends', moment(one.expires_at), h('span', { class: 'note' }, `in ${length(one.expires_at - now())}`))));
    const deliveries = said.deliveries.map((one) => h('tr', {},
      cell('State', badge(one.state ?? 'unknown', one.state === 'normal' ? 'good' : one.state === 'drop' ? 'bad' : 'warn')),
      cell('Endpoint', h('span', { class: 'url' }, one.url), one.last_error ? h('span', { class: 'problem' }, one.last_error) : null),
      cell('Waiting', String(one.waiting)),
      cell('Delivered', count(one.delivered)),
      cell('Failed', count(one.failed_posts)),
      cell('Dropped', count(one.dropped)),
      cell('Next try', one.next_try === null ? '–' : moment(one.next_try))));
    this.element.replaceChildren(
      table('Subscriptions', ['State', 'Watches', 'Sends to', 'For', 'Ends'], subscriptions, 'Nobody is subscribed in this tenant.'),
      said.more ? h('p', { class: 'note' }, `and ${said.more} more`) : '',
      table('Deliveries', ['State', 'Endpoint', 'Waiting', 'Delivered', 'Failed', 'Dropped', 'Next try'], deliveries, 'Nothing was delivered since the server started.'));
  }
}

export class RequestLog extends Polled {
  async refresh() {
    const { requests } = await ask(`/board/log?${new URLSearchParams({ tenant: this.tenant })}`);
    const text = JSON.stringify(requests);
    if (text === this.text) return;
    this.text = text;
    this.element.replaceChildren(table('Requests', ['At', 'Request', 'Answer', 'By'], requests.map((one) => h('tr', {},
      cell('At', typeof one.at === 'number' ? moment(one.at) : String(one.at ?? '')),
      cell('Request', h('span', { class: 'mono' }, `${one.method ?? ''} ${one.path ?? ''}`)),
      cell('Answer', badge(String(one.status ?? '–'), one.status < 400 ? 'good' : 'bad')),
      cell('By', h('span', { class: 'mono' }, one.user ?? one.app ?? '–')))), 'No request was made yet.'));
  }
}

export class ClockControl {
  /** `moved()` when the clock was. */
  constructor({ moved }) {
    this.moved = moved;
    this.face = h('p', { class: 'clock-face' });
    this.said = h('p', { class: 'note' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.stand = h('button', { type: 'button', onclick: () => this.change({ frozen: !frozen() }) });
    const steps = [[60, '1 min'], [300, '5 min'], [3600, '1 hour'], [86400, '1 day']];
    const amount = h('input', { type: 'number', min: 1, max: 100000, value: 10, 'aria-label': 'Minutes to advance', inputmode: 'numeric' });
    const instantInput = h('input', { type: 'datetime-local', step: 1, 'aria-label': 'Time to set, UTC' });
    this.element = h('div', { class: 'page clock' },
      h('section', { 'aria-labelledby': 'clock-title' },
        h('h2', { id: 'clock-title' }, 'The server’s clock'),
        this.face, this.said, this.problem,
        h('div', { class: 'line' }, this.stand, h('button', { type: 'button', onclick: () => this.change({ reset: true }) }, 'Back to real time')),
        h('h3', {}, 'Advance'),
        h('p', { class: 'note' }, 'What is due on the way happens in order: fades, expiries, reminders, deliveries.'),
        h('div', { class: 'line' }, steps.map(([seconds, label]) => h('button', { type: 'button', onclick: () => this.change({ advance: seconds }) }, `+ ${label}`))),
        h('form', { class: 'line', onsubmit: (event) => { event.preventDefault(); this.change({ advance: Number(amount.value) * 60 }); } },
          amount, h('span', {}, 'minutes'), h('button', { type: 'submit' }, 'Advance')),
        h('h3', {}, 'Set'),
        h('form', { class: 'line', onsubmit: (event) => { event.preventDefault(); if (instantInput.value) this.change({ at: Date.parse(`${instantInput.value}Z`) / 1000 }); } },
          instantInput, h('span', {}, 'UTC'), h('button', { type: 'submit' }, 'Set'))));
  }

  async show() {
    this.showing = true;
    this.timer = setInterval(() => this.paint(), 500);
    await this.change(null);
  }

  hide() {
    this.showing = false;
    clearInterval(this.timer);
  }

  async change(body) {
    setText(this.problem, '');
    try {
      const state = await ask('/board/clock', body === null ? {} : { method: 'POST', body });
      hear(Date.parse(state.now) / 1000, state.frozen);
      this.offset = state.offset;
      if (body !== null) {
        announce(`The clock says ${instant(now())}`);
        this.moved();
      }
    } catch (refusal) {
      setText(this.problem, refusal.message);
    }
    this.paint();
  }

  paint() {
    setText(this.face, exactly(now()));
    const off = Math.round(this.offset ?? 0);
    setText(this.said, `${frozen() ? 'stands still' : 'goes on'}${off ? `, ${length(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} real time` : ''}`);
    setText(this.stand, frozen() ? 'Let it go on' : 'Freeze');
  }
}

function table(title, columns, rows, nothing) {
  return h('section', {}, h('h2', {}, title),
    rows.length
      ? h('table', {}, h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))), h('tbody', {}, rows))
      : h('p', { class: 'empty' }, nothing));
}

function cell(name, ...content) {
  return h('td', { 'data-name': name }, ...content);
}

function badge(text, kind = '') {
  return h('span', { class: `badge ${kind}` }, text);
}

function count(number) {
  return number === null || number === undefined ? '–' : String(number);
}

function moment(at) {
  return h('time', { datetime: iso(at), title: exactly(at) }, instant(at));
}

function lastPart(resource) {
  return h('span', { class: 'mono' }, resource.split('/').pop());
}
