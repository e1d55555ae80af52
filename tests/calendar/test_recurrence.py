"""Rules begun anew near the window have the occurrences they had; and what it costs to count them is bounded."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrule, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from presenced.calendar.recurrence import TooMuch, Work, _forwarded, _watched

BERLIN = ZoneInfo("Europe/Berlin")
RULES = [
    "FREQ=YEARLY",
    "FREQ=YEARLY;INTERVAL=3",
    "FREQ=YEARLY;BYDAY=2MO",
    "FREQ=YEARLY;BYDAY=MO;BYWEEKNO=20",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYDAY=SA,SU;BYSETPOS=1,-1",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;INTERVAL=5",
    "FREQ=MONTHLY;BYMONTHDAY=31,-1",
    "FREQ=MONTHLY;BYDAY=-1FR,2MO",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;INTERVAL=2",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=3;BYMONTH=1,7",
    "FREQ=DAILY;INTERVAL=9",
    "FREQ=DAILY;BYMONTH=1;BYDAY=MO",
    "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30",
    "FREQ=HOURLY;INTERVAL=7",
    "FREQ=HOURLY;INTERVAL=5;BYDAY=TU",
    "FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10,12",
    "FREQ=MINUTELY;INTERVAL=50",
    "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11",
    "FREQ=DAILY;COUNT=5000",
    "FREQ=DAILY;UNTIL=20010101T000000",
    "FREQ=YEARLY;INTERVAL=5000",
    "FREQ=DAILY;INTERVAL=1000000",
]


def after(rule: rrule, since: datetime, work: Work) -> list[datetime]:
    times = itertools.dropwhile(lambda time: time < since, _watched(rule, work))
    return list(itertools.islice(itertools.takewhile(lambda time: time < since + timedelta(days=900), times), 50))


@pytest.mark.parametrize("text", RULES)
@settings(max_examples=30)
@given(
    start=st.datetimes(datetime(1999, 1, 1), datetime(2004, 12, 31)),
    days=st.integers(-40, 1000) | st.integers(1000, 15_000),
    zone=st.sampled_from([None, BERLIN]),
)
def test_a_rule_that_begins_later_has_the_same_occurrences(
    text: str, start: datetime, days: int, zone: ZoneInfo | None
) -> None:
    start = start.replace(microsecond=0, hour=start.hour // 2 * 2 if "BYHOUR" in text else start.hour, tzinfo=zone)
    rule = rrulestr(text + "Z" if zone and "UNTIL" in text else text, dtstart=start)
    # to count through every hour of decades, as is done for comparison, takes too long
    since = start + timedelta(days=days % 1000 if "HOURLY" in text or "MINUTELY" in text else days)
    expected = list(
        itertools.islice(
            itertools.takewhile(
                lambda time: time < since + timedelta(days=900),
                itertools.dropwhile(lambda time: time < since, rule),
            ),
            50,
        )
    )
    assert after(_forwarded(rule, since), since, Work()) == expected


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"])
@pytest.mark.parametrize("never", ["BYMONTH=2;BYMONTHDAY=30", "BYMONTHDAY=31;BYMONTH=2,4,6,9,11", "BYSETPOS=300"])
def test_a_rule_that_never_comes_true_is_given_up(frequency: str, never: str) -> None:
    by_day = ";BYDAY=MO" if frequency == "YEARLY" and "MONTHDAY" not in never else ""
    rule = rrulestr(f"FREQ={frequency};{never}{by_day}", dtstart=datetime(2026, 1, 1))
    with pytest.raises(TooMuch, match="never"):
        list(_watched(rule, Work()))


def test_an_interval_without_end_ends() -> None:
    rule = rrulestr("FREQ=MINUTELY;INTERVAL=1439;BYHOUR=3;BYSETPOS=9", dtstart=datetime(2026, 1, 1))
    with pytest.raises(TooMuch, match="never"):
        list(_watched(rule, Work()))


@pytest.mark.parametrize(("of_one", "in_all", "count"), [(50_000, 500_000, Work.time), (300_000, 3_000_000, Work.day)])
def test_what_all_series_cost_is_counted_together(of_one: int, in_all: int, count: Callable[[Work], None]) -> None:
    work = Work()
    for spent in range(in_all):
        if spent % of_one == 0:
            work.begin()
        count(work)
    work.begin()
    with pytest.raises(TooMuch):
        count(work)
