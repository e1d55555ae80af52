// The people of the tenant: what is known of each, and which of them are shown, in which order and groups.

import { KINDS, LABELS, iconOf, kindOf, nameOf, words } from './presence.js';

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });

/** Letters without case and accents, so that "jose" finds José. */
export function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

export class People {
  constructor() {
    this.rows = new Map();
    this.query = '';
    this.kinds = new Set();
    this.grouped = true;
    this.folded = new Set();
    this.total = 0;
    this.sorted = null;
  }

  /** Forget everybody. */
  clear() {
    this.rows.clear();
    this.sorted = null;
  }

  /** The server counts its events from the beginning again: whatever it says next is newer. */
  forgetStamps() {
    for (const row of this.rows.values()) row.stamp = -1;
  }

  /** Take in rows that are as of `stamp`. */
  take(rows, stamp) {
    for (const row of rows) {
      const known = this.rows.get(row.id);
      if (known !== undefined && known.stamp > stamp) continue;
      row.stamp = stamp;
      row.name = nameOf(row);
      row.kind = kindOf(row);
      row.icon = iconOf(row);
      row.words = words(row.availability, row.activity);
      row.text = plain([row.name, row.userPrincipalName, row.jobTitle, row.message, row.words].filter(Boolean).join(' '));
      if (known === undefined || known.name !== row.name) this.sorted = null;
      this.rows.set(row.id, row);
    }
  }

  /** Forget people. */
  drop(ids) {
    for (const id of ids) if (this.rows.delete(id)) this.sorted = null;
  }

  /** Forget whoever is not among these ids and was not heard of since `stamp`. */
  keep(ids, stamp) {
    this.drop([...this.rows.values()].filter((row) => !ids.has(row.id) && row.stamp <= stamp).map((row) => row.id));
  }

  /** How many of those the search finds are in each group. */
  counts() {
    const counts = Object.fromEntries(KINDS.map(({ key }) => [key, 0]));
    for (const row of this.found()) counts[row.kind] += 1;
    return counts;
  }

  /** Those the search finds, by name. */
  found() {
    if (this.sorted === null) {
      this.sorted = [...this.rows.keys()].sort((one, other) => {
        const [left, right] = [this.rows.get(one), this.rows.get(other)];
        return collator.compare(left.name, right.name) || (one < other ? -1 : 1);
      });
    }
    const wanted = plain(this.query).split(/\s+/u).filter(Boolean);
    const rows = this.sorted.map((id) => this.rows.get(id));
    return wanted.length === 0 ? rows : rows.filter((row) => wanted.every((word) => row.text.includes(word)));
  }

  /** What the list shows: people, and headings of their groups. */
  items() {
    const found = this.found().filter((row) => this.kinds.size === 0 || this.kinds.has(row.kind));
    if (!this.grouped) return found.map((row) => ({ key: row.id, row }));
    const groups = new Map(KINDS.map(({ key }) => [key, []]));
    for (const row of found) groups.get(row.kind).push(row);
    const items = [];
    for (const [kind, rows] of groups) {
      if (rows.length === 0) continue;
      const folded = this.folded.has(kind);
      items.push({ key: `group ${kind}`, kind, label: LABELS[kind], count: rows.length, folded });
      if (!folded) for (const row of rows) items.push({ key: row.id, row });
    }
    return items;
  }
}
