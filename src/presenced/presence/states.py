"""States: availabilities, activities, the pairs each action accepts, and which state wins.

Sources: the presence resource and setPresence pages of Graph's documentation, and the concept page "Manage presence
state using the Microsoft Graph cloud communications API" for precedence. The documentation's newest value lists are
camelCase, every documented example and every observed answer is PascalCase: we say PascalCase and match any case.
"""

from typing import Literal, NamedTuple

Availability = Literal[
    "Available",
    "AvailableIdle",
    "Away",
    "BeRightBack",
    "Busy",
    "BusyIdle",
    "DoNotDisturb",
    "Offline",
]
Activity = Literal[
    "Available",
    "AvailableInactive",
    "Away",
    "BeRightBack",
    "Busy",
    "DoNotDisturb",
    "Focusing",
    "InACall",
    "InAConferenceCall",
    "InAMeeting",
    "Inactive",
    "OffWork",
    "Presenting",
    "UrgentInterruptionsOnly",
]
"""The words of Graph's presence resource for a session or a choice of a person. (OutOfOffice and PresenceUnknown are
what readers see; nobody says them.)"""


class State(NamedTuple):
    """An availability and the activity that goes with it, both spelt as Graph writes them."""

    availability: str
    activity: str


OFFLINE = State("Offline", "Offline")
"""No live session (clearPresence page)."""

UNKNOWN = State("PresenceUnknown", "PresenceUnknown")
"""What a reader gets for an id that names nobody (Microsoft staff, techcommunity 3987552)."""

AVAILABLE = State("Available", "Available")
"""An active session (setPresence page)."""

AVAILABLE_OUT_OF_OFFICE = State("Available", "OutOfOffice")
"""What Available becomes for a person who is out of office (concept page)."""

BUSY = State("Busy", "Busy")
"""An appointment in the calendar (Teams' page on presence: Busy and In a meeting come from the calendar)."""

IN_A_MEETING = State("Busy", "InAMeeting")
"""A meeting in the calendar (likewise)."""

INACTIVE = State("Available", "AvailableInactive")
"""An Available session after its first timeout (setPresence page)."""

AWAY = State("Away", "Away")
"""An Available session after its second timeout (setPresence page)."""

SESSION_STATES = (
    State("Available", "Available"),
    State("Busy", "InACall"),
    State("Busy", "InAConferenceCall"),
    State("Away", "Away"),
    State("DoNotDisturb", "Presenting"),
)
"""The five pairs setPresence accepts (setPresence page)."""

PREFERRED_STATES = (
    State("Available", "Available"),
    State("Busy", "Busy"),
    State("DoNotDisturb", "DoNotDisturb"),
    State("BeRightBack", "BeRightBack"),
    State("Away", "Away"),
    State("Offline", "OffWork"),
)
"""The six pairs setUserPreferredPresence accepts (its page)."""

CLIENT_STATES = (
    State("Available", "Available"),
    INACTIVE,
    State("AvailableIdle", "Inactive"),
    State("Busy", "Busy"),
    State("Busy", "InACall"),
    State("Busy", "InAConferenceCall"),
    State("Busy", "InAMeeting"),
    State("BusyIdle", "Inactive"),
    State("BusyIdle", "Busy"),
    State("BusyIdle", "InAMeeting"),
    State("DoNotDisturb", "DoNotDisturb"),
    State("DoNotDisturb", "Presenting"),
    State("DoNotDisturb", "Focusing"),
    State("DoNotDisturb", "UrgentInterruptionsOnly"),
    State("BeRightBack", "BeRightBack"),
    State("Away", "Away"),
    State("Away", "BeRightBack"),
)
"""The pairs that clients of Teams show by themselves (presence resource; those with Idle are our reading of it)."""

_PRECEDENCE = {
    "DoNotDisturb": 4,
    "Busy": 3,
    "BusyIdle": 3,
    "Available": 2,
    "AvailableIdle": 2,
    "BeRightBack": 1,
    "Away": 1,
    "Offline": 0,
}


def strength(state: State) -> tuple[int, int]:
    """How strongly a session's state counts among the person's sessions; the greatest is what readers see.

    DoNotDisturb > Busy > Available > Away is documented (concept page). That a session which has begun to fade
    yields to one that is still Available is our reading: the person is active on the other device.
    """
    return _PRECEDENCE.get(state.availability, 0), 0 if state == INACTIVE else 1


def match(availability: str, activity: str, accepted: tuple[State, ...]) -> State | None:
    """The accepted pair that these two words name in any letter case, or None."""
    wanted = availability.lower(), activity.lower()
    for state in accepted:
        if (state.availability.lower(), state.activity.lower()) == wanted:
            return state
    return None
