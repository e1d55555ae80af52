"""Actions: what the board changes of a person by click. Graph's actions, with their names, bodies and rules."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from presenced.presence import actions, status_message, work_location
from presenced.presence.record import Record


class Nothing(msgspec.Struct):
    """The body of an action without parameters."""


class Action(NamedTuple):
    """An action: what its body is, and its rule, which may raise Refused."""

    form: type[Any]
    rule: Callable[[Record, Any, float], Record]


ACTIONS = {
    "setPresence": Action(actions.SetPresence, actions.set_presence),
    "clearPresence": Action(actions.ClearPresence, actions.clear_presence),
    "setUserPreferredPresence": Action(actions.SetUserPreferredPresence, actions.set_user_preferred_presence),
    "clearUserPreferredPresence": Action(Nothing, actions.clear_user_preferred_presence),
    "setStatusMessage": Action(status_message.SetStatusMessage, status_message.set_status_message),
    "setManualLocation": Action(work_location.SetLocation, work_location.set_manual_location),
    "clearLocation": Action(Nothing, work_location.clear_location),
}
