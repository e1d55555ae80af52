"""State look: presence as a terminal shows it, a shape and a colour for each state, so that either is enough.

The shapes are the live board's (web/static/presence.js); the words beside them always say the same. Where a terminal
has no such letters there are ASCII ones, and rich leaves colours out for NO_COLOR and pipes.
"""

from typing import NamedTuple

from rich.console import Console
from rich.text import Text


class Kind(NamedTuple):
    """A group of states: its name for ``--state``, its words, its shape, that in ASCII, its colour in rich's words."""

    key: str
    label: str
    shape: str
    ascii: str
    style: str


KINDS = {
    kind.key: kind
    for kind in (
        Kind("available", "Available", "✓", "+", "bold green"),
        Kind("busy", "Busy", "●", "#", "red"),
        Kind("dnd", "Do not disturb", "⊖", "-", "bold red"),
        Kind("brb", "Be right back", "◷", ":", "yellow"),
        Kind("away", "Away", "◷", ":", "yellow"),
        Kind("ooo", "Out of office", "←", "<", "magenta"),
        Kind("offline", "Offline", "⊗", "x", "bright_black"),
        Kind("unknown", "Unknown", "?", "?", "bright_black"),
    )
}
"""In the order of the board."""

_IDLE = Kind("available", "Available", "◌", "~", "green")

_OF_AVAILABILITY = {
    "Available": "available",
    "AvailableIdle": "available",
    "Busy": "busy",
    "BusyIdle": "busy",
    "DoNotDisturb": "dnd",
    "BeRightBack": "brb",
    "Away": "away",
    "Offline": "offline",
}

_ACTIVITIES = {
    "AvailableInactive": "inactive",
    "InACall": "in a call",
    "InAConferenceCall": "in a conference call",
    "InAMeeting": "in a meeting",
    "OffWork": "off work",
    "OutOfOffice": "out of office",
    "UrgentInterruptionsOnly": "urgent interruptions only",
    "DoNotDisturb": "do not disturb",
    "BeRightBack": "be right back",
}


def kind_of(availability: str, out_of_office: bool) -> Kind:
    """The group of a state. Out of office is a group of its own for those who are not busy meanwhile."""
    key = _OF_AVAILABILITY.get(availability, "unknown")
    return KINDS["ooo" if out_of_office and key not in ("busy", "dnd") else key]


def words(availability: str, activity: str, out_of_office: bool = False) -> str:
    """A state in words, such as "Busy, in a call". Of a word that is not Graph's it is that word."""
    label = KINDS[_OF_AVAILABILITY.get(availability, "unknown")].label
    said = [label]
    if activity not in (availability, "PresenceUnknown", ""):
        doing = _ACTIVITIES.get(activity, activity[0].lower() + activity[1:])
        if doing.lower() != label.lower():
            said.append(doing)
    if out_of_office and "out of office" not in said:
        said.append("out of office")
    return ", ".join(said)


def style_of(availability: str) -> str:
    """The colour of a state, in rich's words."""
    return kind_of(availability, False).style


def mark(kind: Kind, console: Console) -> str:
    """The shape of a kind, in letters that the console has."""
    return kind.ascii if console.options.ascii_only else kind.shape


def state_text(availability: str, activity: str, out_of_office: bool, console: Console) -> Text:
    """A state as one cell: its shape, its words, its colour."""
    kind = kind_of(availability, out_of_office)
    look = _IDLE if kind.key == "available" and activity == "AvailableInactive" else kind
    return Text(f"{mark(look, console)} {words(availability, activity, out_of_office)}", look.style)
