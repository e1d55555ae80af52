// The board: who looks, what they look at, and everything put together.

import { Refusal, ask } from './api.js';
import { announce, h, setText } from './dom.js';
import { List } from './list.js';
import { Live } from './live.js';
import { ClockControl, RequestLog, Subscriptions } from './owner.js';
import { People } from './people.js';
import { Person } from './person.js';
import { KINDS, icon } from './presence.js';
import { hear } from './time.js';

const top = document.getElementById('top');
const main = document.getElementById('main');
const narrow = matchMedia('(max-width: 820px)');
const people = new People();
let who = null;
let tenant = null;
let view = 'people';

// --- people --------------------------------------------------------------------------------------------------------

const person = new Person({ close: () => closePerson() });
const list = new List({ open: openPerson, fold: foldGroup });
const search = h('input', {
  type: 'search', id: 'search', placeholder: 'Search people', 'aria-label': 'Search people by name, title, state or message', autocomplete: 'off', spellcheck: 'false',
  oninput: () => { people.query = search.value; list.element.scrollTop = 0; update(true); },
});
const grouping = h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'true', onclick: () => {
  people.grouped = !people.grouped;
  grouping.setAttribute('aria-pressed', String(people.grouped));
  list.element.scrollTop = 0;
  update();
} }, 'Group by state');
const everybody = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'true', onclick: () => { people.kinds.clear(); update(true); } }, 'All ', h('span', { class: 'count' }, '0'));
const chips = new Map(KINDS.map(({ key, label }) => [key, h('button', {
  type: 'button', class: 'chip', 'aria-pressed': 'false', 'data-kind': key, onclick: () => {
    if (!people.kinds.delete(key)) people.kinds.add(key);
    list.element.scrollTop = 0;
    update(true);
  },
}, icon(key), h('span', { class: 'chip-label' }, label), ' ', h('span', { class: 'count' }, '0'))]));
const nothing = h('p', { class: 'nothing', hidden: true });
const progress = h('p', { class: 'nothing' }, 'Loading…');
const board = h('div', { class: 'board' },
  h('section', { class: 'people', 'aria-label': 'Board' },
    h('div', { class: 'tools-line' }, h('div', { role: 'search', class: 'search' }, search), grouping),
    h('div', { class: 'chips', role: 'group', 'aria-label': 'Show only these states' }, everybody, [...chips.values()]),
    progress, nothing, list.element),
  person.element);

let pending = 0;
let lastCount = '';

/** Bring the list up to date, not more than once in a frame; `say` how many are found, when a person asked for it. */
function update(say = false) {
  if (say) {
    clearTimeout(update.saying);
    update.saying = setTimeout(() => announce(lastCount), 600);
  }
  pending ||= requestAnimationFrame(paint);
}

function paint() {
  cancelAnimationFrame(pending);
  pending = 0;
  const counts = people.counts();
  let all = 0;
  let shown = 0;
  for (const [key, chip] of chips) {
    all += counts[key];
    const chosen = people.kinds.has(key);
    if (chosen) shown += counts[key];
    setText(chip.querySelector('.count'), counts[key].toLocaleString());
    chip.setAttribute('aria-pressed', String(chosen));
    chip.hidden = counts[key] === 0 && !chosen && (key === 'unknown' || key === 'ooo');
  }
  setText(everybody.querySelector('.count'), all.toLocaleString());
  everybody.setAttribute('aria-pressed', String(people.kinds.size === 0));
  const found = people.kinds.size ? shown : all;
  lastCount = found === 1 ? '1 person' : `${found} people`;
  const items = people.items();
  nothing.hidden = items.length > 0 || !progress.hidden;
  setText(nothing, people.rows.size ? 'Nobody matches.' : 'There is nobody in this tenant yet.');
  list.show(items);
}

function openPerson(id) {
  list.mark(id);
  person.open(id, tenant).then(() => covered());
}

function closePerson() {
  const id = person.id;
  person.hide();
  covered();
  list.mark(null);
  if (id !== null) list.focus(id);
}

/** On a phone details cover everything else, which must not be reached then. */
function covered() {
  const covering = narrow.matches && person.id !== null && view === 'people';
  for (const element of [top, board.firstChild]) element.inert = covering;
}

function foldGroup(kind) {
  if (!people.folded.delete(kind)) people.folded.add(kind);
  update();
}

let loading = false;
let loadAgain = false;

/** Load everybody of the tenant, a page at a time; what was known stays until then. */
async function load() {
  if (loading) {
    loadAgain = true;
    return;
  }
  loading = true;
  const of = tenant;
  try {
    do {
      loadAgain = false;
      const seen = new Set();
      let [after, first] = ['', null];
      do {
        const page = await ask(`/board/people?${new URLSearchParams({ tenant: of, after })}`);
        if (of !== tenant) break;
        first ??= page.stamp;
        hear(page.now);
        people.take(page.people, page.stamp);
        for (const row of page.people) seen.add(row.id);
        progress.hidden = true;
        update();
        after = page.next;
      } while (after !== null);
      if (of === tenant) people.keep(seen, first);
      update();
    } while (loadAgain && of === tenant);
  } catch (refusal) {
    if (refusal.status === 401) signedOut();
  } finally {
    loading = false;
    if (of !== tenant && tenant !== null) load();
  }
}

// --- the stream ------------------------------------------------------------------------------------------------------

const connection = h('span', { class: 'connection', role: 'status' });
const live = new Live({
  hello: (said) => { hear(said.now, said.frozen); people.forgetStamps(); load(); person.later(); },
  people: (said) => {
    hear(said.now);
    people.take(said.people, said.stamp);
    people.drop(said.gone);
    if (person.id !== null && (said.gone.includes(person.id) || said.people.some((row) => row.id === person.id))) person.later();
    update();
  },
  reload: () => { load(); person.later(); },
  tick: (said) => hear(said.now, said.frozen),
  connected: (is) => {
    connection.dataset.state = is ? 'live' : 'lost';
    setText(connection, is ? 'Live' : 'Reconnecting…');
  },
  signedOut,
});
setInterval(() => { if (!document.hidden && view === 'people') list.render(); }, 15000);

// --- views ---------------------------------------------------------------------------------------------------------

const VIEWS = {
  people: { label: 'People', element: board },
  subscriptions: { label: 'Subscriptions', part: new Subscriptions() },
  log: { label: 'Requests', part: new RequestLog() },
  clock: { label: 'Clock', part: new ClockControl({ moved: () => load() }) },
};

function go(name) {
  VIEWS[view].part?.hide();
  view = name;
  const { element, part, label } = VIEWS[name];
  main.replaceChildren(element ?? part.element);
  document.title = name === 'people' ? 'Presence board' : `${label} · Presence board`;
  for (const button of top.querySelectorAll('nav button')) {
    if (button.dataset.view === name) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
  }
  covered();
  part?.show(tenant);
  if (name === 'people') update();
}

function choose(id) {
  tenant = id;
  people.clear();
  person.hide();
  progress.hidden = false;
  update();
  live.start(tenant);
  go(view);
}

function header() {
  const views = ['people', ...(who.role === 'owner' ? ['subscriptions'] : []), ...(who.log ? ['log'] : []), ...(who.clock ? ['clock'] : [])];
  top.replaceChildren(
    h('h1', {}, icon('available'), 'Presence'),
    views.length > 1 ? h('nav', { 'aria-label': 'Views' }, views.map((name) => h('button', { type: 'button', 'data-view': name, onclick: () => go(name) }, VIEWS[name].label))) : h('span', { class: 'spring' }),
    connection,
    who.tenants.length > 1
      ? h('select', { 'aria-label': 'Tenant', onchange: (event) => choose(event.target.value) }, who.tenants.map((one) => h('option', { value: one.id, selected: one.id === tenant }, one.domains[0] ?? one.id)))
      : '',
    h('span', { class: 'me' }, who.role === 'owner' ? 'Owner' : who.name ?? ''),
    h('button', { type: 'button', class: 'quiet', onclick: signOut }, 'Sign out'));
  top.hidden = false;
}

// --- who looks -------------------------------------------------------------------------------------------------------

async function signOut() {
  await ask('/board/session', { method: 'DELETE' }).catch(() => null);
  signedOut();
}

function signedOut(problem = '') {
  live.stop();
  VIEWS[view].part?.hide();
  [who, tenant, view] = [null, null, 'people'];
  people.clear();
  person.hide();
  covered();
  top.hidden = true;
  document.title = 'Presence board';
  const other = h('input', { name: 'tenant', type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'this server’s own', 'aria-label': 'Tenant, by id or domain' });
  main.replaceChildren(h('div', { class: 'welcome' },
    h('h1', {}, icon('available'), 'Presence board'),
    typeof problem === 'string' && problem ? h('p', { class: 'problem', role: 'alert' }, problem) : '',
    h('form', { action: '/board/sign-in', method: 'get' },
      h('p', {}, 'See who is available, and say what you are.'),
      h('button', { type: 'submit', class: 'primary wide' }, 'Sign in'),
      h('details', {}, h('summary', {}, 'Another tenant'), other)),
    h('p', { class: 'note' }, 'The owner of the server gets in by the link that ', h('code', {}, 'presenced serve'), ' printed, or a new one from ', h('code', {}, 'presenced board-link'), '.')));
}

async function begin() {
  const link = /^#link=([\w-]{1,200})$/.exec(location.hash)?.[1];
  let problem = '';
  if (link !== undefined) {
    history.replaceState(null, '', '/'); // before anything else, so that it is in no history
    try {
      await ask('/board/session', { method: 'POST', body: { link } });
    } catch (refusal) {
      problem = refusal.message;
    }
  }
  try {
    who = await ask('/board/session');
  } catch (refusal) {
    if (refusal instanceof Refusal && refusal.status !== 401) {
      setTimeout(begin, 2000);
      main.replaceChildren(h('p', { class: 'nothing' }, 'The server cannot be reached. Trying again…'));
      return;
    }
    signedOut(problem);
    return;
  }
  tenant = who.tenant;
  header();
  choose(tenant);
}

document.addEventListener('keydown', (event) => {
  if (who === null || event.altKey || event.ctrlKey || event.metaKey) return;
  const typing = event.target.matches('input, select, textarea');
  if (event.key === '/' && !typing && view === 'people') {
    event.preventDefault();
    search.focus();
  } else if (event.key === 'Escape' && view === 'people') {
    if (event.target === search && search.value) {
      search.value = people.query = '';
      update(true);
    } else if (person.id !== null) {
      closePerson();
    }
  } else if (event.key === 'ArrowDown' && event.target === search) {
    event.preventDefault();
    if (pending) paint(); // what was typed last counts
    list.focusFirst();
  }
});
narrow.addEventListener('change', covered);
window.addEventListener('hashchange', () => { if (location.hash.startsWith('#link=')) location.reload(); });
begin();
