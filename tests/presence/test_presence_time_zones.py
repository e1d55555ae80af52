"""dateTimeTimeZone as clients write it, and when a person's date ends. "spec" is the reference of Graph's presence API,
by section; "ours" is a rule of presenced where the spec is open."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presenced.presence.refused import Refused
from presenced.presence.time_zones import DateTimeTimeZone, end_of_day, find_zone, instant

YEAR_2 = datetime(2, 1, 1)
YEAR_9999 = datetime(9999, 12, 30)

READ = [
    # (source, dateTime, timeZone, the instant as an ISO date in UTC)
    (
        "spec 6.1 [G7]: example",
        "2022-10-18T17:05:33.2079781",
        "Pacific Standard Time",
        "2022-10-19T00:05:33.207978+00:00",
    ),
    ("spec 1.1 [G7]: Windows name", "2025-07-01T12:00:00", "W. Europe Standard Time", "2025-07-01T10:00:00+00:00"),
    ("spec 1.1 [G7]: in winter", "2025-01-01T12:00:00", "W. Europe Standard Time", "2025-01-01T11:00:00+00:00"),
    ("spec 1.1 [G7]: no summer time", "2025-07-01T12:00:00", "India Standard Time", "2025-07-01T06:30:00+00:00"),
    ("spec 1.1 [G7]: three quarters", "2025-07-01T12:00:00", "Nepal Standard Time", "2025-07-01T06:15:00+00:00"),
    ("spec 1.1 [G7]: an offset's name", "2025-07-01T12:00:00", "UTC-11", "2025-07-01T23:00:00+00:00"),
    ("spec 1.1 [G7]: an offset's name", "2025-07-01T12:00:00", "UTC+12", "2025-07-01T00:00:00+00:00"),
    (
        "spec 1.1 [G7]: Mexico's Pacific",
        "2025-07-01T12:00:00",
        "Pacific Standard Time (Mexico)",
        "2025-07-01T19:00:00+00:00",
    ),
    ("ours: any letter case", "2025-07-01T12:00:00", "w. europe STANDARD time", "2025-07-01T10:00:00+00:00"),
    ("spec 1.1 [T9]: IANA name", "2025-07-01T12:00:00", "Europe/Berlin", "2025-07-01T10:00:00+00:00"),
    ("spec 1.1 [T9]: IANA's older name", "2025-07-01T12:00:00", "Asia/Calcutta", "2025-07-01T06:30:00+00:00"),
    ("spec 1.1 [T9]: three parts", "2025-07-01T12:00:00", "America/Argentina/Salta", "2025-07-01T15:00:00+00:00"),
    ("spec 1.1: UTC", "2025-07-01T12:00:00", "UTC", "2025-07-01T12:00:00+00:00"),
    ("spec 1.1: UTC", "2025-07-01T12:00:00", "utc", "2025-07-01T12:00:00+00:00"),
    ("spec 1.1 [M1]: no zone", "2025-07-01T12:00:00", None, "2025-07-01T12:00:00+00:00"),
    ("ours: no seconds", "2025-07-01T12:34", "UTC", "2025-07-01T12:34:00+00:00"),
    ("RFC 3339: a lower-case t", "2025-07-01t12:00:00", "UTC", "2025-07-01T12:00:00+00:00"),
    ("a leap day", "2024-02-29T12:00:00", "UTC", "2024-02-29T12:00:00+00:00"),
    ("before 1970", "1969-12-31T23:59:59.5", "UTC", "1969-12-31T23:59:59.500000+00:00"),
    ("spec 6.1 [C21]: never", "9999-12-30T23:00:00", "UTC", "9999-12-30T23:00:00+00:00"),
    ("spec 6.1 [C21]: never, in the east", "9999-12-30T23:00:00", "Pacific/Kiritimati", "9999-12-30T09:00:00+00:00"),
    ("spec 6.1 [C21]: never, in the east", "9999-12-30T23:00:00", "Tokyo Standard Time", "9999-12-30T14:00:00+00:00"),
    ("spec 6.1 [C21]: never, in the west", "9999-12-30T23:00:00", "Pacific Standard Time", "9999-12-31T07:00:00+00:00"),
    (
        "spec 6.1 [C21]: never, in the west",
        "9999-12-30T23:00:00",
        "Dateline Standard Time",
        "9999-12-31T11:00:00+00:00",
    ),
    ("ours: no instant after year 9999", "9999-12-31T23:00:00", "Dateline Standard Time", "9999-12-31T23:59:59+00:00"),
    ("ours: shown twice, the earlier", "2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00+00:00"),
    ("just before it is shown twice", "2025-10-26T01:59:59", "Europe/Berlin", "2025-10-25T23:59:59+00:00"),
    ("just after it was shown twice", "2025-10-26T03:00:00", "Europe/Berlin", "2025-10-26T02:00:00+00:00"),
    ("ours: skipped, the earlier offset", "2025-03-30T02:30:00", "Europe/Berlin", "2025-03-30T01:30:00+00:00"),
    ("just before the skip", "2025-03-30T01:59:59", "Europe/Berlin", "2025-03-30T00:59:59+00:00"),
    ("just after the skip", "2025-03-30T03:00:00", "Europe/Berlin", "2025-03-30T01:00:00+00:00"),
    ("shown twice, in the west", "2025-11-02T01:30:00", "Eastern Standard Time", "2025-11-02T05:30:00+00:00"),
    ("half an hour skipped", "2025-10-05T02:15:00", "Lord Howe Standard Time", "2025-10-04T15:45:00+00:00"),
]
FRACTIONS = [
    ("", 0.0),
    (".5", 0.5),
    (".25", 0.25),
    (".125", 0.125),
    (".0625", 0.0625),
    (".03125", 0.03125),
    (".015625", 0.015625),
    (".0000000", 0.0),
    (".1250000", 0.125),
    (".0000001", 1e-7),
    (".9999999", 0.9999999),
]
OFFSETS = ["Z", "z", "+00:00", "-00:00", "+01:00", "-05:00", "-0500", "+0530", "+14:00"]
NO_DATE_TIMES = [
    ("empty", ""),
    ("a date alone", "2025-07-01"),
    ("a time alone", "12:00:00"),
    ("no minutes", "2025-07-01T12"),
    ("basic format", "20250701T120000"),
    ("a week", "2025-W27-2T12:00:00"),
    ("a day of the year", "2025-182T12:00:00"),
    ("a space for the T", "2025-07-01 12:00:00"),
    ("one digit", "2025-7-1T12:00:00"),
    ("no such month", "2025-13-01T12:00:00"),
    ("no such day", "2025-02-29T12:00:00"),
    ("no such day", "2025-07-00T12:00:00"),
    ("no such hour", "2025-07-01T24:00:00"),
    ("no such minute", "2025-07-01T12:60:00"),
    ("a leap second", "2016-12-31T23:59:60"),
    ("year 0", "0000-01-01T00:00:00"),
    ("five digits", "10000-01-01T00:00:00"),
    ("before year 0", "-001-01-01T00:00:00"),
    ("no fraction after the point", "2025-07-01T12:00:00."),
    ("spec 6.1 [G7]: up to 7 digits", "2025-07-01T12:00:00.12345678"),
    ("ISO 8601: a fraction of a minute, not of a second", "2025-07-01T12:00.5"),
    ("a comma", "2025-07-01T12:00:00,5"),
    ("space", " 2025-07-01T12:00:00"),
    ("space", "2025-07-01T12:00:00 "),
    ("line end", "2025-07-01T12:00:00\n"),
    ("line end", "2025-07-01T12:00:00.5\n"),
    ("digits of other scripts", "２025-07-01T12:00:00"),
    ("digits of other scripts", "2025-07-01T12:00:0٥"),
    ("digits of other scripts", "2025-07-01T12:00:00.٥"),
    ("NUL", "2025-07-01T12:00:00\x00"),
    ("half a surrogate pair", "2025-07-01T12:00:00\ud800"),
    ("words", "tomorrow"),
    ("words", "never"),
    ("an instant", "1761393600"),
    ("long", "2025-07-01T12:00:00" + "0" * 100_000),
]
NO_ZONES = [
    ("a planet", "Mars"),
    ("this machine's own", "localtime"),
    ("a file beside the zones", "posixrules"),
    ("a folder beside the zones", "right/Europe/Berlin"),
    ("no such Windows name", "Berlin Standard Time"),
    ("space", " "),
    ("space", " UTC"),
    ("space", "Europe/Berlin "),
    ("line end", "UTC\n"),
    ("a folder", "Europe"),
    ("a folder", "Europe/"),
    ("a folder", "."),
    ("a path", "/etc/localtime"),
    ("a path", "../zoneinfo/UTC"),
    ("a path", "Europe/../UTC"),
    ("a path", "Europe//Berlin"),
    ("a path", "..\\zoneinfo\\UTC"),
    ("a file that is no zone", "zone.tab"),
    ("a file that is no zone", "tzdata.zi"),
    ("a file that is no zone", "__init__.py"),
    ("an offset", "+01:00"),
    ("NUL", "UTC\x00"),
    ("half a surrogate pair", "UTC\ud800"),
    ("long", "Europe/Berlin" * 10_000),
]

DAYS = [
    # (source, zone, now, when the date ends, both in UTC)
    ("UTC by default", None, "2025-10-25T12:00:00", "2025-10-26T00:00:00"),
    ("from its first moment", None, "2025-10-25T00:00:00", "2025-10-26T00:00:00"),
    ("to its last", None, "2025-10-25T23:59:59.875", "2025-10-26T00:00:00"),
    ("a leap day", None, "2024-02-28T12:00:00", "2024-02-29T00:00:00"),
    ("the year", None, "2025-12-31T12:00:00", "2026-01-01T00:00:00"),
    ("ahead of UTC", "Europe/Berlin", "2025-10-24T12:00:00", "2025-10-24T22:00:00"),
    ("ahead of UTC, tomorrow there", "Europe/Berlin", "2025-10-24T22:00:00", "2025-10-25T22:00:00"),
    ("a day of 25 hours", "Europe/Berlin", "2025-10-25T22:00:00", "2025-10-26T23:00:00"),
    ("the second time of the same hour", "Europe/Berlin", "2025-10-26T01:30:00", "2025-10-26T23:00:00"),
    ("a day of 23 hours", "Europe/Berlin", "2025-03-29T23:00:00", "2025-03-30T22:00:00"),
    ("Windows' name", "W. Europe Standard Time", "2025-03-29T23:00:00", "2025-03-30T22:00:00"),
    ("behind UTC", "America/New_York", "2025-07-02T03:59:59", "2025-07-02T04:00:00"),
    ("behind UTC", "America/New_York", "2025-07-02T04:00:00", "2025-07-03T04:00:00"),
    ("farthest ahead", "Pacific/Kiritimati", "2025-07-01T10:00:00", "2025-07-02T10:00:00"),
    ("farthest behind", "Dateline Standard Time", "2025-07-01T11:59:59", "2025-07-01T12:00:00"),
    ("midnight is skipped", "Africa/Cairo", "2025-04-24T12:00:00", "2025-04-24T22:00:00"),
    ("midnight is shown twice, the first", "America/Havana", "2025-11-01T16:00:00", "2025-11-02T04:00:00"),
    ("and the hour after it", "America/Havana", "2025-11-02T05:30:00", "2025-11-03T05:00:00"),
    ("the last hour is shown twice", "America/Santiago", "2025-04-06T02:30:00", "2025-04-06T04:00:00"),
    ("the last hour, second time", "America/Santiago", "2025-04-06T03:30:00", "2025-04-06T04:00:00"),
    ("a whole day is skipped", "Pacific/Apia", "2011-12-30T09:00:00", "2011-12-30T10:00:00"),
]

ZONES = st.sampled_from(
    [None, "UTC", "Europe/Berlin", "W. Europe Standard Time", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"]
)
ODD = st.text(alphabet="0123456789-:.TtZz+ \n\u0665\x00", max_size=40)
ALMOST = st.from_regex(
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,9})?)?(Z|[+-]01:?00)?\Z"
)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def refusal(date_time: str | None, zone: str | None) -> str:
    with pytest.raises(Refused) as refused:
        instant(DateTimeTimeZone(date_time, zone), "ExpiryDateTime")
    assert refused.value.code == "InvalidArgument"
    return refused.value.message


@pytest.mark.parametrize(("source", "date_time", "zone", "expected"), READ)
def test_a_local_time_and_its_zone_are_an_instant(source: str, date_time: str, zone: str | None, expected: str) -> None:
    read = instant(DateTimeTimeZone(date_time, zone), "ExpiryDateTime")
    assert read == pytest.approx(datetime.fromisoformat(expected).timestamp(), rel=0, abs=1e-6), source


@pytest.mark.parametrize(("fraction", "seconds"), FRACTIONS)
def test_up_to_seven_fraction_digits_are_read(fraction: str, seconds: float) -> None:
    """spec 6.1 [G7, G14]."""
    read = instant(DateTimeTimeZone("1970-01-02T00:00:00" + fraction, "UTC"), "ExpiryDateTime")
    assert read == pytest.approx(86400.0 + seconds, rel=0, abs=1e-9)
    if seconds * 64 % 1 == 0:
        assert read == 86400.0 + seconds, "a sum that is exact in binary is exact"


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("date_time", ["2025-07-01T12:00:00", "2025-07-01T12:00:00.5000000"])
@pytest.mark.parametrize("zone", ["UTC", None])
def test_an_offset_is_refused_and_named(offset: str, date_time: str, zone: str | None) -> None:
    """spec 6.1 [G14]."""
    message = refusal(date_time + offset, zone)
    assert message.startswith("The provided [ExpiryDateTime]")
    assert "offset" in message


@pytest.mark.parametrize(("why", "date_time"), NO_DATE_TIMES)
def test_what_is_no_date_and_time_is_refused(why: str, date_time: str) -> None:
    assert refusal(date_time, "UTC").startswith("The provided [ExpiryDateTime] is not a date and time"), why
    assert refusal(date_time, "Europe/Berlin").startswith("The provided [ExpiryDateTime]"), why


def test_a_date_and_time_is_required() -> None:
    """spec 1.1 [M1]: not null."""
    assert "[ExpiryDateTime.DateTime]" in refusal(None, "UTC")


@pytest.mark.parametrize(("why", "zone"), NO_ZONES)
def test_a_zone_that_is_not_known_is_refused(why: str, zone: str) -> None:
    assert find_zone(zone) is None, why
    assert refusal("2025-07-01T12:00:00", zone) == "The provided [ExpiryDateTime] names no time zone that is known."


@pytest.mark.parametrize(("source", "zone", "now", "ends"), DAYS)
def test_a_date_ends_at_midnight_where_the_person_is(source: str, zone: str | None, now: str, ends: str) -> None:
    assert end_of_day(utc(now), zone) == utc(ends), source


@given(st.datetimes(YEAR_2, YEAR_9999), ZONES, st.integers(0, 7))
def test_a_local_time_is_the_instant_whose_clock_shows_it(there: datetime, zone: str | None, digits: int) -> None:
    """Or, where the clocks skip it, one that is as far behind as the skip is long."""
    text = there.strftime("%Y").zfill(4) + there.isoformat(timespec="microseconds")[4:] + "0"
    cut = text[: len(text) - 8] + (text[-8 : -7 + digits] if digits else "")
    read = instant(DateTimeTimeZone(cut, zone), "X")
    tz = find_zone(zone or "UTC")
    assert tz is not None
    shown = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=read)).astimezone(tz)
    wanted = datetime.fromisoformat(cut[:26])
    off = abs(shown.replace(tzinfo=None) - wanted)
    assert off <= timedelta(microseconds=50) or timedelta(minutes=1) < off < timedelta(hours=25)
    assert shown.fold == 0 or off > timedelta(minutes=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Tokyo Standard Time"])
def test_the_first_moment_there_is_can_be_written_down_again(zone: str) -> None:
    """.NET sends DateTime.MinValue for a date that was never set."""
    datetime.fromtimestamp(instant(DateTimeTimeZone("0001-01-01T00:00:00.0000000", zone), "X"), UTC)


@given(ODD | ALMOST | st.text() | st.none(), st.none() | st.just("UTC") | st.just("Europe/Berlin") | st.text())
def test_no_text_at_all_makes_anything_but_an_instant_or_a_refusal(date_time: str | None, zone: str | None) -> None:
    try:
        read = instant(DateTimeTimeZone(date_time, zone), "X")
    except Refused as refused:
        assert refused.code == "InvalidArgument"  # noqa: PT017
        assert "[X" in refused.message  # noqa: PT017
    else:
        assert read <= 253_402_300_799.0


@given(st.integers(-8 * 10**9, 8 * 4 * 10**9).map(lambda eighths: eighths / 8), ZONES)
def test_a_date_is_one_date_until_it_ends(now: float, zone: str | None) -> None:
    tz = find_zone(zone) if zone else ZoneInfo("UTC")
    ends = end_of_day(now, zone)
    assert now < ends <= now + 25 * 3600.0
    today = datetime.fromtimestamp(now, tz).date()
    assert datetime.fromtimestamp(ends - 0.125, tz).date() == today
    assert datetime.fromtimestamp(ends, tz).date() > today
    assert end_of_day(ends - 0.125, zone) == ends


def test_every_name_of_windows_is_a_zone_that_exists() -> None:
    """spec 1.1 [G7]: a few from each part of the world."""
    for name in [
        "AUS Eastern Standard Time", "Arabian Standard Time", "Central Standard Time", "China Standard Time",
        "E. South America Standard Time", "Eastern Standard Time", "FLE Standard Time", "GMT Standard Time",
        "Greenwich Standard Time", "Hawaiian Standard Time", "Mountain Standard Time", "New Zealand Standard Time",
        "Romance Standard Time", "Russian Standard Time", "SA Pacific Standard Time", "Singapore Standard Time",
        "South Africa Standard Time", "Tokyo Standard Time", "US Mountain Standard Time", "UTC",
    ]:  # fmt: skip
        assert find_zone(name) is not None, name
