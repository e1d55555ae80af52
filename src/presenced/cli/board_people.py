"""Board people: everybody that ``presenced board`` knows, and those of them that its filter shows, by name.

The order of all is kept while no name changes, so that a change among 10,000 people costs one pass over them.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from presenced.cli.state_look import kind_of, words
from presenced.cli.terminal import printable


class Row(msgspec.Struct, rename="camel"):
    """A person as the board's own rows have them (web/people.py). ``since`` is seconds, UTC; None: not known."""

    id: str
    availability: str
    activity: str
    since: float | None = None
    display_name: str | None = None
    user_principal_name: str | None = None
    job_title: str | None = None
    message: str | None = None
    is_out_of_office: bool = False
    work_location: str | None = None

    @property
    def name(self) -> str:
        """What to call them."""
        return self.display_name or self.user_principal_name or self.id


class _Known(msgspec.Struct):
    row: Row
    stamp: int
    kind: str
    text: str


class BoardPeople:
    """People by id. Shown are those of ``kinds`` (all if empty) in whom each word of ``search`` is found, and if
    ``only`` is given, those among it."""

    def __init__(self, kinds: Collection[str] = (), search: str = "", only: Collection[str] | None = None) -> None:
        self._kinds = frozenset(kinds)
        self._words = plain(search).split()
        self._only = None if only is None else frozenset(only)
        self._known: dict[str, _Known] = {}
        self._order: list[str] | None = None
        self._shown: list[Row] | None = None
        self._counts: Counter[str] = Counter()

    def take(self, rows: Iterable[Row], stamp: int = 0) -> None:
        """Take in rows, unless what is known of a person is newer than ``stamp``."""
        for row in rows:
            if self._only is not None and row.id not in self._only:
                continue
            known = self._known.get(row.id)
            if known is not None and known.stamp > stamp:
                continue
            if known is None or known.row.name != row.name:
                self._order = None
            said = words(row.availability, row.activity, row.is_out_of_office)
            text = plain(" ".join(filter(None, (row.name, row.user_principal_name, row.job_title, row.message, said))))
            kind = kind_of(row.availability, row.is_out_of_office).key
            self._known[row.id] = _Known(row, stamp, kind, text)
            self._shown = None

    def drop(self, ids: Iterable[str]) -> None:
        """Forget people."""
        for person in ids:
            if self._known.pop(person, None) is not None:
                self._order = self._shown = None

    def keep(self, ids: Collection[str]) -> None:
        """Forget everybody else."""
        self.drop([person for person in self._known if person not in ids])

    def forget_stamps(self) -> None:
        """Whatever is told next is newer: the server counts from the beginning again."""
        for known in self._known.values():
            known.stamp = -1

    def get(self, person: str) -> Row | None:
        """A person's row, shown or not."""
        known = self._known.get(person)
        return None if known is None else known.row

    def shown(self) -> list[Row]:
        """Those whom the filter shows, by name."""
        if self._order is None:
            self._order = sorted(self._known, key=lambda person: (plain(self._known[person].row.name), person))
        if self._shown is None:
            found = [known for known in map(self._known.__getitem__, self._order) if self._finds(known)]
            self._counts = Counter(known.kind for known in found)
            self._shown = [known.row for known in found if not self._kinds or known.kind in self._kinds]
        return self._shown

    def counts(self) -> Counter[str]:
        """How many of those the search finds are in each group, whatever ``kinds`` are shown."""
        self.shown()
        return self._counts

    def _finds(self, known: _Known) -> bool:
        return all(word in known.text for word in self._words)


def plain(text: str) -> str:
    """Letters without case and accents, so that "jose" finds José."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in parts if not unicodedata.combining(letter)).casefold()


def one_line(text: str | None, most: int) -> str:
    """Text for a cell: without line breaks, and without what a terminal would obey."""
    return printable(" ".join((text or "").split()), most)
