"""setPresence and clearPresence by example. Instants are plain numbers of seconds."""

import msgspec
import pytest

from presenced.presence.actions import (
    DEFAULT_SESSION,
    LONGEST_SESSION_ID,
    MOST_SESSIONS,
    ClearPresence,
    SetPresence,
    check_set_presence,
    clear_presence,
    set_presence,
)
from presenced.presence.record import OutOfOffice, Preferred, Profile, Record
from presenced.presence.refused import Refused
from presenced.presence.resolve import resolve
from presenced.presence.settle import new_record, pass_time
from presenced.presence.states import AWAY, OFFLINE, State

APP = "22553876-f5ab-4529-bffb-cfe50aa89f87"
AVAILABLE = State("Available", "Available")
IN_A_CALL = State("Busy", "InACall")
IN_A_CONFERENCE = State("Busy", "InAConferenceCall")
PRESENTING = State("DoNotDisturb", "Presenting")

PAIRS = [
    # (source, availability, activity)
    ("setPresence page [G3]", "Available", "Available"),
    ("setPresence page [G3]", "Busy", "InACall"),
    ("setPresence page [G3]", "Busy", "InAConferenceCall"),
    ("setPresence page [G3]", "Away", "Away"),
    ("setPresence page, later revision [G3]", "DoNotDisturb", "Presenting"),
]

REFUSED_PAIRS = [
    ("observed [T14]", "Busy", "Busy"),
    ("only in a draft [G3b]", "DoNotDisturb", "DoNotDisturb"),
    ("only in a draft [G3b]", "BeRightBack", "BeRightBack"),
    ("only in a draft [G3b]", "Offline", "OffWork"),
    ("no such pair", "Offline", "Offline"),
    ("no such pair", "Available", "Away"),
    ("no such pair", "Away", "Available"),
    ("no such pair", "Available", "Presenting"),
    ("comes from a calendar [G17]", "Available", "OutOfOffice"),
    ("comes from a calendar [G17]", "Busy", "InAMeeting"),
    ("a faded session, never set [G17]", "Available", "AvailableInactive"),
    ("what readers get for nobody [G3b]", "PresenceUnknown", "PresenceUnknown"),
    ("no word of Graph", "Lunch", "Eating"),
    ("spaces are not letters", " Available", "Available"),
    ("spaces are not letters", "Do Not Disturb", "Presenting"),
    ("letters of other scripts", "Аvailable", "Available"),  # Cyrillic A
]


def ask(state: State = AVAILABLE, session: str = APP, duration: str | None = None) -> SetPresence:
    return SetPresence(session, state.availability, state.activity, duration)


def refusal(record: Record, request: SetPresence | ClearPresence, now: float = 0.0) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        _ = (
            set_presence(record, request, now)
            if isinstance(request, SetPresence)
            else clear_presence(record, request, now)
        )
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(("source", "availability", "activity"), PAIRS)
@pytest.mark.parametrize("case", [str, str.lower, str.upper, str.swapcase, lambda word: word[0].lower() + word[1:]])
def test_each_of_the_five_pairs_is_accepted_in_any_letter_case(
    source: str, availability: str, activity: str, case: "type[str]"
) -> None:
    request = SetPresence(APP, case(availability), case(activity), "PT1H")
    record = set_presence(new_record(0.0), request, 0.0)
    assert resolve(record, 0.0).state == (availability, activity), source


@pytest.mark.parametrize(("source", "availability", "activity"), REFUSED_PAIRS)
def test_any_other_pair_is_refused_with_the_pairs_that_would_do(source: str, availability: str, activity: str) -> None:
    code, message = refusal(new_record(0.0), SetPresence(APP, availability, activity))
    assert code == "InvalidArgument", source
    for _, accepted, with_activity in PAIRS:
        assert f"{accepted}/{with_activity}" in message


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SetPresence(None, "Available", "Available"), "[SessionId]: The SessionId field is required."),
        (SetPresence("", "Available", "Available"), "[SessionId]: The SessionId field is required."),
        (SetPresence(APP, None, "Available"), "[Availability]: The Availability field is required."),
        (SetPresence(APP, "", "Available"), "[Availability]: The Availability field is required."),
        (SetPresence(APP, "Available", None), "[Activity]: The Activity field is required."),
        (SetPresence(), "[SessionId]: The SessionId field is required."),
        (ClearPresence(), "[SessionId]: The SessionId field is required."),  # observed, ms-teams-cli issue 71
        (ClearPresence(""), "[SessionId]: The SessionId field is required."),
    ],
)
def test_a_field_left_out_is_named(request_: SetPresence | ClearPresence, message: str) -> None:
    assert refusal(new_record(0.0), request_) == ("InvalidArgument", message)


def test_a_session_id_may_be_any_text_up_to_its_longest() -> None:
    for session in ("teams-cli", "graph-mcp", "x" * LONGEST_SESSION_ID):  # the first two: spec C13
        record = set_presence(new_record(0.0), ask(session=session), 0.0)
        assert list(record.sessions) == [session]
    long = "x" * (LONGEST_SESSION_ID + 1)
    assert refusal(new_record(0.0), ask(session=long))[0] == "InvalidArgument"
    assert refusal(new_record(0.0), ClearPresence(long))[0] == "InvalidArgument"


@pytest.mark.parametrize("duration", ["PT4M59S", "PT4H1S"])
def test_a_duration_out_of_bounds_is_refused_in_the_words_graph_uses(duration: str) -> None:
    message = "The provided [ExpirationDuration] is out of range."
    assert refusal(new_record(0.0), ask(duration=duration)) == ("InvalidArgument", message)


@pytest.mark.parametrize(
    ("duration", "seconds"), [("PT5M", 300.0), ("PT4H", 14400.0), ("1:00:00", 3600.0), (None, 300.0)]
)
def test_a_session_lives_as_long_as_was_asked_and_not_a_moment_longer(duration: str | None, seconds: float) -> None:
    record = set_presence(new_record(1000.0), ask(IN_A_CALL, duration=duration), 1000.0)
    assert resolve(record, 1000.0 + seconds - 0.001).state == IN_A_CALL
    assert resolve(record, 1000.0 + seconds).state == OFFLINE


def test_the_default_is_five_minutes() -> None:
    assert DEFAULT_SESSION == 300.0
    assert check_set_presence(ask()).expires_at == 300.0


def test_setting_again_restarts_both_fade_and_expiry() -> None:
    record = set_presence(new_record(0.0), ask(duration="PT10M"), 0.0)
    record = set_presence(record, ask(duration="PT20M"), 240.0)
    assert resolve(record, 539.0).state == AVAILABLE
    assert resolve(record, 540.0).state == ("Available", "AvailableInactive")
    assert resolve(record, 840.0).state == AWAY
    assert resolve(record, 240.0 + 1199.0).state == AWAY
    assert resolve(record, 240.0 + 1200.0).state == OFFLINE


def test_a_shorter_renewal_shortens_the_session() -> None:
    record = set_presence(new_record(0.0), ask(IN_A_CALL, duration="PT4H"), 0.0)
    record = set_presence(record, ask(IN_A_CALL, duration="PT5M"), 60.0)
    assert resolve(record, 360.0).state == OFFLINE


def test_an_application_has_one_session_which_its_newest_state_replaces() -> None:
    record = set_presence(new_record(0.0), ask(PRESENTING, duration="PT1H"), 0.0)
    record = set_presence(record, ask(AWAY, duration="PT1H"), 1.0)
    assert resolve(record, 1.0).state == AWAY
    assert list(record.sessions) == [APP]


def test_session_ids_that_differ_in_letter_case_are_two_sessions() -> None:
    record = set_presence(new_record(0.0), ask(PRESENTING, "abc", "PT1H"), 0.0)
    record = set_presence(record, ask(AWAY, "ABC", "PT1H"), 1.0)
    assert resolve(record, 1.0).state == PRESENTING


@pytest.mark.parametrize("gap", [0.0, 10.0])
def test_of_two_calls_of_one_strength_the_later_shows_even_on_a_stopped_clock(gap: float) -> None:
    record = set_presence(new_record(0.0), ask(IN_A_CALL, "a", "PT1H"), 0.0)
    record = set_presence(record, ask(IN_A_CONFERENCE, "b", "PT1H"), gap)
    assert resolve(record, gap).state == IN_A_CONFERENCE
    record = set_presence(record, ask(IN_A_CALL, "a", "PT1H"), 2 * gap)
    assert resolve(record, 2 * gap).state == IN_A_CALL


def test_clearing_the_only_session_shows_offline() -> None:
    record = set_presence(new_record(0.0), ask(), 0.0)
    assert resolve(clear_presence(record, ClearPresence(APP), 10.0), 10.0).state == OFFLINE


def test_clearing_one_of_two_sessions_shows_the_other() -> None:
    record = set_presence(new_record(0.0), ask(PRESENTING, "a"), 0.0)
    record = set_presence(record, ask(IN_A_CALL, "b"), 1.0)
    assert resolve(clear_presence(record, ClearPresence("a"), 10.0), 10.0).state == IN_A_CALL


def test_clearing_what_is_not_there_is_not_found() -> None:
    record = set_presence(new_record(0.0), ask(session="mine"), 0.0)
    cleared = clear_presence(record, ClearPresence("mine"), 1.0)
    for before, session, now in [
        (new_record(0.0), "mine", 1.0),  # never had one
        (record, "another", 1.0),  # another application's
        (record, "MINE", 1.0),  # not the same id
        (cleared, "mine", 2.0),  # cleared already
        (record, "mine", 300.0),  # expired at this very instant
    ]:
        assert refusal(before, ClearPresence(session), now)[0] == "NotFound"


def test_the_number_of_live_sessions_is_bounded_and_expired_ones_make_room() -> None:
    record = new_record(0.0)
    for number in range(MOST_SESSIONS):
        record = set_presence(record, ask(session=f"s{number}"), 0.0)
    code, message = refusal(record, ask(session="one more"), 10.0)
    assert code == "InvalidArgument"
    assert str(MOST_SESSIONS) in message
    assert len(set_presence(record, ask(session="s7"), 10.0).sessions) == MOST_SESSIONS
    assert list(set_presence(record, ask(session="one more"), 300.0).sessions) == ["one more"]


def test_renewing_the_same_state_is_no_news() -> None:
    record = set_presence(new_record(0.0), ask(), 0.0)
    renewed = set_presence(record, ask(), 200.0)
    assert resolve(renewed, 200.0) == resolve(record, 200.0)


def test_the_sequence_number_is_the_microsecond_of_the_last_visible_change() -> None:
    record = set_presence(new_record(1000.0), ask(duration="PT1H"), 1010.0)
    assert resolve(record, 1010.0).sequence == 1_010_000_000
    assert resolve(record, 1309.0).sequence == 1_010_000_000
    assert resolve(record, 1400.0).sequence == 1_310_000_000  # AvailableInactive
    assert resolve(record, 4000.0).sequence == 1_610_000_000  # Away
    assert resolve(record, 9999.0).sequence == 4_610_000_000  # Offline


def test_the_sequence_number_grows_for_many_changes_at_one_instant() -> None:
    record = new_record(1000.0)
    numbers = [resolve(record, 1000.0).sequence]
    for state in (AVAILABLE, IN_A_CALL, PRESENTING, AWAY, AVAILABLE):
        record = set_presence(record, ask(state), 1000.0)
        numbers.append(resolve(record, 1000.0).sequence)
    assert numbers == sorted(set(numbers))


def test_the_sequence_number_grows_when_the_clock_steps_back() -> None:
    record = set_presence(new_record(1000.0), ask(duration="PT1H"), 1000.0)
    seen = resolve(record, 1000.0).sequence
    record = set_presence(record, ask(IN_A_CALL, duration="PT1H"), 500.0)
    assert resolve(record, 500.0).sequence > seen
    seen = resolve(record, 500.0).sequence
    record = clear_presence(record, ClearPresence(APP), 200.0)
    assert resolve(record, 200.0).sequence > seen


def test_what_readers_saw_before_the_clock_stepped_back_has_another_number() -> None:
    """Seen at 1300: AvailableInactive. Back at 1200 the person reads Available again, and that is news."""
    record = pass_time(set_presence(new_record(1000.0), ask(duration="PT1H"), 1000.0), 1300.0)
    seen = resolve(record, 1300.0)
    assert seen.state.activity == "AvailableInactive"
    back = pass_time(record, 1200.0)
    assert resolve(back, 1200.0).state == AVAILABLE
    assert resolve(back, 1200.0).sequence > seen.sequence
    assert resolve(back, 1300.0).sequence > resolve(back, 1200.0).sequence


def test_the_sequence_number_grows_after_forgetting_a_person_and_adding_them_again_later() -> None:
    record = new_record(1000.0)
    for number in range(50):
        record = set_presence(record, ask(AVAILABLE if number % 2 else IN_A_CALL), 1000.0 + number)
    forgotten_at = 1060.0
    assert resolve(new_record(forgotten_at), forgotten_at).sequence > resolve(record, forgotten_at).sequence


def test_a_new_person_is_offline_and_keeps_the_profile() -> None:
    profile = Profile(user_principal_name="adele@contoso.com")
    record = new_record(1000.0, profile)
    assert record.profile == profile
    assert resolve(record, 1000.0).state == OFFLINE
    assert resolve(record, 1000.0).sequence == 1_000_000_000


def test_actions_leave_the_record_they_were_given_as_it_was() -> None:
    record = set_presence(new_record(0.0), ask(), 0.0)
    before = msgspec.msgpack.encode(record)
    set_presence(record, ask(IN_A_CALL), 10.0)
    set_presence(record, ask(IN_A_CALL, "another"), 10.0)
    clear_presence(record, ClearPresence(APP), 10.0)
    pass_time(record, 1000.0)
    assert msgspec.msgpack.encode(record) == before


def test_actions_keep_what_they_are_not_about() -> None:
    record = msgspec.structs.replace(
        new_record(0.0, Profile(display_name="Adele")),
        preferred=Preferred(*AWAY),
        out_of_office=OutOfOffice("gone", 5.0, 9.0),
    )
    after = clear_presence(set_presence(record, ask(), 1.0), ClearPresence(APP), 2.0)
    after = pass_time(after, 3.0)
    for field in ("profile", "preferred", "status_message", "out_of_office", "manual_location"):
        assert getattr(after, field) == getattr(record, field)
