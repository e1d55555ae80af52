"""The states of an endpoint, by Graph's percentages and windows (webhook delivery page, edition of April 2026)."""

import pytest

from presenced.notify.endpoint_state import WINDOW, EndpointState

# answers in one window: how many, of them over 3 seconds, of them over 10; the state
SHARES = [
    (0, 0, 0, "normal"),
    (4, 4, 4, "normal"),  # too few to tell
    (5, 0, 0, "normal"),
    (10, 1, 0, "normal"),  # 10 % is not more than 10 %
    (10, 2, 0, "slow"),
    (100, 10, 0, "normal"),
    (100, 11, 0, "slow"),
    (20, 3, 3, "slow"),  # 15 % is not more than 15 %
    (20, 4, 4, "drop"),
    (100, 15, 15, "slow"),
    (100, 16, 16, "drop"),
]


@pytest.mark.parametrize(("count", "slow", "late", "name"), SHARES)
def test_states_by_share(count: int, slow: int, late: int, name: str) -> None:
    state = EndpointState()
    for number in range(count):
        state.answered(float(number), 10.5 if number < late else 3.5 if number < slow else 0.1)
    assert state.name(float(count)) == name


def test_a_state_ends_with_its_window() -> None:
    state = EndpointState()
    for number in range(10):
        state.answered(float(number), 11.0)
    assert state.name(WINDOW - 1) == "drop"
    assert state.name(WINDOW + 4) == "drop"  # five are left
    assert state.name(WINDOW + 5) == "normal"  # four tell nothing: some are let through to see
    for number in range(5):
        state.answered(WINDOW + 6 + number, 11.0)
    assert state.name(WINDOW + 11) == "drop"


def test_slow_delays_new_notifications_by_ten_minutes() -> None:
    state = EndpointState()
    assert state.send_at(50.0, 60.0) == 50.0
    for number in range(10):
        state.answered(float(number), 5.0)
    assert state.send_at(50.0, 60.0) == 50.0 + WINDOW


def test_a_clock_set_back_forgets_what_it_cannot_place() -> None:
    state = EndpointState()
    for number in range(10):
        state.answered(1e6 + number, 11.0)
    assert state.name(100.0) == "normal"
