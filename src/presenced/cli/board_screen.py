"""Board screen: what ``presenced board`` draws, and the keys it obeys.

Only the rows that fit the terminal are made, however many people there are. It is drawn when there is news, five times
a second at most, and once a second for the times that pass.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import termios
import tty
from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from presenced.cli.board_people import Row, one_line
from presenced.cli.board_source import Source
from presenced.cli.state_look import KINDS, mark, state_text
from presenced.cli.terminal import in_words, instant, printable

_PAUSE = 0.2
_PASSING = 1.0
_AROUND = 4
"""Lines that are not people: two above the table, its header, one below."""

_WIDE = 100
_NARROW = 56

_KEY = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)
_MOVES = {
    b"\x1b[A": -1, b"\x1bOA": -1, b"k": -1,
    b"\x1b[B": 1, b"\x1bOB": 1, b"j": 1,
}  # fmt: skip
_PAGES = {b"\x1b[5~": -1, b"b": -1, b"\x1b[6~": 1, b" ": 1}
_ENDS = {b"\x1b[H": 0, b"\x1bOH": 0, b"\x1b[1~": 0, b"g": 0, b"\x1b[F": -1, b"\x1bOF": -1, b"\x1b[4~": -1, b"G": -1}


class Screen:
    """A live table of a source's people on a console that is a terminal."""

    def __init__(self, source: Source, console: Console, asked: str) -> None:
        self._source = source
        self._console = console
        self._asked = asked
        self._first = 0
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()

    async def until_stopped(self) -> None:
        """Draw until q, Ctrl-C, or a signal. Raises Impossible."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopped.set)
        loop.add_signal_handler(signal.SIGWINCH, self._changed.set)
        following = asyncio.create_task(self._source.follow(self._changed))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            # the first news before the screen is taken, so that what is wrong from the start is said on an ordinary one
            await self._news(following, stopped, None)
            if not stopped.done():
                with self._keys(), Live(console=self._console, screen=True, auto_refresh=False) as live:
                    while not (following.done() or stopped.done()):
                        self._changed.clear()
                        live.update(self.drawn(), refresh=True)
                        await self._news(following, stopped, _PASSING)
                        await asyncio.wait([following, stopped], timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            for task in (following, stopped):
                task.cancel()
            await asyncio.gather(following, stopped, return_exceptions=True)

    async def _news(self, following: "asyncio.Task[None]", stopped: "asyncio.Task[bool]", most: float | None) -> None:
        """Wait for a change or an end, ``most`` seconds at most."""
        changed = asyncio.create_task(self._changed.wait())
        await asyncio.wait([changed, following, stopped], timeout=most, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()

    def drawn(self) -> Group:
        """Everything that is on the screen, as many lines as the terminal has."""
        width, height = self._console.size
        rows = self._source.people.shown()
        fit = max(height - _AROUND, 1)
        self._first = max(min(self._first, len(rows) - fit), 0)
        seen = rows[self._first : self._first + fit]
        blank = [Text("")] * (fit - len(seen))
        return Group(self._title(len(rows)), self._counts(), self._table(seen, width), *blank, self._foot(rows, seen))

    def _title(self, shown: int) -> Text:
        line = Text("presence board", "bold", no_wrap=True, overflow="ellipsis")
        line.append(f"  {printable(self._source.title)}  {shown:,} people", "not bold")
        if self._asked:
            line.append(f"  ({printable(self._asked)})", "not bold")
        return line

    def _counts(self) -> Text:
        line, counts = Text(no_wrap=True, overflow="ellipsis"), self._source.people.counts()
        for key, kind in KINDS.items():
            if counts[key]:
                line.append(f"{mark(kind, self._console)} {kind.label} {counts[key]:,}   ", kind.style)
        return line

    def _table(self, rows: list[Row], width: int) -> Table:
        table = Table(box=None, expand=True, header_style="bold", padding=(0, 1, 0, 0))
        cut = {"no_wrap": True, "overflow": "ellipsis"}
        table.add_column("state", ratio=3, **cut)  # type: ignore[arg-type]
        table.add_column("name", ratio=3, **cut)  # type: ignore[arg-type]
        if width >= _NARROW:
            table.add_column("message", ratio=4, **cut)  # type: ignore[arg-type]
        if width >= _WIDE:
            table.add_column("location", width=8, **cut)  # type: ignore[arg-type]
        if width >= _NARROW:
            table.add_column("since", width=12, justify="right", no_wrap=True)
        now = self._source.now()
        for row in rows:
            since = "" if row.since is None else in_words(now - row.since)
            cells = [*cells_of(row, self._console, width), Text(since)]
            if width < _WIDE:
                del cells[3]
            table.add_row(*cells[: len(table.columns)])
        return table

    def _foot(self, rows: list[Row], seen: list[Row]) -> Text:
        if self._source.problem:
            return Text(printable(self._source.problem, 1000), "bold red", no_wrap=True, overflow="ellipsis")
        where = f"{self._first + 1:,} to {self._first + len(seen):,} of {len(rows):,}" if rows else "nobody"
        arrows = "arrows" if self._console.options.ascii_only else "↑ ↓"
        return Text(f"{where}   {arrows} PgUp PgDn Home End   q ends", "dim", no_wrap=True, overflow="ellipsis")

    @contextlib.contextmanager
    def _keys(self) -> Iterator[None]:
        """Obey keys, if there is a keyboard, until the end of the block."""
        if not sys.stdin.isatty():
            yield
            return
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
        loop = asyncio.get_running_loop()
        try:
            tty.setcbreak(keyboard)
            loop.add_reader(keyboard, self._read_keys, keyboard)
            yield
        finally:
            loop.remove_reader(keyboard)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)

    def _read_keys(self, keyboard: int) -> None:
        try:
            pressed = os.read(keyboard, 1024)
        except OSError:
            pressed = b""
        if not pressed:  # the terminal is gone
            self._stopped.set()
        page = max(self._console.size.height - _AROUND, 1)
        for key in _KEY.findall(pressed):
            if key in (b"q", b"Q", b"\x03", b"\x04"):
                self._stopped.set()
            elif key in _ENDS:
                self._first = 0 if _ENDS[key] == 0 else sys.maxsize
            else:
                self._first = max(self._first + _MOVES.get(key, 0) + page * _PAGES.get(key, 0), 0)
        self._changed.set()


def cells_of(row: Row, console: Console, width: int) -> list[Text]:
    """State, name, message and location."""
    return [
        state_text(printable(row.availability, width), printable(row.activity, width), row.is_out_of_office, console),
        Text(one_line(row.name, width)),
        Text(one_line(row.message, width)),
        Text(one_line(row.work_location, width)),
    ]


def print_once(source: Source, console: Console) -> None:
    """The whole table, for a file or another program."""
    table = Table("state", "name", "message", "location", "since", box=None, header_style="bold")
    rows = source.people.shown()
    for row in rows:
        table.add_row(*cells_of(row, console, 200), "" if row.since is None else instant(row.since))
    console.print(table)
    console.print(f"{len(rows)} people", highlight=False)
