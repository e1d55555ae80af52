"""Content lines: an iCalendar stream taken apart into its components and lines, each with its number in the file.

Sources: RFC 5545, sections 3.1 (content lines and their folding) and 3.4 to 3.6 (components). Only components and
properties that bear on presence are kept, so that nonsense in a description or an alarm does no harm.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from icalendar.parser import Contentline

MOST_BYTES = 10_000_000
"""The longest file that is read."""

_LONGEST_QUOTE = 60

_KEPT = {
    "VCALENDAR": {"CALSCALE", "X-WR-TIMEZONE"},
    "VEVENT": {
        "ATTENDEE",
        "DTEND",
        "DTSTART",
        "DURATION",
        "EXDATE",
        "ORGANIZER",
        "RDATE",
        "RECURRENCE-ID",
        "RRULE",
        "SEQUENCE",
        "STATUS",
        "TRANSP",
        "UID",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    },
    "VTIMEZONE": {"TZID", "X-LIC-LOCATION"},
    "STANDARD": {"DTSTART", "RDATE", "RRULE", "TZOFFSETFROM", "TZOFFSETTO"},
    "DAYLIGHT": {"DTSTART", "RDATE", "RRULE", "TZOFFSETFROM", "TZOFFSETTO"},
}
_INSIDE = {"VCALENDAR": {"VEVENT", "VTIMEZONE"}, "VTIMEZONE": {"STANDARD", "DAYLIGHT"}}


class NotACalendar(Exception):
    """What was given is no calendar that can be read. The message says what is wrong, and on which line."""


class Line(NamedTuple):
    """One unfolded line: its number in the file, the name of its property in upper case, and all of it."""

    number: int
    name: str
    text: str

    def property(self) -> "Property":
        """The line taken apart. Raises NotACalendar."""
        try:
            _, parameters, value = Contentline(self.text).parts()  # type: ignore[no-untyped-call]
        except ValueError:
            raise wrong(self.number, f"this is no property of a calendar: {quoted(self.text)}") from None
        return Property(
            self.number,
            self.name,
            # a parameter with several values is a list; none of those read here may have more than one
            {name.upper(): text if isinstance(text, str) else str(text[0]) for name, text in parameters.items()},
            value.strip(),
        )


class Property(NamedTuple):
    """A property's value and its parameters, by their names in upper case."""

    number: int
    name: str
    parameters: dict[str, str]
    value: str


class Component:
    """A component: ``number`` is the line on which it begins."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.lines: list[Line] = []
        self.components: list[Component] = []

    def all(self, name: str) -> Iterator[Property]:
        """Its properties of this name. Raises NotACalendar."""
        return (line.property() for line in self.lines if line.name == name)

    def first(self, name: str) -> Property | None:
        """Its first property of this name. Raises NotACalendar."""
        return next(self.all(name), None)

    def only(self, name: str) -> Property | None:
        """Its one property of this name. Raises NotACalendar if there are more."""
        lines = [line for line in self.lines if line.name == name]
        if len(lines) > 1:
            raise wrong(lines[1].number, f"a second {name} in the {self.name} that begins on line {self.number}")
        return lines[0].property() if lines else None

    def text(self, name: str) -> str:
        """The first property of this name in upper case, or nothing."""
        found = self.first(name)
        return found.value.upper() if found is not None else ""


def wrong(number: int, what: str) -> NotACalendar:
    """The error for something on a line."""
    return NotACalendar(f"line {number}: {what}")


def shortened(text: str) -> str:
    """Text out of a file for a message: short, and without what a terminal would obey."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[: _LONGEST_QUOTE + 1])
    return plain[:_LONGEST_QUOTE] + "..." if len(plain) > _LONGEST_QUOTE else plain


def quoted(text: str) -> str:
    """Such text in quotes."""
    return repr(shortened(text))


def read_components(content: bytes) -> list[Component]:
    """The calendars (VCALENDAR) in a stream. Raises NotACalendar."""
    if len(content) > MOST_BYTES:
        raise NotACalendar(f"This is larger than {MOST_BYTES // 1_000_000} MB.")
    content = content.removeprefix(b"\xef\xbb\xbf")
    start = content.lstrip()[:1000]
    if not start[:15].upper() == b"BEGIN:VCALENDAR":
        raise NotACalendar(_what_it_is(start))
    reading = _Reading()
    for number, line in _unfolded(content.splitlines()):
        reading.line(number, line)
    if reading.open:
        last = reading.open[-1]
        raise NotACalendar(f"It ends inside the {quoted(last.name)} that begins on line {last.number}. Is it cut off?")
    return reading.calendars


class _Reading:
    """The calendars so far, and the components that have begun and not ended, the innermost last."""

    def __init__(self) -> None:
        self.calendars: list[Component] = []
        self.open: list[Component] = []

    def line(self, number: int, line: bytes) -> None:
        """Take in the next line. Raises NotACalendar for an END that ends nothing."""
        name = line[: _name_length(line)].strip().upper().decode("ascii", "replace")
        if name == "BEGIN":
            self._begin(Component(_value(line), number))
        elif name == "END":
            self._end(_value(line), number)
        elif self.open and name in _KEPT.get(self.open[-1].name, ()):
            self.open[-1].lines.append(Line(number, name, line.decode("utf-8", "replace")))

    def _begin(self, component: Component) -> None:
        if not self.open and component.name == "VCALENDAR":
            self.calendars.append(component)
        elif self.open and component.name in _INSIDE.get(self.open[-1].name, ()):
            self.open[-1].components.append(component)
        self.open.append(component)

    def _end(self, name: str, number: int) -> None:
        if not self.open:
            raise wrong(number, f"an END of {quoted(name)}, which has not begun")
        ended = self.open.pop()
        if ended.name != name:
            raise wrong(
                number, f"an END of {quoted(name)} inside the {quoted(ended.name)} that begins on line {ended.number}"
            )


def _unfolded(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    number, parts = 0, [b""]
    for at, line in enumerate(lines, 1):
        if line[:1] in (b" ", b"\t"):
            parts.append(line[1:])
        elif line:
            yield number, b"".join(parts)
            number, parts = at, [line]
    yield number, b"".join(parts)


def _name_length(line: bytes) -> int:
    ends = [at for at in (line.find(b":"), line.find(b";")) if at >= 0]
    return min(ends, default=len(line))


def _value(line: bytes) -> str:
    return line.partition(b":")[2].strip().upper().decode("utf-8", "replace")


def _what_it_is(start: bytes) -> str:
    if not start:
        return "This is empty."
    if start.startswith(b"<"):
        return "This is a web page, not a calendar. Does the calendar's address need a sign-in?"
    if start.startswith((b"{", b"[")):
        return "This is JSON, not an iCalendar file."
    return "This is not an iCalendar file: it does not begin with BEGIN:VCALENDAR."
