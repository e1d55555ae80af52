"""Recurrence: when the events of one UID take place within some time, at bounded expense.

Sources: RFC 5545, sections 3.3.10 (recurrence rules), 3.8.4.4 (RECURRENCE-ID) and 3.8.5. The library
recurring-ical-events knows how rules, RDATE, EXDATE and changed occurrences go together, and dateutil counts a rule
through, but from its first occurrence on and however often it repeats or never does. So rules are begun anew shortly
before the time asked for, and the days that are looked at are counted: what takes too long is refused. dateutil offers
no way to do that, hence the members of it with an underscore; tests/calendar/test_recurrence.py holds what is relied
on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from dateutil.rrule import DAILY, HOURLY, MINUTELY, MONTHLY, WEEKLY, YEARLY, rrule, rruleset
from icalendar import Event
from icalendar.prop import vRecur
from recurring_ical_events import EventAdapter, Occurrence, Series
from recurring_ical_events.util import compare_greater, convert_to_datetime

_MOST_TIMES = 50_000
"""Occurrences that are counted through, of one series; and ten times that in all."""

_MOST_DAYS = 300_000
"""Days that are looked at for one series; and ten times that in all."""

_MOST_A_DAY = 1_440
_MOST_VALUES = 1_000
_LONGEST_INTERVAL = 1_000_000
_UNITS = {DAILY: timedelta(days=1), HOURLY: timedelta(hours=1), MINUTELY: timedelta(minutes=1)}
_UNITS[WEEKLY] = timedelta(weeks=1)
_COSTS = {HOURLY: 5, MINUTELY: 100}
"""Of days that are looked at: each time may take dateutil a loop over all hours or minutes of a day."""


class TooMuch(Exception):
    """To work out a series takes too long. The message says which rule is at fault."""


class Work:
    """What has been spent on one calendar."""

    def __init__(self) -> None:
        self._times = 0
        self._days = 0
        self._times_of_one = 0
        self._days_of_one = 0

    def begin(self) -> None:
        """Count the next series."""
        self._times_of_one = self._days_of_one = 0

    def time(self) -> None:
        """Count an occurrence. Raises TooMuch."""
        self._times += 1
        self._times_of_one += 1
        if self._times_of_one > _MOST_TIMES or self._times > 10 * _MOST_TIMES:
            raise TooMuch("it repeats too often")

    def day(self, cost: int = 1) -> None:
        """Count a day that was looked at. Raises TooMuch."""
        self._days += cost
        self._days_of_one += cost
        if self._days_of_one > _MOST_DAYS or self._days > 10 * _MOST_DAYS:
            raise TooMuch("it repeats too often, or its rule never comes true")


def check_rule(rule: vRecur) -> None:
    """Raises TooMuch or ValueError for a rule that is not counted through."""
    sizes = {name.upper(): len(values) if isinstance(values, list) else 1 for name, values in rule.items()}
    (frequency,) = rule.get("FREQ", [None])
    if frequency is None:
        raise ValueError("it has no FREQ")
    if frequency.upper() == "SECONDLY":
        raise TooMuch("it repeats every second or so")
    if not 1 <= rule.get("INTERVAL", [1])[0] <= _LONGEST_INTERVAL:
        raise ValueError(f"its INTERVAL is not from 1 to {_LONGEST_INTERVAL}")
    if any(not 1 <= abs(week) <= 53 for week in rule.get("BYWEEKNO", [])):
        raise ValueError("a BYWEEKNO is not from 1 to 53")
    a_day = sizes.get("BYHOUR", 1) * sizes.get("BYMINUTE", 1) * sizes.get("BYSECOND", 1)
    if a_day > _MOST_A_DAY or sum(sizes.values()) > _MOST_VALUES:
        raise TooMuch("it repeats too often")


def occurrences(events: Sequence[Event], start: datetime, end: datetime, work: Work) -> Iterator[Occurrence]:
    """The occurrences that touch [start, end) of the events with one UID, in no order.

    Raises TooMuch, and whatever the libraries make of events that make no sense.
    """
    work.begin()
    yield from _Series([EventAdapter(event) for event in events], work).between(start, end)


class _Series(Series):  # type: ignore[misc]  # the library is not typed
    def __init__(self, adapters: Sequence[EventAdapter], work: Work) -> None:
        self.RecurrenceRules = partial(_Rules, work=work)
        super().__init__(adapters)


class _Rules(Series.RecurrenceRules):  # type: ignore[misc]  # likewise
    def __init__(self, core: EventAdapter, work: Work) -> None:
        self._work = work
        super().__init__(core)

    def rrule_between(self, span_start: date, span_stop: date) -> Iterator[datetime]:
        """As the library does it, but lazily and counted."""
        start = convert_to_datetime(span_start, self.tzinfo)
        stop = convert_to_datetime(span_stop, self.tzinfo)
        for rule in self.rrules:
            # the first is the set of single dates
            times = iter(rule) if isinstance(rule, rruleset) else _watched(_forwarded(rule, start), self._work)
            for time in times:
                if time > stop:
                    break
                self._work.time()
                if time >= start and (rule.until is None or not compare_greater(time, rule.until)):
                    yield time


def _forwarded(rule: rrule, until: datetime) -> rrule:
    """A rule with the same occurrences from ``until`` on, that begins not long before.

    It begins a whole number of intervals later, so its occurrences fall alike. A rule with COUNT is counted from its
    own start.
    """
    start, interval = rule._dtstart, rule._interval
    goal = until.astimezone(start.tzinfo).replace(tzinfo=None) if until.tzinfo is not None else until
    gap = goal - start.replace(tzinfo=None) - timedelta(days=2)
    if rule._count is not None or gap <= timedelta():
        return rule
    try:
        if rule._freq in (YEARLY, MONTHLY):
            years = max(goal.year - 1 - start.year, 0) // interval * interval
            begins = start.replace(year=start.year + years)
        else:
            unit = _UNITS[rule._freq] * interval
            begins = start + gap // unit * unit
    except (OverflowError, ValueError):  # an interval of ages, or the 29th of February
        return rule
    return rule.replace(dtstart=begins)


def _watched(rule: rrule, work: Work) -> Iterator[datetime]:
    """The occurrences of a rule; each day that dateutil looks at on the way is counted."""
    watched = rule.replace(cache=False)
    count = partial(work.day, _COSTS.get(rule._freq, 1))
    if watched._bymonth or watched._freq != YEARLY:
        watched._bymonth = _Counted(watched._bymonth or range(1, 13), count)
    else:  # with months named, a yearly rule's BYDAY would be of the month
        watched._byweekday = _Counted(watched._byweekday or range(7), count)
    times: Iterator[datetime] = iter(watched)
    return times


class _Counted(tuple[int, ...]):
    """Values that count how often they are looked through."""

    _count: Callable[[], None]

    def __new__(cls, values: Iterable[int], count: Callable[[], None]) -> "_Counted":
        made = super().__new__(cls, values)
        made._count = count
        return made

    def __contains__(self, value: object) -> bool:
        self._count()
        return super().__contains__(value)
