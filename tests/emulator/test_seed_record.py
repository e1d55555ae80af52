"""What a seed says of a person and what a record says of them are the same, at every instant."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presenced.emulator.seed import (
    SeedEvent,
    SeedLocation,
    SeedMessage,
    SeedPerson,
    SeedPreferred,
    SeedReplies,
    SeedSession,
)
from presenced.emulator.seed_file import SeedWrong, read, write
from presenced.emulator.seed_record import PartWrong, instant_of, person_of, record_of
from presenced.presence.record import Calendar, Record
from presenced.presence.resolve import Visible, resolve
from presenced.presence.states import CLIENT_STATES, PREFERRED_STATES

NOW = 1_800_000_000.0

ahead = st.integers(1, 90_000).map(lambda seconds: f"PT{seconds}S")
behind = st.integers(0, 90_000).map(lambda seconds: f"-PT{seconds}S")
maybe_ahead = st.none() | ahead
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


def _session(state: tuple[str, str], **more: object) -> SeedSession:
    return SeedSession(availability=state[0], activity=state[1], **more)  # type: ignore[arg-type]


sessions = st.lists(
    st.builds(_session, st.sampled_from(CLIENT_STATES), id=names, since=behind, expires=maybe_ahead),
    max_size=3,
    unique_by=lambda session: session.id,
).map(tuple)
preferred = st.builds(
    lambda state, expires: SeedPreferred(availability=state[0], activity=state[1], expires=expires),
    st.sampled_from(PREFERRED_STATES),
    maybe_ahead,
)
replies = st.builds(
    SeedReplies,
    status=st.sampled_from(["disabled", "alwaysEnabled", "scheduled"]),
    message=st.none() | names,
    internal_reply=st.none() | names,
    starts=st.none() | behind,
    ends=maybe_ahead,
)
locations = st.builds(
    SeedLocation, type=st.sampled_from(["office", "remote", "timeOff"]), place_id=st.none() | names, expires=maybe_ahead
)
events = st.lists(
    st.builds(
        lambda starts, lasts, show_as, meeting: SeedEvent(
            starts=f"PT{starts}S", ends=f"PT{starts + lasts}S", show_as=show_as, meeting=meeting
        ),
        st.integers(0, 9000),
        st.integers(1, 9000),
        st.sampled_from(["busy", "oof", "tentative", "workingElsewhere"]),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
people = st.builds(
    SeedPerson,
    sessions=sessions,
    preferred=st.none() | preferred,
    message=st.none() | st.builds(SeedMessage, content=names, published=behind, expires=maybe_ahead),
    automatic_replies=st.none() | replies,
    manual_location=st.none() | locations,
    automatic_location=st.none() | locations,
    events=events,
)


def seen(record: Record, at: float) -> Visible:
    return msgspec.structs.replace(resolve(record, at), sequence=0)


@given(people, st.integers(0, 100_000), st.integers(0, 100_000))
def test_an_exported_person_is_seen_as_before(person: SeedPerson, passed: int, later: int) -> None:
    record = record_of(person, None, Calendar(), NOW)
    exported = person_of("x", record, NOW + passed, password_hash=None, calendar=None)
    # put in at another time, it is as it was when it was exported, from then on
    moved = 7_654_321.0
    again = record_of(exported, None, Calendar(), NOW + moved)
    before, after = seen(record, NOW + passed + later), seen(again, NOW + moved + later)
    for one in ("state", "out_of_office", "out_of_office_message", "work_location"):
        assert getattr(after, one) == getattr(before, one)
    assert (after.status_message is None) == (before.status_message is None)
    if before.status_message is not None and after.status_message is not None:
        assert after.status_message.content == before.status_message.content


@given(people, st.sampled_from(["json", "yaml", "toml"]))
def test_a_written_seed_reads_as_it_was(person: SeedPerson, form: str) -> None:
    tenant = {"id": "11111111-2222-4333-8444-555555555555", "people": [msgspec.to_builtins(person)]}
    seed, _ = read(msgspec.json.encode({"tenants": [tenant]}), "json")
    again, _ = read(write(seed, form).encode(), form)  # type: ignore[arg-type]
    assert again == seed


@given(st.text() | st.from_regex(r"[+-]?P[\dDTHMSW.]{0,8}"))
def test_an_instant_is_one_or_is_refused(text: str) -> None:
    try:
        at = instant_of(text, (), NOW)
    except PartWrong:
        return
    assert 0 <= at < 1e12


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["json", "yaml", "toml"]))
def test_whatever_is_read_is_a_seed_or_is_refused(content: bytes, form: str) -> None:
    with pytest.raises(SeedWrong):
        read(content, form)  # type: ignore[arg-type]
