"""Durations as clients really write them, and the bounds of setPresence."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presenced.presence.durations import parse_duration, parse_duration_within
from presenced.presence.refused import Refused

HOUR = 3600.0
DAY = 86400.0

ACCEPTED = [
    # (where it comes from, text, seconds)
    ("setPresence page, example", "PT1H", HOUR),
    ("setPresence page, shortest", "PT5M", 300.0),
    ("setPresence page, longest", "PT4H", 4 * HOUR),
    ("ISO 8601, seconds only", "PT300S", 300.0),
    ("ISO 8601, mixed", "PT1H30M5S", HOUR + 1805),
    ("ISO 8601, fraction of seconds", "PT5M0.5S", 300.5),
    ("ISO 8601, days and time", "P0DT5M", 300.0),
    ("ISO 8601, days and time", "P1DT1H", DAY + HOUR),
    ("Edm.Duration allows a sign", "-PT5M", -300.0),
    ("setUserPreferredPresence page, example", "PT8H", 8 * HOUR),
    ("spec C15, C17: sent by clients", "P1D", DAY),
    ("any letter case is read", "pt1h", HOUR),
    ("Go and JavaScript SDK: whole weeks", "P1W", 7 * DAY),
    ("Go and JavaScript SDK: whole weeks", "p2w", 14 * DAY),
    ("Python SDK: str(timedelta(hours=1))", "1:00:00", HOUR),
    ("Python SDK: str(timedelta(minutes=5))", "0:05:00", 300.0),
    ("Python SDK: str(timedelta(days=1))", "1 day, 0:00:00", DAY),
    ("Python SDK: str(timedelta(days=2, hours=1))", "2 days, 1:00:00", 2 * DAY + HOUR),
    ("Python SDK: str(timedelta(seconds=.5))", "0:00:00.500000", 0.5),
]

NO_DURATIONS = [
    ("empty", ""),
    ("bare numbers", "300"),
    ("bare numbers", "3e2"),
    ("bare numbers", "-1"),
    ("not a number", "NaN"),
    ("not a number", "PTNaNM"),
    ("not a number", "inf"),
    ("no designator", "5M"),
    ("nothing after P", "P"),
    ("nothing after T", "PT"),
    ("no unit", "PT5"),
    ("Edm.Duration has no years", "P1Y"),
    ("Edm.Duration has no months", "P1M"),
    ("weeks stand alone", "P1WT1H"),
    ("units out of order", "PT1M1H"),
    ("units twice", "PT5M5M"),
    ("exponent", "PT1e2S"),
    ("sign in the middle", "PT-5M"),
    ("space", " PT5M"),
    ("line end", "PT5M\n"),
    ("line end", "1:00:00\n"),
    ("line end", "P1W\n"),
    ("digits of other scripts", "PT٥M"),
    ("digits of other scripts", "٥:00:00"),
    ("digits of other scripts", "P٥W"),
    ("full-width digits", "PT５M"),
    ("Python's negative timedelta", "-1 day, 23:00:00"),
    ("minutes past 59", "1:60:00"),
    ("huge", "PT99999999999999999999H"),
    ("huge", "P9999999999D"),
    ("huge", "P9999999W"),
    ("huge", "9999999 days, 0:00:00"),
    ("long", "PT" + "0" * 100 + "5M"),
    ("long", "PT5M" + " " * 100_000),
    ("half a surrogate pair", "PT5M\ud800"),
    ("NUL", "PT5M\x00"),
    ("garbage", "an hour"),
]

OUT_OF_RANGE = [
    ("msgraph-sdk-dotnet issue 1186", "PT4M"),
    ("one second short", "PT4M59S"),
    ("less than a second short", "PT4M59.999S"),
    ("one second long", "PT4H1S"),
    ("less than a second long", "PT4H0.001S"),
    ("nothing", "PT0S"),
    ("negative", "-PT5M"),
    ("negative", "-PT1H"),
    ("fine for a preferred presence", "P1D"),
    ("fine for a preferred presence", "PT8H"),
    ("fine for a preferred presence", "P1W"),
    ("Python's", "1 day, 0:00:00"),
    ("Python's", "0:04:59"),
    ("Python's", "4:00:01"),
]

WITHIN = [
    ("setPresence page, inclusive", "PT5M", 300.0),
    ("setPresence page, inclusive", "PT4H", 4 * HOUR),
    ("Python's shortest", "0:05:00", 300.0),
    ("Python's longest", "4:00:00", 4 * HOUR),
    ("in the same length, other units", "PT240M", 4 * HOUR),
    ("in the same length, other units", "PT14400S", 4 * HOUR),
]


@pytest.mark.parametrize(("source", "text", "seconds"), ACCEPTED)
def test_every_way_that_clients_write_a_duration_is_read(source: str, text: str, seconds: float) -> None:
    assert parse_duration(text, "ExpirationDuration") == seconds, source


@pytest.mark.parametrize(("source", "text"), NO_DURATIONS)
def test_what_is_no_duration_is_an_invalid_argument_that_names_the_field(source: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_duration(text, "ExpirationDuration")
    assert refused.value.code == "InvalidArgument", source
    assert refused.value.message.startswith("The provided [ExpirationDuration] is not a duration.")


@pytest.mark.parametrize(("source", "text"), OUT_OF_RANGE)
def test_a_duration_outside_the_bounds_is_refused_in_the_words_graph_uses(source: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_duration_within(text, "ExpirationDuration", 300.0, 14400.0)
    assert refused.value.code == "InvalidArgument", source
    assert refused.value.message == "The provided [ExpirationDuration] is out of range."


@pytest.mark.parametrize(("source", "text", "seconds"), WITHIN)
def test_the_bounds_themselves_are_accepted(source: str, text: str, seconds: float) -> None:
    assert parse_duration_within(text, "ExpirationDuration", 300.0, 14400.0) == seconds, source


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=999_999)))
def test_whatever_the_python_sdk_writes_for_a_positive_timedelta_is_read(length: timedelta) -> None:
    """kiota-python writes str(timedelta)."""
    assert parse_duration(str(length), "ExpirationDuration") == pytest.approx(length.total_seconds())


@given(st.text(alphabet="PTWDHMS0123456789.:-+, days\u0665\x00", max_size=70) | st.text())
def test_no_text_at_all_makes_anything_but_seconds_or_a_refusal(text: str) -> None:
    try:
        seconds = parse_duration_within(text, "ExpirationDuration", 300.0, 14400.0)
    except Refused as refused:
        assert refused.code == "InvalidArgument"  # noqa: PT017
    else:
        assert 300.0 <= seconds <= 14400.0
