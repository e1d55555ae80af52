"""What is read of iCalendar files: when events are, how they show, and whether they are meetings."""

import pytest
from tests.calendar.ics import ME, OTHER, read, vcalendar, vevent

ONE_HOUR = ("UID:1", "DTSTART:20261020T090000Z", "DTEND:20261020T100000Z")
WEEKLY = (
    "UID:1",
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DTEND;TZID=Europe/Berlin:20260105T100000",
    "RRULE:FREQ=WEEKLY;BYDAY=TU",
)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(ONE_HOUR, ["20 09:00-10:00 busy"], id="UTC"),
        pytest.param(
            ("DTSTART;TZID=America/New_York:20261020T090000", "DTEND;TZID=America/New_York:20261020T100000"),
            ["20 13:00-14:00 busy"],
            id="a zone by its IANA name",
        ),
        pytest.param(
            ("DTSTART;TZID=Eastern Standard Time:20261020T090000", "DTEND;TZID=Eastern Standard Time:20261020T100000"),
            ["20 13:00-14:00 busy"],
            id="a zone by its Windows name",
        ),
        pytest.param(
            ("DTSTART;TZID=/example.org/20070129_1/America/New_York:20261020T090000", "DURATION:PT1H"),
            ["20 13:00-14:00 busy"],
            id="a globally unique zone",
        ),
        pytest.param(
            ('DTSTART;TZID="America/New_York":20261020T090000', "DURATION:PT1H"),
            ["20 13:00-14:00 busy"],
            id="a zone in quotes",
        ),
        pytest.param(
            ("DTSTART:20261020T090000", "DTEND:20261020T100000"),
            ["20 07:00-08:00 busy"],
            id="floating: where the person is",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020", "DTEND;VALUE=DATE:20261021"),
            ["10-19 22:00 - 10-20 22:00 busy"],
            id="a day, where the person is",
        ),
        pytest.param(("DTSTART:20261020",), ["10-19 22:00 - 10-20 22:00 busy"], id="a day without its end or VALUE"),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261025",), ["10-24 22:00 - 10-25 23:00 busy"], id="the day the clocks go back"
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020", "DURATION:P2D"), ["10-19 22:00 - 10-21 22:00 busy"], id="days as a duration"
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020", "DURATION:PT12H"),
            ["10-19 22:00 - 10-20 10:00 busy"],
            id="hours from the beginning of a day",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020", "DTEND:20261020T100000Z"),
            ["10-19 22:00 - 10-20 10:00 busy"],
            id="from a date to a time",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020T120000", "DTEND;VALUE=DATE:20261021T120000"),
            ["10-19 22:00 - 10-20 22:00 busy"],
            id="dates written as times",
        ),
        pytest.param(
            ("DTSTART:20261020T090000Z", "DURATION:PT1H30M"), ["20 09:00-10:30 busy"], id="DURATION in place of DTEND"
        ),
        pytest.param(("DTSTART:20261020T090000Z",), [], id="no end: no time"),
        pytest.param(("DTSTART:20261020T090000Z", "DTEND:20261020T090000Z"), [], id="no length"),
        pytest.param(("DTSTART:20261020T090000Z", "DTEND:20261020T080000Z"), [], id="it ends before it starts"),
        pytest.param(("DTSTART:20261018T090000Z", "DTEND:20261019T000000Z"), [], id="it ends as the window starts"),
        pytest.param(("DTSTART:20261102T000000Z", "DTEND:20261103T000000Z"), [], id="it starts as the window ends"),
        pytest.param(
            ("DTSTART:20261001T000000Z", "DTEND:20261201T000000Z"),
            ["10-01 00:00 - 12-01 00:00 busy"],
            id="longer than the window",
        ),
        pytest.param(
            ("DTSTART:20261020T09", " 0000Z", "DTEND:202610", "\t20T100000Z"),
            ["20 09:00-10:00 busy"],
            id="folded lines",
        ),
        pytest.param(
            ("dtstart;tzid=Europe/Berlin:20261020T090000", "dtend:20261020T100000z"),
            ["20 07:00-10:00 busy"],
            id="lower case",
        ),
        pytest.param(
            (*ONE_HOUR, "DESCRIPTION:three", "lines of", "it unfolded: END", "CATEGORIES;;;", "GEO:here", "X-Y"),
            ["20 09:00-10:00 busy"],
            id="nonsense in properties that do not matter",
        ),
        pytest.param(
            (*ONE_HOUR, "BEGIN:VALARM", "TRIGGER:never", "DTSTART:20261020T110000Z", "END:VALARM"),
            ["20 09:00-10:00 busy"],
            id="an alarm inside",
        ),
    ],
)
def test_when(lines: tuple[str, ...], expected: list[str]) -> None:
    assert read(vcalendar(vevent(*lines))) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(WEEKLY, ["20 07:00-08:00 busy", "27 08:00-09:00 busy"], id="the clocks go back in between"),
        pytest.param(
            (*WEEKLY, "EXDATE;TZID=Europe/Berlin:20261020T090000"), ["27 08:00-09:00 busy"], id="an exception"
        ),
        pytest.param((*WEEKLY, "EXDATE:20261027T080000Z"), ["20 07:00-08:00 busy"], id="an exception in UTC"),
        pytest.param((*WEEKLY, "EXDATE;VALUE=DATE:20261020"), ["27 08:00-09:00 busy"], id="an exception by its day"),
        pytest.param(
            (*WEEKLY, "EXDATE;TZID=Europe/Berlin:20261020T090000,20261027T090000"), [], id="two exceptions on one line"
        ),
        pytest.param(
            (*WEEKLY, "RDATE;TZID=Europe/Berlin:20261022T110000"),
            ["20 07:00-08:00 busy", "22 09:00-10:00 busy", "27 08:00-09:00 busy"],
            id="one more date",
        ),
        pytest.param(
            (*ONE_HOUR, "RDATE;VALUE=PERIOD:20261021T090000Z/PT2H,20261022T090000Z/20261022T120000Z"),
            ["20 09:00-10:00 busy", "21 09:00-11:00 busy", "22 09:00-12:00 busy"],
            id="periods",
        ),
        pytest.param(
            ("DTSTART:20200101T090000Z", "DURATION:PT1H", "RDATE:20200102T090000Z,20261022T090000Z"),
            ["22 09:00-10:00 busy"],
            id="one more date long after the first",
        ),
        pytest.param(
            (*ONE_HOUR, "RRULE:FREQ=DAILY;COUNT=3"),
            ["20 09:00-10:00 busy", "21 09:00-10:00 busy", "22 09:00-10:00 busy"],
            id="COUNT",
        ),
        pytest.param(
            ("DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10"), [], id="COUNT is over long ago"
        ),
        pytest.param(
            (*ONE_HOUR, "RRULE:FREQ=DAILY;UNTIL=20261021T090000Z"),
            ["20 09:00-10:00 busy", "21 09:00-10:00 busy"],
            id="UNTIL is the last",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Berlin:20261020T230000", "DURATION:PT30M", "RRULE:FREQ=DAILY;UNTIL=20261021"),
            ["20 21:00-21:30 busy", "21 21:00-21:30 busy"],
            id="UNTIL is a day, and all of it counts",
        ),
        pytest.param(
            ("DTSTART;TZID=America/Lima:20261020T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261021T090000"),
            ["20 14:00-15:00 busy", "21 14:00-15:00 busy"],
            id="UNTIL without a zone is in that of the start",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20261020", "RRULE:FREQ=DAILY;UNTIL=20261021T235959Z"),
            ["10-19 22:00 - 10-20 22:00 busy", "10-20 22:00 - 10-21 22:00 busy"],
            id="UNTIL is a time for days",
        ),
        pytest.param((*WEEKLY[:3], "RRULE:FREQ=WEEKLY;UNTIL=20250101T000000Z"), [], id="UNTIL before the start"),
        pytest.param(
            ("DTSTART;VALUE=DATE:19900131", "RRULE:FREQ=MONTHLY"),
            ["10-30 23:00 - 10-31 23:00 busy"],
            id="the last day of long months",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=MONTHLY"),
            ["10-28 23:00 - 10-29 23:00 busy"],
            id="every month since a leap day",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:19041020", "RRULE:FREQ=YEARLY"), ["10-19 22:00 - 10-20 22:00 busy"], id="a birthday"
        ),
        pytest.param(
            ("DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
            ["30 09:00-10:00 busy"],
            id="the last working day",
        ),
        pytest.param(
            ("DTSTART:20200106T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU"),
            ["19 09:00-10:00 busy", "01 09:00-10:00 busy"],
            id="every other week, which begins on Sunday",
        ),
        pytest.param(
            ("DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=5"),
            ["21 09:00-10:00 busy", "26 09:00-10:00 busy", "31 09:00-10:00 busy"],
            id="every fifth day",
        ),
        pytest.param(
            ("DTSTART:20261020T090000Z", "DURATION:PT10M", "RRULE:FREQ=MINUTELY;INTERVAL=20;BYHOUR=9;COUNT=4"),
            ["20 09:00-09:10 busy", "20 09:20-09:30 busy", "20 09:40-09:50 busy", "21 09:00-09:10 busy"],
            id="within some hours",
        ),
        pytest.param(
            ("DTSTART:20261016T090000Z", "DTEND:20261020T090000Z", "RRULE:FREQ=WEEKLY"),
            [
                "10-16 09:00 - 10-20 09:00 busy",
                "10-23 09:00 - 10-27 09:00 busy",
                "10-30 09:00 - 11-03 09:00 busy",
            ],
            id="one that began before the window",
        ),
    ],
)
def test_recurrence(lines: tuple[str, ...], expected: list[str]) -> None:
    assert read(vcalendar(vevent("UID:1", *(line for line in lines if not line.startswith("UID"))))) == expected


CHANGED = "RECURRENCE-ID;TZID=Europe/Berlin:20261020T090000"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            (CHANGED, "DTSTART:20261021T120000Z", "DTEND:20261021T130000Z"),
            ["21 12:00-13:00 busy", "27 08:00-09:00 busy"],
            id="moved",
        ),
        pytest.param(
            ("RECURRENCE-ID:20261020T070000Z", "DTSTART:20261021T120000Z", "DTEND:20261021T130000Z"),
            ["21 12:00-13:00 busy", "27 08:00-09:00 busy"],
            id="moved, named in UTC",
        ),
        pytest.param(
            (CHANGED, "DTSTART:20261231T120000Z", "DTEND:20261231T130000Z"),
            ["27 08:00-09:00 busy"],
            id="moved out of the window",
        ),
        pytest.param(
            ("RECURRENCE-ID:20261229T080000Z", "DTSTART:20261023T120000Z", "DTEND:20261023T130000Z"),
            ["20 07:00-08:00 busy", "23 12:00-13:00 busy", "27 08:00-09:00 busy"],
            id="moved into the window",
        ),
        pytest.param(
            (CHANGED, "DTSTART:20261020T070000Z", "DTEND:20261020T080000Z", "STATUS:CANCELLED"),
            ["27 08:00-09:00 busy"],
            id="cancelled",
        ),
        pytest.param(
            (CHANGED, "DTSTART:20261020T070000Z", "DTEND:20261020T080000Z", "TRANSP:TRANSPARENT"),
            ["27 08:00-09:00 busy"],
            id="free this once",
        ),
        pytest.param(
            (CHANGED, "DTSTART:20261020T070000Z", "DTEND:20261020T080000Z", OTHER),
            ["20 07:00-08:00 busy meeting", "27 08:00-09:00 busy"],
            id="with others this once",
        ),
        pytest.param(
            ("RECURRENCE-ID;RANGE=THISANDFUTURE:20261020T070000Z", "DTSTART:20261020T090000Z", "DURATION:PT1H"),
            ["20 09:00-10:00 busy", "27 10:00-11:00 busy"],
            id="from then on",
        ),
    ],
)
def test_changed_occurrences(change: tuple[str, ...], expected: list[str]) -> None:
    # also when the change stands before what it changes
    events = vevent(*WEEKLY), vevent("UID:1", *change)
    assert read(vcalendar(*events)) == expected
    assert read(vcalendar(*reversed(events))) == expected


def test_a_newer_version_replaces_an_older() -> None:
    older = vevent(*ONE_HOUR, "SEQUENCE:1")
    newer = vevent("UID:1", "DTSTART:20261021T090000Z", "DTEND:20261021T100000Z", "SEQUENCE:2")
    beyond = vevent("UID:1", "DTSTART:20270101T090000Z", "DTEND:20270101T100000Z", "SEQUENCE:2")
    assert read(vcalendar(older, newer)) == read(vcalendar(newer, older)) == ["21 09:00-10:00 busy"]
    assert read(vcalendar(older, beyond)) == []
    before = vevent("UID:1", "DTSTART:20200101T090000Z", "DTEND:20200101T100000Z", "SEQUENCE:0")
    assert read(vcalendar(before, newer)) == ["21 09:00-10:00 busy"]


def test_events_without_a_uid_and_several_calendars_in_one_file() -> None:
    one = vevent("DTSTART:20261021T090000Z", "DTEND:20261021T100000Z")
    two = vevent("DTSTART:20261020T090000Z", "DTEND:20261020T100000Z")
    expected = ["20 09:00-10:00 busy", "21 09:00-10:00 busy"]
    assert read(vcalendar(one, two)) == expected
    assert read(vcalendar(one) + "\r\n" + vcalendar(two)) == expected
    assert read("\ufeff\n" + vcalendar(one, two)) == expected
    assert read(vcalendar(one, two).replace("\r\n", "\n").encode()) == expected
    assert read(vcalendar()) == []


OWN = f"ATTENDEE;PARTSTAT=%s:mailto:{ME.upper()}"
INVITED = "ORGANIZER:mailto:lee@example.com"
NAMED_OTHERWISE = f"ATTENDEE;EMAIL={ME};PARTSTAT=ACCEPTED:urn:uuid:1"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "busy"),
        (["TRANSP:OPAQUE"], "busy"),
        (["TRANSP:TRANSPARENT"], None),
        (["STATUS:CONFIRMED"], "busy"),
        (["STATUS:TENTATIVE"], "tentative"),
        (["STATUS:CANCELLED", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"], "tentative"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:BUSY"], "busy"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], "oof"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:workingelsewhere"], "workingElsewhere"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:TRANSPARENT"], "oof"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OTHER", "TRANSP:TRANSPARENT"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OTHER"], "busy"),
        ([OTHER], "busy meeting"),
        ([INVITED], "busy meeting"),
        ([f"ORGANIZER:MAILTO:{ME}"], "busy"),
        ([f"ORGANIZER:MAILTO:{ME}", OTHER], "busy meeting"),
        ([OWN % "ACCEPTED"], "busy"),
        ([OWN % "ACCEPTED", INVITED], "busy meeting"),
        ([NAMED_OTHERWISE], "busy"),
        ([NAMED_OTHERWISE.replace("ACCEPTED", "DECLINED"), INVITED], None),
        ([OWN % "DECLINED", INVITED], None),
        ([OWN % "DECLINED", INVITED, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"], None),
        ([OWN % "NEEDS-ACTION", INVITED], "tentative meeting"),
        ([OWN % "TENTATIVE", INVITED], "tentative meeting"),
        ([OWN % "tentative", INVITED, "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"], "tentative meeting"),
        ([OWN % "TENTATIVE", INVITED, "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"], "tentative meeting"),
        ([OWN % "TENTATIVE", INVITED, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"], "oof meeting"),
        ([OWN % "TENTATIVE", INVITED, "TRANSP:TRANSPARENT"], None),
        ([OWN % "DELEGATED", INVITED], "busy meeting"),
        ([f"ATTENDEE:mailto:{ME}", INVITED], "busy meeting"),
        ([OWN % "NEEDS-ACTION", f"ORGANIZER:mailto:{ME}", OTHER], "busy meeting"),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:lee@example.com"], "busy meeting"),
    ],
    ids=str,
)
def test_how_it_shows(lines: list[str], expected: str | None) -> None:
    found = read(vcalendar(vevent(*ONE_HOUR, *lines)))
    assert found == ([] if expected is None else [f"20 09:00-10:00 {expected}"])


def test_the_person_may_have_two_addresses() -> None:
    text = vcalendar(vevent(*ONE_HOUR, "ATTENDEE:mailto:k.doe@example.com", f"ORGANIZER:mailto:{ME}"))
    assert read(text, me=(ME, "K.Doe@example.com")) == ["20 09:00-10:00 busy"]
    assert read(text, me=()) == ["20 09:00-10:00 busy meeting"]


# --- time zones of the file's own ---------------------------------------------------------------------------------

CUSTOM = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
X-ODD;;:
LAST-MODIFIED:whenever
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:Winter
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
THERE = vevent(
    "UID:1",
    "DTSTART;TZID=Customized Time Zone:20260106T090000",
    "DTEND;TZID=Customized Time Zone:20260106T100000",
    "RRULE:FREQ=WEEKLY",
)


def test_a_zone_that_only_the_file_describes_and_no_other_file_sees() -> None:
    expected = ["20 06:00-07:00 busy", "27 07:00-08:00 busy"]
    assert read(vcalendar(CUSTOM, THERE)) == expected
    assert read(vcalendar(THERE, CUSTOM)) == expected
    other = CUSTOM.replace("+0300", "-0700").replace("+0200", "-0800")
    assert read(vcalendar(other, THERE)) == ["20 16:00-17:00 busy", "27 17:00-18:00 busy"]
    assert read(vcalendar(CUSTOM, THERE)) == expected


def test_a_known_name_and_a_location_count_before_what_the_file_says_of_the_zone() -> None:
    named = CUSTOM.replace("Customized Time Zone", "Europe/Berlin")
    assert read(vcalendar(named, vevent(*WEEKLY))) == ["20 07:00-08:00 busy", "27 08:00-09:00 busy"]
    located = CUSTOM.replace("X-ODD;;:", "X-LIC-LOCATION:America/New_York")
    assert read(vcalendar(located, THERE)) == ["20 13:00-14:00 busy", "27 13:00-14:00 busy"]


# --- samples, as the programs write them --------------------------------------------------------------------------

OUTLOOK = """BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
X-CALSTART:20261001T000000Z
X-WR-RELCALID:{0000002E-5AD3-5D12-3A1F-4B4B4B4B4B4B}
X-WR-CALNAME:Kim Doe
X-PRIMARY-CALENDAR:TRUE
X-OWNER;CN="Kim Doe":mailto:kim@example.com
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;CN="Lee, Robin";RSVP=TRUE:mailto:lee@example.com
CLASS:PUBLIC
CREATED:20261001T120000Z
DESCRIPTION:Agenda\\n\\n1. Hello\\n ________________________________________
 __________________________\\nJoin on your computer\\, mobile app
DTEND;TZID="W. Europe Standard Time":20261020T093000
DTSTAMP:20261001T120000Z
DTSTART;TZID="W. Europe Standard Time":20261020T090000
LOCATION:Microsoft Teams Meeting
ORGANIZER;CN="Kim Doe":mailto:kim@example.com
PRIORITY:5
RRULE:FREQ=WEEKLY;BYDAY=TU
SEQUENCE:0
SUMMARY;LANGUAGE=en-us:Stand-up
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E00800000000
X-ALT-DESC;FMTTYPE=text/html:<html xmlns:v="urn:schemas-microsoft-com:vml">
 <body>hello</body></html>
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-IMPORTANCE:1
X-MS-OLK-AUTOFILLLOCATION:FALSE
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
CLASS:PUBLIC
DTEND;VALUE=DATE:20261024
DTSTART;VALUE=DATE:20261022
SUMMARY:Holiday
TRANSP:OPAQUE
UID:2
X-MICROSOFT-CDO-BUSYSTATUS:OOF
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
END:VEVENT
BEGIN:VEVENT
DTEND;TZID="W. Europe Standard Time":20261021T180000
DTSTART;TZID="W. Europe Standard Time":20261021T080000
SUMMARY:Home
TRANSP:TRANSPARENT
UID:3
X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE
END:VEVENT
END:VCALENDAR
"""

GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:kim@example.com
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-LIC-LOCATION:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:GMT+2
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:GMT+1
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20261020T100000
DTEND;TZID=Europe/Berlin:20261020T110000
RRULE:FREQ=WEEKLY;WKST=MO;UNTIL=20270101T225959Z;BYDAY=TU
DTSTAMP:20261001T120000Z
ORGANIZER;CN=lee@example.com:mailto:lee@example.com
UID:abc@google.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=lee@ex
 ample.com;X-NUM-GUESTS=0:mailto:lee@example.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=kim@ex
 ample.com;X-NUM-GUESTS=0:mailto:kim@example.com
SEQUENCE:1
STATUS:CONFIRMED
SUMMARY:Review
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20261027T150000
DTEND;TZID=Europe/Berlin:20261027T160000
UID:abc@google.com
RECURRENCE-ID;TZID=Europe/Berlin:20261027T100000
ORGANIZER;CN=lee@example.com:mailto:lee@example.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=ki
 m@example.com;X-NUM-GUESTS=0:mailto:kim@example.com
SEQUENCE:2
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART:20261021T120000Z
DTEND:20261021T123000Z
UID:def@google.com
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261022
DTEND;VALUE=DATE:20261023
UID:ghi@google.com
SUMMARY:Somebody's birthday
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
DTSTART:20261020T140000Z
DTEND:20261020T150000Z
RRULE:FREQ=WEEKLY
UID:jkl@google.com
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""

APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//macOS 15.1//EN
VERSION:2.0
X-APPLE-CALENDAR-COLOR:#1BADF8
X-WR-CALNAME:Work
X-WR-TIMEZONE:America/Los_Angeles
BEGIN:VTIMEZONE
TZID:America/Los_Angeles
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZNAME:PDT
TZOFFSETFROM:-0800
TZOFFSETTO:-0700
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZNAME:PST
TZOFFSETFROM:-0700
TZOFFSETTO:-0800
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;CN="Kim Doe";CUTYPE=INDIVIDUAL;EMAIL="kim@example.com";PARTSTAT=AC
 CEPTED;ROLE=REQ-PARTICIPANT:mailto:kim@example.com
ATTENDEE;CN="Robin";CUTYPE=INDIVIDUAL;EMAIL="lee@example.com";PARTSTAT=ACCE
 PTED:/aMTQ4NzE/principal/
CREATED:20261001T120000Z
DTEND;TZID=America/Los_Angeles:20261021T110000
DTSTART;TZID=America/Los_Angeles:20261021T100000
ORGANIZER;CN="Kim Doe";EMAIL="kim@example.com":mailto:kim@example.com
RRULE:FREQ=DAILY;COUNT=2
SUMMARY:Pairing
TRANSP:OPAQUE
UID:5B9F7B34-0000-4000-8000-000000000001
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-APPLE-RADIUS=70;X-TITLE="1 Infinite
  Loop\\, Cupertino":geo:37.331684,-122.030758
BEGIN:VALARM
ACKNOWLEDGED:20261001T120000Z
TRIGGER;VALUE=DATE-TIME:19760401T005545Z
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTEND;VALUE=DATE:16041025
DTSTART;VALUE=DATE:16041024
RRULE:FREQ=YEARLY
SUMMARY:A birthday without its year
TRANSP:TRANSPARENT
UID:5B9F7B34-0000-4000-8000-000000000002
END:VEVENT
BEGIN:VEVENT
DTEND:20261023T130000
DTSTART:20261023T120000
SUMMARY:Lunch, wherever
UID:5B9F7B34-0000-4000-8000-000000000003
END:VEVENT
END:VCALENDAR
"""


def test_outlook() -> None:
    assert read(OUTLOOK.replace("\n", "\r\n")) == [
        "20 07:00-07:30 busy meeting",
        "21 06:00-16:00 workingElsewhere",
        "10-21 22:00 - 10-23 22:00 oof",
        "27 08:00-08:30 busy meeting",
    ]


def test_google() -> None:
    expected = [
        "20 08:00-09:00 busy meeting",
        "20 14:00-15:00 busy",
        "21 12:00-12:30 busy",
        "27 14:00-15:00 tentative meeting",
        "27 15:00-16:00 busy",  # UTC, but it follows the clocks of the calendar's own zone
    ]
    assert read(GOOGLE.replace("\n", "\r\n")) == expected
    assert read(GOOGLE, zone="Asia/Tokyo") == expected


def test_apple() -> None:
    expected = ["21 17:00-18:00 busy meeting", "22 17:00-18:00 busy meeting", "23 19:00-20:00 busy"]
    assert read(APPLE, zone=None) == expected  # a person of no known zone is where the calendar is
    assert read(APPLE) == [*expected[:2], "23 10:00-11:00 busy"]
