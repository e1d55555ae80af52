// Presence as people know it from Teams: a shape and a colour for each state, so that either is enough.

import { h, svg } from './dom.js';

/** The groups of the list, in their order. */
export const KINDS = [
  { key: 'available', label: 'Available' },
  { key: 'busy', label: 'Busy' },
  { key: 'dnd', label: 'Do not disturb' },
  { key: 'brb', label: 'Be right back' },
  { key: 'away', label: 'Away' },
  { key: 'ooo', label: 'Out of office' },
  { key: 'offline', label: 'Offline' },
  { key: 'unknown', label: 'Unknown' },
];
export const LABELS = Object.fromEntries(KINDS.map(({ key, label }) => [key, label]));

const OF_AVAILABILITY = {
  Available: 'available',
  AvailableIdle: 'available',
  Busy: 'busy',
  BusyIdle: 'busy',
  DoNotDisturb: 'dnd',
  BeRightBack: 'brb',
  Away: 'away',
  Offline: 'offline',
};

/** Which group a person is in. Out of office is a group of its own for those who are not busy. */
export function kindOf(row) {
  const kind = OF_AVAILABILITY[row.availability] ?? 'unknown';
  return row.isOutOfOffice && kind !== 'busy' && kind !== 'dnd' ? 'ooo' : kind;
}

/** Which icon a person has. */
export function iconOf(row) {
  const kind = kindOf(row);
  if (row.activity === 'AvailableInactive' && kind === 'available') return 'idle';
  return row.isOutOfOffice && (kind === 'busy' || kind === 'dnd') ? `${kind}-ooo` : kind;
}

const ACTIVITIES = {
  AvailableInactive: 'Inactive',
  InACall: 'In a call',
  InAConferenceCall: 'In a conference call',
  InAMeeting: 'In a meeting',
  OffWork: 'Off work',
  OutOfOffice: 'Out of office',
  UrgentInterruptionsOnly: 'Urgent interruptions only',
  DoNotDisturb: 'Do not disturb',
  BeRightBack: 'Be right back',
  PresenceUnknown: 'Unknown',
};

/** A state in words: "Busy, in a call". */
export function words(availability, activity) {
  const kind = LABELS[OF_AVAILABILITY[availability]] ?? 'Unknown';
  const doing = ACTIVITIES[activity] ?? activity;
  return doing === kind || activity === availability ? kind : `${kind}, ${doing[0].toLowerCase()}${doing.slice(1)}`;
}

const CHECK = 'M4.6 8.3 7 10.7l4.5-5';
const HANDS = 'M8 4.2v4.1l2.7 1.7';
const CROSS = 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8';
const ARROW = 'M11 8H5.2M7.6 5.4 5 8l2.6 2.6';
const MINUS = 'M4.7 8h6.6';
const QUESTION = 'M6.3 6.2a1.75 1.75 0 1 1 2.5 1.9c-.5.25-.8.5-.8 1.1M8 11.3v.1';
const SHAPES = {
  available: [true, CHECK],
  idle: [false, CHECK],
  busy: [true, null],
  'busy-ooo': [false, null],
  dnd: [true, MINUS],
  'dnd-ooo': [false, MINUS],
  brb: [true, HANDS],
  away: [true, HANDS],
  ooo: [false, ARROW],
  offline: [false, CROSS],
  unknown: [false, QUESTION],
};

/** The icon of a state. It is never the only thing that says it, so readers need not hear of it. */
export function icon(name) {
  const [filled, path] = SHAPES[name] ?? SHAPES.unknown;
  return svg(
    'svg',
    { class: `icon icon-${name} ${filled ? 'filled' : 'ring'}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('circle', { cx: 8, cy: 8, r: filled ? 8 : 6.9 }),
    path && svg('path', { d: path }),
  );
}

/** A person's initials on a colour of their own, with the icon of their state. */
export function avatar(row) {
  const element = h('span', { class: 'avatar', 'aria-hidden': 'true' }, h('span', { class: 'initials' }));
  paintAvatar(element, row);
  return element;
}

/** Have an avatar show this row. */
export function paintAvatar(element, row) {
  const name = iconOf(row);
  element.firstChild.textContent = initials(row);
  element.firstChild.dataset.hue = hue(row.id);
  if (element.dataset.icon !== name) {
    element.dataset.icon = name;
    element.querySelector('svg')?.remove();
    element.append(icon(name));
  }
}

/** What a person is called. */
export function nameOf(row) {
  return row.displayName || row.userPrincipalName || row.id;
}

function initials(row) {
  const parts = nameOf(row).split('@')[0].split(/[\s._-]+/u).filter((part) => /^[\p{L}\p{N}]/u.test(part));
  const chosen = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : parts.slice(0, 1);
  return chosen.map((part) => [...part][0].toLocaleUpperCase()).join('') || '?';
}

function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return sum % 8;
}
