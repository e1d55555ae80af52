"""iCalendar file: the events in it that bear on a person's presence.

Sources: RFC 5545; [MS-STANOICAL] and [MS-OXCICAL] for X-MICROSOFT-CDO-BUSYSTATUS; X-WR-TIMEZONE as Google and Apple
write it. How an event shows is Graph's freeBusyStatus: what Outlook says of it, or else what TRANSP, STATUS and the
person's PARTSTAT mean. docs/calendar.md has the table.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Event
from icalendar.parser import Parameters
from icalendar.prop import vDDDLists, vDDDTypes, vDuration, vRecur

from presenced.calendar.content_lines import (
    Component,
    NotACalendar,
    Property,
    quoted,
    read_components,
    shortened,
    wrong,
)
from presenced.calendar.recurrence import TooMuch, Work, check_rule, occurrences
from presenced.calendar.zones import Zones
from presenced.presence.record import CalendarEvent, ShowAs
from presenced.presence.time_zones import find_zone

MOST_EVENTS = 1_000
"""Events that one person's presence may follow at a time."""

_UTC = ZoneInfo("UTC")
_STATUSES: dict[str, ShowAs | None] = {
    "FREE": None,
    "TENTATIVE": "tentative",
    "BUSY": "busy",
    "OOF": "oof",
    "WORKINGELSEWHERE": "workingElsewhere",
}
_ONE_DAY = timedelta(days=1)
_SHOWN = "X-PRESENCED-SHOWN"


class _Shown(NamedTuple):
    """How an event shows; None: not at all."""

    show_as: ShowAs | None
    is_meeting: bool


class _Entry(NamedTuple):
    """A VEVENT that has been read; ``bounds`` are its start and end (seconds since 1970 UTC) if it is just once."""

    number: int
    uid: str
    event: Event
    bounds: tuple[float, float] | None


def read_events(
    text: bytes | str, start: float, end: float, zone: ZoneInfo | None, me: Collection[str]
) -> tuple[CalendarEvent, ...]:
    """The events in an iCalendar stream that touch [start, end), by their start. Instants: seconds since 1970 UTC.

    ``zone`` is where the person is, for times without a zone and whole days (None: the one that the calendar names as
    its own, or UTC). ``me`` are the person's addresses, in any letter case. Raises NotACalendar, and nothing else.
    """
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    addresses = frozenset(address.casefold() for address in me)
    try:
        found: list[CalendarEvent] = []
        work = Work()
        for calendar in read_components(content):
            found += _Reader(calendar, zone, addresses).between(start, end, work)
            if len(found) > MOST_EVENTS:
                days = round((end - start) / 86400)
                raise NotACalendar(f"It has more than {MOST_EVENTS} events in {days} days.")
    except NotACalendar:
        raise
    except Exception as error:  # an input that nobody thought of, somewhere in three libraries
        raise NotACalendar(f"It cannot be read: {quoted(f'{type(error).__name__}: {error}')}") from error
    return tuple(sorted(found, key=lambda event: (event.starts_at, event.ends_at)))


class _Reader:
    """Reads the events of one VCALENDAR."""

    def __init__(self, calendar: Component, zone: ZoneInfo | None, me: frozenset[str]) -> None:
        scale = calendar.text("CALSCALE")
        if scale not in ("", "GREGORIAN"):
            raise wrong(calendar.number, f"its CALSCALE is {quoted(scale)}; only Gregorian calendars are read")
        named = calendar.first("X-WR-TIMEZONE")
        own = find_zone(named.value) if named is not None else None
        self._calendar = calendar
        self._zones = Zones(calendar)
        self._own_zone = own
        self._zone = zone or own or _UTC
        self._me = me

    def between(self, start: float, end: float, work: Work) -> Iterator[CalendarEvent]:
        """The events that touch [start, end). Raises NotACalendar."""
        series: dict[str, list[_Entry]] = {}
        for component in self._calendar.components:
            if component.name == "VEVENT":
                entry = self._entry(component)
                series.setdefault(entry.uid, []).append(entry)
        first, last = (datetime.fromtimestamp(at, self._zone) for at in (start, end))
        for entries in series.values():
            bounds = entries[0].bounds
            if len(entries) == 1 and bounds is not None and not (bounds[0] < end and bounds[1] > start):
                continue  # most of an old calendar: long past, and only once
            yield from self._events(entries, first, last, work)

    def _events(self, entries: list[_Entry], first: datetime, last: datetime, work: Work) -> Iterator[CalendarEvent]:
        taken = 0
        try:
            for occurrence in occurrences([entry.event for entry in entries], first, last, work):
                component = occurrence.as_component(False)
                shown: _Shown = component[_SHOWN]
                starts_at, ends_at = self._instant(occurrence.start), self._instant(occurrence.end)
                if shown.show_as is not None and starts_at < ends_at:
                    yield CalendarEvent(starts_at, ends_at, shown.show_as, shown.is_meeting)
                    taken += 1
                    if taken > MOST_EVENTS:
                        raise TooMuch("it repeats too often")
        except TooMuch as error:
            raise wrong(entries[0].number, f"an event is not taken: {error}") from None
        except Exception as error:  # whatever the library makes of what makes no sense
            raise wrong(entries[0].number, f"an event cannot be read: {quoted(str(error))}") from error

    def _entry(self, component: Component) -> _Entry:
        try:
            return self._read(component)
        except NotACalendar:
            raise
        except TooMuch as error:
            raise wrong(component.number, f"an event is not taken: {error}") from None
        except Exception as error:  # likewise
            raise wrong(component.number, f"an event cannot be read: {quoted(str(error))}") from error

    def _read(self, component: Component) -> _Entry:
        start, end = self._span(component)
        event = Event()
        event["DTSTART"], event["DTEND"] = vDDDTypes(start), vDDDTypes(end)
        event[_SHOWN] = self._shown(component)
        rules = [self._rule(line, start) for line in component.all("RRULE")]
        dates = {name: self._dates(component, name) for name in ("RDATE", "EXDATE")}
        changed = component.only("RECURRENCE-ID")
        sequence = component.text("SEQUENCE")
        uid = component.first("UID")
        # one without a UID is no other's
        series = uid.value if uid is not None else f"line {component.number}"
        event["UID"] = series
        if rules:
            event["RRULE"] = rules
        for name, times in dates.items():
            if times:
                event[name] = vDDDLists(times)
        if changed is not None:
            event["RECURRENCE-ID"] = vDDDTypes(self._time(changed))
            if changed.parameters.get("RANGE", "").upper() == "THISANDFUTURE":
                event["RECURRENCE-ID"].params = Parameters({"RANGE": "THISANDFUTURE"})
        if sequence.isdecimal():
            event["SEQUENCE"] = int(sequence[:9])
        bounds = None if rules or dates["RDATE"] else (self._instant(start), self._instant(end))
        return _Entry(component.number, series, event, bounds)

    # --- when -----------------------------------------------------------------------------------------------------

    def _span(self, component: Component) -> tuple[date, date]:
        """Start and end, both dates or both times; an end that is missing or before the start makes no time at all."""
        begins, ends, lasts = (component.only(name) for name in ("DTSTART", "DTEND", "DURATION"))
        if begins is None:
            raise wrong(component.number, "an event without DTSTART")
        start = self._time(begins)
        if ends is not None:
            end = self._time(ends)
        elif lasts is not None:
            duration = _duration(lasts)
            if duration % _ONE_DAY:
                start = self._moment(start)
            end = start + duration
        else:
            end = start if isinstance(start, datetime) else start + _ONE_DAY
        if isinstance(start, datetime) is not isinstance(end, datetime):
            start, end = self._moment(start), self._moment(end)
        return start, end if self._instant(end) > self._instant(start) else start

    def _time(self, line: Property) -> date:
        """A property's date, or its time in its zone."""
        return self._placed(line, line.value)

    def _placed(self, line: Property, text: str) -> date:
        try:
            when = vDDDTypes.from_ical(text.upper())  # type: ignore[no-untyped-call]
        except Exception:
            when = None
        if isinstance(when, datetime):
            if line.parameters.get("VALUE", "").upper() == "DATE":
                return when.date()
            if when.tzinfo is not None:
                # a meeting that Google's calendar repeats follows the clocks of the calendar's own zone
                return when.astimezone(self._own_zone) if self._own_zone is not None else when
            tzid = line.parameters.get("TZID")
            return when.replace(tzinfo=self._zones.find(tzid, line.number) if tzid else self._zone)
        if isinstance(when, date):
            return when
        raise wrong(line.number, f"{line.name} is no date or time: {quoted(text)}")

    def _dates(self, component: Component, name: str) -> list[date | tuple[date, date | timedelta]]:
        """The dates of all RDATE or EXDATE lines; an RDATE may be a period."""
        found: list[date | tuple[date, date | timedelta]] = []
        for line in component.all(name):
            for text in filter(None, map(str.strip, line.value.split(","))):
                begins, slash, ends = text.partition("/")
                start = self._placed(line, begins)
                if not slash:
                    found.append(start)
                elif ends[:1].upper() in ("P", "+"):
                    found.append((start, _duration(line._replace(value=ends))))
                else:
                    found.append((start, self._placed(line, ends)))
        return found

    def _rule(self, line: Property, start: date) -> vRecur:
        try:
            rule: vRecur = vRecur.from_ical(line.value.upper())
            check_rule(rule)
        except TooMuch as error:
            raise wrong(line.number, f"an event is not taken: {error}") from None
        except Exception as error:
            raise wrong(line.number, f"this is no rule: {quoted(line.value)} ({shortened(str(error))})") from error
        if until := rule.get("UNTIL"):
            rule["UNTIL"] = [self._until(until[0], start)]
        return rule

    def _until(self, until: date, start: date) -> date:
        """The last instant of a rule in the form that the start's asks for, which many files do not take care of."""
        if not isinstance(start, datetime):
            return until.date() if isinstance(until, datetime) else until
        if not isinstance(until, datetime):
            until = datetime.combine(until, time(23, 59, 59), start.tzinfo)
        elif until.tzinfo is None:
            until = until.replace(tzinfo=start.tzinfo)
        return until.astimezone(_UTC)

    def _moment(self, when: date) -> datetime:
        return when if isinstance(when, datetime) else datetime.combine(when, time(), self._zone)

    def _instant(self, when: date) -> float:
        return (self._moment(when) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()

    # --- how it shows ---------------------------------------------------------------------------------------------

    def _shown(self, component: Component) -> _Shown:
        attendees = list(component.all("ATTENDEE"))
        organizer = component.first("ORGANIZER")
        others = [one for one in (*attendees, *((organizer,) if organizer else ())) if not self._is_me(one)]
        return _Shown(self._show_as(component, attendees, organizer), bool(others))

    def _show_as(self, component: Component, attendees: list[Property], organizer: Property | None) -> ShowAs | None:
        status = component.text("STATUS")
        answers = [one.parameters.get("PARTSTAT", "").upper() for one in attendees if self._is_me(one)]
        if status == "CANCELLED" or "DECLINED" in answers:
            return None
        outlook = component.text("X-MICROSOFT-CDO-BUSYSTATUS")
        if outlook in _STATUSES:
            show_as = _STATUSES[outlook]
        elif component.text("TRANSP") == "TRANSPARENT":
            show_as = None
        else:
            show_as = "tentative" if status == "TENTATIVE" else "busy"
        own = organizer is not None and self._is_me(organizer)  # nobody is asked to answer themself
        if show_as in ("busy", "workingElsewhere") and not own and {"NEEDS-ACTION", "TENTATIVE"} & set(answers):
            return "tentative"  # as Outlook shows what is not accepted
        return show_as

    def _is_me(self, someone: Property) -> bool:
        names = someone.value, someone.parameters.get("EMAIL", "")
        return any(_address(name) in self._me for name in names)


def _address(name: str) -> str:
    return name.casefold().removeprefix("mailto:").strip()


def _duration(line: Property) -> timedelta:
    try:
        duration: timedelta = vDuration.from_ical(line.value.upper())  # type: ignore[no-untyped-call]
        return duration
    except Exception:
        raise wrong(line.number, f"this is no duration: {quoted(line.value)}") from None
