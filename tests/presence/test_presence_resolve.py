"""What readers see, by example: precedence, fade, expiry, preferred state, messages. Instants are plain numbers."""

from itertools import permutations
from math import inf

import pytest

from presenced.presence.record import OutOfOffice, Preferred, Record, Session, StatusMessage
from presenced.presence.resolve import Visible, VisibleLocation, next_change, resolve
from presenced.presence.states import AWAY, INACTIVE, OFFLINE, State

AVAILABLE = State("Available", "Available")
IN_A_CALL = State("Busy", "InACall")
IN_A_CONFERENCE = State("Busy", "InAConferenceCall")
PRESENTING = State("DoNotDisturb", "Presenting")

PRECEDENCE = [
    # (source, states of the sessions, what readers see)
    (
        "concept page [G17]: DoNotDisturb > Busy > Available > Away",
        [PRESENTING, IN_A_CALL, AVAILABLE, AWAY],
        PRESENTING,
    ),
    ("concept page [G17]", [PRESENTING, IN_A_CALL], PRESENTING),
    ("concept page [G17]", [PRESENTING, AVAILABLE], PRESENTING),
    ("concept page [G17]", [PRESENTING, AWAY], PRESENTING),
    ("concept page [G17]", [IN_A_CALL, AVAILABLE, AWAY], IN_A_CALL),
    ("concept page [G17]", [IN_A_CONFERENCE, AVAILABLE], IN_A_CONFERENCE),
    ("Microsoft staff [T15]: no Away while a client is Available", [AVAILABLE, AWAY], AVAILABLE),
    ("one session", [AWAY], AWAY),
    ("setPresence page: no live session", [], OFFLINE),
]

FADES = [
    # (source, state, seconds since it was set, what readers see), of a session of one hour
    ("setPresence page [G3]: first timeout after 5 minutes", AVAILABLE, 0.0, AVAILABLE),
    ("just before the first timeout", AVAILABLE, 299.999, AVAILABLE),
    ("at the first timeout", AVAILABLE, 300.0, INACTIVE),
    ("just before the second", AVAILABLE, 599.999, INACTIVE),
    ("setPresence page [G3]: second timeout 5 minutes later", AVAILABLE, 600.0, AWAY),
    ("observed [T16]: Away for the rest of the hour", AVAILABLE, 3599.999, AWAY),
    ("at its expiry", AVAILABLE, 3600.0, OFFLINE),
    ("only Available fades [G3]", IN_A_CALL, 3599.999, IN_A_CALL),
    ("only Available fades [G3]", IN_A_CONFERENCE, 3599.999, IN_A_CONFERENCE),
    ("only Available fades [G3]", PRESENTING, 3599.999, PRESENTING),
    ("only Available fades [G3]", AWAY, 3599.999, AWAY),
    ("all expire", PRESENTING, 3600.0, OFFLINE),
]

WINDOWS = [
    # (starts, ends, instant, out of office)
    (100.0, 200.0, 99.999, False),
    (100.0, 200.0, 100.0, True),
    (100.0, 200.0, 199.999, True),
    (100.0, 200.0, 200.0, False),
    (None, 200.0, -1e9, True),
    (None, 200.0, 200.0, False),
    (100.0, None, 99.0, False),
    (100.0, None, 1e12, True),
    (None, None, 0.0, True),
    (0.0, 100.0, -1.0, False),  # instant 0 is an instant, not "open"
    (-100.0, 0.0, 1.0, False),
    (200.0, 100.0, 150.0, False),
]


def person(*sessions: Session, preferred: State | None = None, **facts: object) -> Record:
    named = {f"s{number}": session for number, session in enumerate(sessions)}
    chosen = Preferred(*preferred) if preferred else None
    return Record(0.0, 0, sessions=named, preferred=chosen, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "states", "seen"), PRECEDENCE)
def test_the_strongest_session_shows_in_whatever_order_they_were_set(
    source: str, states: list[State], seen: State
) -> None:
    for order in permutations(states):
        record = person(*(Session(state, float(at), 200.0) for at, state in enumerate(order)))
        assert resolve(record, 100.0).state == seen, source


@pytest.mark.parametrize(("source", "state", "age", "seen"), FADES)
def test_a_session_fades_and_expires_on_time(source: str, state: State, age: float, seen: State) -> None:
    assert resolve(person(Session(state, 1000.0, 4600.0)), 1000.0 + age).state == seen, source


def test_with_the_default_five_minutes_expiry_wins_over_the_fade() -> None:
    record = person(Session(AVAILABLE, 0.0, 300.0))
    assert resolve(record, 299.999).state == AVAILABLE
    assert resolve(record, 300.0).state == OFFLINE
    assert next_change(record, 0.0) == 300.0
    assert next_change(record, 300.0) is None


def test_a_faded_session_gives_way_to_one_that_is_fresh_and_holds_against_away() -> None:
    faded = Session(AVAILABLE, 0.0, 3600.0)
    assert resolve(person(faded, Session(AVAILABLE, 100.0, 3600.0)), 350.0).state == AVAILABLE
    kept_by_its_client = Session(AVAILABLE, -1000.0, None)
    assert resolve(person(faded, kept_by_its_client), 350.0).state == AVAILABLE
    assert resolve(person(faded, Session(AWAY, 100.0, 3600.0)), 350.0).state == INACTIVE
    assert resolve(person(faded, Session(IN_A_CALL, 100.0, 3600.0)), 350.0).state == IN_A_CALL


@pytest.mark.parametrize("state", [AVAILABLE, IN_A_CALL, AWAY, PRESENTING])
def test_a_session_kept_by_its_client_neither_fades_nor_expires(state: State) -> None:
    record = person(Session(state, 0.0, None))
    assert [resolve(record, at).state for at in (0.0, 300.0, 600.0, 14400.0, 1e10)] == [state] * 5
    assert next_change(record, 0.0) is None


def test_a_preferred_state_shows_over_every_session_but_only_while_one_lives() -> None:
    """setUserPreferredPresence page."""
    busy = State("Busy", "Busy")
    record = person(Session(PRESENTING, 0.0, 300.0), Session(AVAILABLE, 0.0, 900.0), preferred=busy)
    assert resolve(record, 0.0).state == busy
    assert resolve(record, 899.999).state == busy
    assert resolve(record, 900.0).state == OFFLINE
    assert resolve(person(preferred=busy), 0.0).state == OFFLINE


def test_appear_offline_hides_a_live_session() -> None:
    """spec [T21]: Offline/OffWork while sessions live."""
    off_work = State("Offline", "OffWork")
    assert resolve(person(Session(AVAILABLE, 0.0), preferred=off_work), 10.0).state == off_work


def test_a_change_behind_a_preferred_state_is_no_news() -> None:
    record = person(Session(AVAILABLE, 0.0, 3600.0), preferred=State("Busy", "Busy"))
    assert resolve(record, 0.0) == resolve(record, 3599.0)
    assert resolve(record, 3600.0).sequence > resolve(record, 3599.0).sequence


@pytest.mark.parametrize(("starts", "ends", "now", "away"), WINDOWS)
def test_out_of_office_holds_from_its_start_until_its_end(
    starts: float | None, ends: float | None, now: float, away: bool
) -> None:
    record = person(out_of_office=OutOfOffice("On holiday", starts, ends))
    seen = resolve(record, now)
    assert (seen.out_of_office, seen.out_of_office_message) == (away, "On holiday" if away else None)


def test_a_status_message_shows_until_it_ends() -> None:
    message = StatusMessage("Back at noon", 0.0, 100.0)
    assert resolve(person(status_message=message), 99.999).status_message == message
    assert resolve(person(status_message=message), 100.0).status_message is None
    forever = StatusMessage("Here to help", 0.0)
    assert resolve(person(status_message=forever), 1e12).status_message == forever


def test_next_change_lists_every_instant_of_a_record_in_order() -> None:
    record = person(
        Session(AVAILABLE, 0.0, 3600.0),
        Session(IN_A_CALL, 0.0, 450.0),
        Session(AVAILABLE, 50.0, None),
        Session(AVAILABLE, 100.0, 500.0),
        status_message=StatusMessage("x", 0.0, 120.0),
        out_of_office=OutOfOffice(None, 1000.0, 2000.0),
    )
    instants = []
    now: float | None = -inf
    while now is not None and (now := next_change(record, now)) is not None:
        instants.append(now)
    assert instants == [120.0, 300.0, 400.0, 450.0, 500.0, 600.0, 1000.0, 2000.0, 3600.0]


def test_a_person_of_whom_nothing_is_known_is_offline_and_stays_so() -> None:
    nothing = Record(0.0, 7)
    assert resolve(nothing, 1e9) == Visible(OFFLINE, None, False, None, VisibleLocation(), 7)
    assert next_change(nothing, 0.0) is None


def test_looking_is_pure() -> None:
    record = person(Session(AVAILABLE, 0.0, 3600.0), status_message=StatusMessage("x", 0.0, 120.0))
    assert [resolve(record, 700.0) for _ in range(3)] == [resolve(record, 700.0)] * 3
    assert resolve(record, 10.0).state == AVAILABLE  # looking ahead has left nothing behind
