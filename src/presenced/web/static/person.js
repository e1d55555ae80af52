// A person's details: state, message, what it comes from, what comes next, what was; and changing it.

import { ask } from './api.js';
import { announce, h, setText, svg } from './dom.js';
import { avatar, icon, iconOf, kindOf, nameOf, words } from './presence.js';
import { ago, exactly, instant, iso, length, now } from './time.js';

const OWN_SESSION = 'presenced-board';
const PREFERRED = [
  ['Available', 'Available', 'Available', 'available'],
  ['Busy', 'Busy', 'Busy', 'busy'],
  ['DoNotDisturb', 'DoNotDisturb', 'Do not disturb', 'dnd'],
  ['BeRightBack', 'BeRightBack', 'Be right back', 'brb'],
  ['Away', 'Away', 'Appear away', 'away'],
  ['Offline', 'OffWork', 'Appear offline', 'offline'],
];
const SESSION = [
  ['Available', 'Available', 'Available', 'available'],
  ['Busy', 'InACall', 'In a call', 'busy'],
  ['Busy', 'InAConferenceCall', 'In a conference', 'busy'],
  ['DoNotDisturb', 'Presenting', 'Presenting', 'dnd'],
  ['Away', 'Away', 'Away', 'away'],
];
const PREFERRED_LIVES = [['', 'as usual'], ['PT15M', '15 min'], ['PT30M', '30 min'], ['PT1H', '1 hour'], ['PT2H', '2 hours'], ['PT8H', '8 hours'], ['P1D', '1 day'], ['P7D', '1 week']];
const SESSION_LIVES = [['PT5M', '5 min'], ['PT15M', '15 min'], ['PT1H', '1 hour'], ['PT4H', '4 hours']];
const MESSAGE_LIVES = [['', 'until cleared'], ['1800', '30 min'], ['3600', '1 hour'], ['14400', '4 hours'], ['86400', '1 day']];
const PLACES = [['', 'not said'], ['office', 'Office'], ['remote', 'Remote'], ['timeOff', 'Time off']];
const PLACE_WORDS = { office: 'Office', remote: 'Remote', timeOff: 'Time off' };

export class Person {
  /** `close()` when the person looking wants it closed. */
  constructor({ close }) {
    this.close = close;
    this.id = null;
    this.element = h('aside', { class: 'detail', 'aria-labelledby': 'person-name', hidden: true });
  }

  /** Show somebody of a tenant. */
  async open(id, tenant) {
    this.id = id;
    this.tenant = tenant;
    this.built = null;
    this.element.replaceChildren();
    await this.refresh(true);
  }

  /** Show nobody. */
  hide() {
    this.id = null;
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  /** The person has changed, or may have: ask again, soon. */
  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.refresh(), 150);
  }

  async refresh(focus = false) {
    const { id, tenant } = this;
    if (id === null) return;
    let answer;
    try {
      answer = await ask(`/board/people/${id}?${new URLSearchParams({ tenant })}`);
    } catch (refusal) {
      if (this.id === id && refusal.status === 404) this.close();
      return;
    }
    if (this.id !== id) return;
    if (this.built !== answer.mayChange) this.build(answer.mayChange);
    this.paint(answer.person);
    this.element.hidden = false;
    if (focus) this.name.focus();
  }

  build(mayChange) {
    this.built = mayChange;
    this.name = h('h2', { id: 'person-name', tabindex: -1 });
    this.subtitle = h('p', { class: 'subtitle' });
    this.face = h('div', { class: 'big-face' });
    this.state = h('div', { class: 'big-state' });
    this.facts = h('dl', { class: 'facts' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.sessions = h('ul', { class: 'sessions' });
    this.strip = h('div', { class: 'strip', 'aria-hidden': 'true' });
    this.timeline = h('ol', { class: 'timeline' });
    this.element.replaceChildren(
      h('div', { class: 'detail-head' },
        this.face,
        h('div', { class: 'detail-name' }, this.name, this.subtitle),
        h('button', { type: 'button', class: 'quiet close', 'aria-label': 'Close details', title: 'Close (Esc)', onclick: () => this.close() }, closeIcon())),
      h('div', { class: 'detail-body' },
        this.state, this.facts,
        ...(mayChange ? [this.problem, this.preferred(), this.message(), this.place(), this.session(),
          h('section', { 'aria-labelledby': 'history-title' }, h('h3', { id: 'history-title' }, 'History'), this.strip, this.timeline)] : [])),
    );
  }

  // --- what is shown -----------------------------------------------------------------------------------------------

  paint(person) {
    const { row } = person;
    setText(this.name, nameOf(row));
    setText(this.subtitle, [row.jobTitle, row.displayName && row.userPrincipalName].filter(Boolean).join(' · '));
    this.face.replaceChildren(avatar(row));
    this.state.replaceChildren(
      icon(iconOf(row)),
      h('strong', {}, words(row.availability, row.activity)),
      h('span', { class: 'since', title: `since ${exactly(row.since)}` }, `since ${instant(row.since)}`),
    );
    this.state.dataset.kind = kindOf(row);
    const facts = [];
    const fact = (name, ...what) => facts.push(h('div', {}, h('dt', {}, name), h('dd', {}, ...what)));
    const message = person.statusMessage?.content ?? row.message;
    if (message) fact('Message', h('span', { class: 'quoted' }, message), ' ', till(person.statusMessage?.expiresAt));
    if (row.isOutOfOffice) fact('Out of office', person.outOfOfficeMessage || 'Yes');
    if (row.workLocation) fact('Works', PLACE_WORDS[row.workLocation] ?? row.workLocation, person.workLocationSource && person.workLocationSource !== 'none' ? note(person.workLocationSource) : null);
    if (person.preferred) {
      fact('Preferred', words(person.preferred.availability, person.preferred.activity), till(person.preferred.expiresAt),
        person.preferred.shows ? null : note('hidden while no session lives'));
    }
    if (person.nextChange) {
      const { at, availability, activity } = person.nextChange;
      const same = availability === row.availability && activity === row.activity;
      fact('Next change', time(at), note(`in ${length(at - now())}`), ` ${same ? 'something else than the state' : words(availability, activity)}`);
    } else if (person.sessions) fact('Next change', note('none by itself'));
    this.facts.replaceChildren(...facts);
    if (!person.sessions) return;
    this.paintSessions(person.sessions);
    this.clearPreferred.hidden = !person.preferred;
    this.clearMessage.hidden = !person.statusMessage;
    for (const button of this.preferredButtons) {
      button.setAttribute('aria-pressed', String(person.preferred?.availability === button.dataset.availability));
    }
    if (document.activeElement !== this.placeSelect) {
      this.placeSelect.value = person.workLocationSource === 'manual' ? row.workLocation ?? '' : '';
    }
    this.paintHistory(person.history);
  }

  paintSessions(sessions) {
    const focused = this.sessions.contains(document.activeElement) ? document.activeElement.dataset.session : null;
    this.sessions.replaceChildren(...sessions.map((one) => h('li', {},
      icon(iconOf({ availability: one.shownAvailability, activity: one.shownActivity })),
      h('span', { class: 'session-what' },
        h('span', { class: 'session-id' }, one.id === OWN_SESSION ? 'this board' : one.id),
        h('span', { class: 'note' }, [
          words(one.shownAvailability, one.shownActivity),
          one.shownActivity !== one.activity && `set as ${words(one.availability, one.activity)}`,
          `set ${ago(one.setAt)}${now() - one.setAt < 60 ? '' : ' ago'}`,
          one.expiresAt === null ? 'stays' : `ends in ${length(one.expiresAt - now())}`,
        ].filter(Boolean).join(' · '))),
      h('button', { type: 'button', class: 'small', 'data-session': one.id, 'aria-label': `End session ${one.id}`,
        onclick: () => this.act('clearPresence', { sessionId: one.id }, 'Session ended') }, 'End'))));
    if (sessions.length === 0) this.sessions.append(h('li', { class: 'empty' }, 'No session: the person is offline.'));
    if (focused !== null) [...this.sessions.querySelectorAll('button')].find((button) => button.dataset.session === focused)?.focus();
  }

  paintHistory(steps) {
    const items = steps.map((step, index) => {
      const until = index === 0 ? now() : steps[index - 1].at;
      return h('li', {},
        icon(iconOf(step)),
        time(step.at),
        h('span', { class: 'step' }, words(step.availability, step.activity), step.message ? h('span', { class: 'note' }, ` “${step.message}”`) : null),
        h('span', { class: 'note' }, index === 0 ? 'now' : length(until - step.at)));
    });
    this.timeline.replaceChildren(...(items.length ? items : [h('li', { class: 'empty' }, 'Nothing is remembered yet.')]));
    this.strip.replaceChildren(...(steps.length ? [strip(steps)] : []));
  }

  // --- what can be done --------------------------------------------------------------------------------------------

  preferred() {
    const lives = select(PREFERRED_LIVES);
    this.preferredButtons = PREFERRED.map(([availability, activity, label, shape]) => h('button', {
      type: 'button', class: 'choice', 'data-availability': availability, 'aria-pressed': 'false',
      onclick: () => this.act('setUserPreferredPresence', { availability, activity, ...(lives.value && { expirationDuration: lives.value }) }, `Preferred state: ${label}`),
    }, icon(shape), label));
    this.clearPreferred = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.act('clearUserPreferredPresence', {}, 'Preferred state cleared') }, 'Clear');
    return section('preferred', 'Preferred state', 'What the person chose. It shows while any session lives.', [labelled('for', lives), this.clearPreferred],
      h('div', { class: 'choices' }, this.preferredButtons));
  }

  session() {
    const lives = select(SESSION_LIVES);
    const buttons = SESSION.map(([availability, activity, label, shape]) => h('button', {
      type: 'button', class: 'choice',
      onclick: () => this.act('setPresence', { sessionId: OWN_SESSION, availability, activity, expirationDuration: lives.value }, `Session set: ${label}`),
    }, icon(shape), label));
    return section('session', 'Sessions', 'What applications say of the person. The strongest shows.', [labelled('for', lives)], this.sessions, h('div', { class: 'choices' }, buttons));
  }

  message() {
    const text = h('input', { type: 'text', maxlength: 280, 'aria-label': 'Status message', placeholder: 'Say something', autocomplete: 'off' });
    const lives = select(MESSAGE_LIVES);
    const form = h('form', { class: 'line', onsubmit: async (event) => {
      event.preventDefault();
      if (!text.value.trim()) return void text.focus();
      const expiry = lives.value && { expiryDateTime: { dateTime: new Date((now() + Number(lives.value)) * 1000).toISOString().slice(0, -1), timeZone: 'UTC' } };
      const done = await this.act('setStatusMessage', { statusMessage: { message: { content: text.value, contentType: 'text' }, ...expiry } }, 'Message set');
      if (done) text.value = '';
    } }, text, h('button', { type: 'submit', class: 'primary' }, 'Set'));
    this.clearMessage = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => this.act('setStatusMessage', { statusMessage: null }, 'Message cleared') }, 'Clear');
    return section('message', 'Status message', null, [labelled('for', lives), this.clearMessage], form);
  }

  place() {
    this.placeSelect = select(PLACES);
    this.placeSelect.setAttribute('aria-label', 'Work location today');
    this.placeSelect.addEventListener('change', () => {
      const type = this.placeSelect.value;
      if (type) this.act('setManualLocation', { workLocationType: type }, 'Work location set');
      else this.act('clearLocation', {}, 'Work location cleared');
    });
    return section('place', 'Work location today', null, [this.placeSelect]);
  }

  async act(action, body, done) {
    const { id, tenant } = this;
    setText(this.problem, '');
    try {
      await ask(`/board/people/${id}/${action}?${new URLSearchParams({ tenant })}`, { method: 'POST', body });
    } catch (refusal) {
      if (this.id === id) setText(this.problem, refusal.message);
      return false;
    }
    announce(done);
    await this.refresh();
    return true;
  }
}

function section(name, title, hint, tools, ...content) {
  return h('section', { class: `do do-${name}`, 'aria-labelledby': `${name}-title` },
    h('div', { class: 'do-head' }, h('h3', { id: `${name}-title` }, title), h('span', { class: 'tools' }, tools)),
    hint ? h('p', { class: 'note' }, hint) : null, ...content.filter(Boolean));
}

function select(options) {
  return h('select', {}, options.map(([value, label]) => h('option', { value }, label)));
}

function labelled(label, control) {
  return h('label', { class: 'labelled' }, h('span', {}, label), control);
}

function note(text) {
  return h('span', { class: 'note' }, ` ${text}`);
}

function time(at) {
  return h('time', { datetime: iso(at), title: exactly(at) }, instant(at));
}

function till(at) {
  return at ? note(`until ${instant(at)}`) : null;
}

function closeIcon() {
  return svg('svg', { viewBox: '0 0 16 16', class: 'glyph', 'aria-hidden': 'true' }, svg('path', { d: 'M3.5 3.5l9 9M12.5 3.5l-9 9' }));
}

/** The last day as a bar: how long each state was held. */
function strip(steps) {
  const end = now();
  const begin = Math.max(end - 86400, Math.min(steps[steps.length - 1].at, end - 60));
  const bars = steps.map((step, index) => {
    const [from, to] = [Math.max(step.at, begin), index === 0 ? end : steps[index - 1].at];
    const x = ((from - begin) / (end - begin)) * 1000;
    const width = ((to - from) / (end - begin)) * 1000;
    return width > 0 ? svg('rect', { class: `bar-${kindOf(step)}`, x: x.toFixed(1), width: Math.max(width, 1.5).toFixed(1), y: 0, height: 10 }) : null;
  });
  return h('div', {}, svg('svg', { viewBox: '0 0 1000 10', preserveAspectRatio: 'none' }, bars.reverse()),
    h('div', { class: 'strip-ends' }, h('span', {}, instant(begin)), h('span', {}, 'now')));
}
