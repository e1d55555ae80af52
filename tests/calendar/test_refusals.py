"""What is no calendar is refused in one way, with the line that is wrong; and nothing takes long to refuse."""

import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.calendar.ics import ME, at, read, vcalendar, vevent
from tests.calendar.test_reading import APPLE, CUSTOM, GOOGLE, ONE_HOUR, OUTLOOK, THERE

from presenced.calendar.content_lines import MOST_BYTES, NotACalendar
from presenced.calendar.icalendar_file import read_events

DAILY = ("DTSTART:20200101T090000Z", "DURATION:PT5M")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "This is empty."),
        (" \r\n\n", "This is empty."),
        ("<!DOCTYPE html><html><body>Sign in", "This is a web page, not a calendar."),
        ('<?xml version="1.0"?>', "This is a web page"),
        ('{"error": "unauthorized"}', "This is JSON"),
        ("hello", "does not begin with BEGIN:VCALENDAR"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "does not begin with BEGIN:VCALENDAR"),
        (vcalendar().encode("utf-16"), "does not begin with BEGIN:VCALENDAR"),
        (vevent(*ONE_HOUR), "does not begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDARS", "inside the 'VCALENDARS' that begins on line 1"),
        (vcalendar(vevent(*ONE_HOUR))[:-40], "ends inside the 'VEVENT' that begins on line 3. Is it cut off?"),
        (vcalendar(vevent(*ONE_HOUR), "END:VEVENT"), "line 8: an END of 'VEVENT' inside the 'VCALENDAR'"),
        (vcalendar() + "END:VCALENDAR", "line 4: an END of 'VCALENDAR', which has not begun"),
        (vcalendar("BEGIN:VEVENT", *ONE_HOUR), "line 7: an END of 'VCALENDAR' inside the 'VEVENT'"),
        (vcalendar("CALSCALE:CHINESE"), "CALSCALE is 'CHINESE'"),
        (b"BEGIN:VCALENDAR" + b"\n" * MOST_BYTES, "larger than 10 MB"),
    ],
)
def test_what_is_no_calendar(text: str | bytes, words: str) -> None:
    with pytest.raises(NotACalendar) as refused:
        read(text)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("SUMMARY:x",), "line 3: an event without DTSTART"),
        (("DTSTART",), "line 4: this is no property of a calendar: 'DTSTART'"),
        (("DTSTART:",), "line 4: DTSTART is no date or time: ''"),
        (("DTSTART:tomorrow",), "line 4: DTSTART is no date or time: 'tomorrow'"),
        (("DTSTART:20261320T090000Z",), "line 4: DTSTART is no date or time"),
        (("DTSTART:090000",), "line 4: DTSTART is no date or time"),
        (("DTSTART:PT1H",), "line 4: DTSTART is no date or time"),
        (("DTSTART:20261020T090000Z/PT1H",), "line 4: DTSTART is no date or time"),
        (("DTSTART:20261020T090000Z\x1b[2J",), r"'20261020T090000Z?[2J'"),
        (("DTSTART:" + "x" * 5000,), "x" * 60 + "...'"),
        (
            ("DTSTART:20261020T090000Z", "DTSTART:20261020T090000Z"),
            "line 5: a second DTSTART in the VEVENT that begins",
        ),
        ((*ONE_HOUR, "DTEND:20261020T100000Z"), "line 7: a second DTEND"),
        (("DTSTART;TZID=Nowhere:20261020T090000",), "line 4: the time zone 'Nowhere' is not known"),
        (("DTSTART;TZID=../../etc/passwd:20261020T090000",), "is not known"),
        (("DTSTART:20261020T090000Z", "DURATION:an hour"), "line 5: this is no duration: 'an hour'"),
        (("DTSTART:20261020T090000Z", "DURATION:P9999999999D"), "line 5: this is no duration"),
        ((*DAILY, "RRULE:daily"), "line 6: this is no rule: 'daily' (it has no FREQ)"),
        ((*DAILY, "RRULE:FREQ=OFTEN"), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;INTERVAL=0"), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;INTERVAL=-1"), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;INTERVAL=" + "9" * 400), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;BYSETPOS=0"), "line 3: an event cannot be read"),
        ((*DAILY, "RRULE:FREQ=DAILY;BYWEEKNO=54"), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;UNTIL=whenever"), "line 6: this is no rule"),
        ((*DAILY, "RRULE:FREQ=DAILY;BYDAY=XX"), "line 6: this is no rule"),
        ((*DAILY, "RDATE:soon"), "line 6: RDATE is no date or time: 'soon'"),
        ((*DAILY, "EXDATE:20261020T090000Z,soon"), "line 6: EXDATE is no date or time: 'soon'"),
        ((*DAILY, "RECURRENCE-ID:first"), "line 6: RECURRENCE-ID is no date or time"),
        ((*DAILY, "RRULE:FREQ=SECONDLY"), "line 6: an event is not taken: it repeats every second"),
        ((*DAILY, "RRULE:FREQ=MINUTELY"), "line 3: an event is not taken: it repeats too often"),
        ((*DAILY, "RRULE:FREQ=MINUTELY;INTERVAL=15"), "line 3: an event is not taken: it repeats too often"),
        ((*DAILY, "RRULE:FREQ=DAILY;COUNT=99999999"), None),
        (("DTSTART:10000101T090000Z", "DURATION:PT5M", "RRULE:FREQ=DAILY;COUNT=9999999"), "it repeats too often"),
        ((*DAILY, "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))), None),
        ((*DAILY, "RRULE:FREQ=DAILY;BYHOUR=8,9;BYMINUTE=" + ",".join(map(str, range(60)))), "it repeats too often"),
        (
            (*DAILY, "RRULE:FREQ=DAILY" + "".join(f";BY{x}=" + ",".join(["0"] * 99) for x in ("HOUR", "MINUTE"))),
            "line 6: an event is not taken: it repeats too often",
        ),
        ((*DAILY, "RRULE:FREQ=DAILY;BYSETPOS=" + ",".join(["1"] * 2000)), "line 6: an event is not taken"),
        ((*DAILY, "RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"), "its rule never comes true"),
    ],
)
def test_events_that_make_no_sense(lines: tuple[str, ...], words: str | None) -> None:
    text = vcalendar(vevent(*lines))
    if words is None:
        assert read(text)
        return
    with pytest.raises(NotACalendar) as refused:
        read(text)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_too_many_events_in_all() -> None:
    events = [vevent(f"UID:{n}", *ONE_HOUR[1:]) for n in range(1001)]
    assert len(read(vcalendar(*events[:1000]))) == 1000
    with pytest.raises(NotACalendar, match="more than 1000 events in 14 days"):
        read(vcalendar(*events))
    with pytest.raises(NotACalendar, match="more than 1000 events"):
        read(vcalendar(*events[:600]) + vcalendar(*events[:600]))
    # what is over long ago does not count
    old = [vevent(f"UID:{n}", "DTSTART:20200101T090000Z", "DURATION:PT1H") for n in range(1001)]
    assert read(vcalendar(*old, vevent("UID:new", *ONE_HOUR[1:]))) == ["20 09:00-10:00 busy"]


def test_what_is_counted_through_is_counted_for_each_series() -> None:
    counted = ("DTSTART:19000101T090000Z", "DURATION:PT5M", "RRULE:FREQ=DAILY;COUNT=%d")
    lines = "\n".join(counted)
    assert read(vcalendar(*(vevent(f"UID:{n}", lines % 40_000) for n in range(3)))) == []
    with pytest.raises(NotACalendar, match=r"line 3: .*: it repeats too often$"):
        read(vcalendar(vevent("UID:1", lines.replace("1900", "1800") % 90_000)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FREQ=YEARLY", "FREQ=SECONDLY"),
        ("FREQ=YEARLY", "FREQ=DAILY"),
        ("BYMONTH=10", "BYHOUR=1,2,3"),
        ("FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=0"),
        ("+0300", "+9900"),
        ("+0300", "soon"),
        ("DTSTART:16010101T030000\n", ""),
        ("BEGIN:STANDARD\nDTSTART", "BEGIN:STANDARD\nX-DTSTART"),
    ],
)
def test_time_zones_that_make_no_sense(old: str, new: str) -> None:
    assert old in CUSTOM
    with pytest.raises(NotACalendar, match="line 3: the VTIMEZONE 'Customized Time Zone' cannot be read"):
        read(vcalendar(CUSTOM.replace(old, new), THERE))


def test_a_zone_that_nobody_uses_may_be_nonsense() -> None:
    assert read(vcalendar(CUSTOM.replace("YEARLY", "SECONDLY"), vevent(*ONE_HOUR))) == ["20 09:00-10:00 busy"]


def test_too_many_zones() -> None:
    zones = [CUSTOM.replace("Customized", f"Customized {n}") for n in range(60)]
    events = [THERE.replace("Customized", f"Customized {n}").replace("UID:1", f"UID:{n}") for n in range(60)]
    with pytest.raises(NotACalendar, match="more than 100 rules of time zones"):
        read(vcalendar(*zones, *events))


# --- nothing but the one error comes out, whatever goes in --------------------------------------------------------

WORDS = st.sampled_from(
    """BEGIN:VCALENDAR|END:VCALENDAR|BEGIN:VEVENT|END:VEVENT|BEGIN:VTIMEZONE|END:VTIMEZONE|BEGIN:STANDARD|END:STANDARD|
    DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID|UID|ATTENDEE|ORGANIZER|TZID|TZOFFSETTO|SEQUENCE|STATUS|
    ;TZID=|;VALUE=DATE|;VALUE=PERIOD|;RANGE=THISANDFUTURE|;PARTSTAT=DECLINED|Europe/Berlin|Customized Time Zone|
    FREQ=|YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY|;INTERVAL=|;COUNT=|;UNTIL=|;BYDAY=|;BYMONTHDAY=|;BYSETPOS=|
    ;BYMONTH=|;BYWEEKNO=|;BYHOUR=|;BYYEARDAY=|;WKST=|MO|-1SU|,|:|;|=|/|"|\\|-|0|1|29|31|366|9999|20261020|
    20261020T090000|20261020T090000Z|00010101T000000|99991231T235959Z|19000101|PT1H|-P1D|P1W|mailto:kim@example.com|
    \r\n|\n|\r\n |é|\x00|\x85""".replace("\n    ", "").split("|")
)
PROPERTIES = st.sampled_from(
    ["DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "UID", "ATTENDEE", "SEQUENCE"]
)
LINE = st.builds("{}{}".format, PROPERTIES, st.lists(WORDS, max_size=8).map("".join))
RULE = st.builds(
    "RRULE:FREQ={}{}".format,
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]),
    st.lists(
        st.builds(
            ";{}={}".format,
            st.sampled_from(
                ["INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH", "BYWEEKNO", "BYYEARDAY"]
            )
            | st.sampled_from(["BYHOUR", "BYMINUTE", "BYSECOND", "WKST", "BYEASTER", "RSCALE", "SKIP", "X"]),
            st.one_of(
                st.integers(-400, 400).map(str),
                st.lists(st.integers(-60, 60).map(str), max_size=3).map(",".join),
                st.sampled_from(["MO", "-1SU,2MO", "20261101", "20261101T000000", "20261101T000000Z", "99991231", ""]),
            ),
        ),
        max_size=4,
    ).map("".join),
)
STARTS = st.sampled_from(
    [
        "DTSTART:20261020T090000Z",
        "DTSTART:20200229T090000",
        "DTSTART;TZID=Europe/Berlin:20261020T090000",
        "DTSTART;TZID=Customized Time Zone:20200101T090000",
        "DTSTART;VALUE=DATE:19040229",
        "DTSTART:00010101T000000Z",
        "DTSTART:99991231T235959Z",
        "DTSTART;VALUE=DATE:99991231",
    ]
)
EVENT = st.builds(lambda start, lines: vevent(start, *lines), STARTS, st.lists(LINE | RULE, max_size=4))


def only_our_error(text: str | bytes) -> None:
    try:
        events = read_events(text, at("2026-10-19"), at("2026-11-19"), ZoneInfo("Europe/Berlin"), (ME,))
    except NotACalendar as error:
        message = str(error)
        assert message.isprintable()
        assert len(message) < 400
    else:
        assert list(events) == sorted(events, key=lambda event: event.starts_at)
        assert all(
            event.starts_at < event.ends_at and event.starts_at < at("2026-11-19") and event.ends_at > at("2026-10-19")
            for event in events
        )


@settings(max_examples=300)
@given(st.lists(EVENT, max_size=3))
def test_fuzz_events(events: list[str]) -> None:
    only_our_error(vcalendar(CUSTOM, *events))


@settings(max_examples=200)
@given(st.lists(WORDS, max_size=40).map("".join), st.booleans())
def test_fuzz_lines(text: str, inside: bool) -> None:
    only_our_error(vcalendar("BEGIN:VEVENT", text, "END:VEVENT") if inside else text)


@settings(max_examples=100)
@given(st.binary() | st.text())
def test_fuzz_anything(text: str | bytes) -> None:
    only_our_error(text)
    only_our_error(vcalendar(text if isinstance(text, str) else text.decode("latin-1")))


@settings(max_examples=200)
@given(st.sampled_from([OUTLOOK, GOOGLE, APPLE]), st.randoms(use_true_random=False))
def test_fuzz_real_files(text: str, chance: random.Random) -> None:
    """Truncated, with lines lost, doubled and swapped, and bytes changed."""
    lines = text.splitlines()
    for _ in range(chance.randrange(4)):
        line = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[line]
            case 1:
                lines.insert(line, chance.choice(lines))
            case 2:
                other = chance.randrange(len(lines))
                lines[line], lines[other] = lines[other], lines[line]
            case _:
                place = chance.randrange(len(lines[line]) + 1)
                lines[line] = lines[line][:place] + chr(chance.randrange(256)) + lines[line][place + 1 :]
    changed = "\r\n".join(lines).encode()
    only_our_error(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)
