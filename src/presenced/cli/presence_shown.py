"""Presence shown: what the commands show of a presence as Graph has it (the presence resource), whatever came."""

from typing import Any

import msgspec

from presenced.cli.terminal import printable

_LONGEST_WORD = 60


class PresenceShown(msgspec.Struct, frozen=True):
    """A presence. ``message`` is one line; ``location`` is empty if none is said."""

    availability: str
    activity: str
    is_out_of_office: bool = False
    message: str = ""
    location: str = ""


def shown(presence: dict[str, Any]) -> PresenceShown:
    """What is shown of a presence; of an empty one, that nothing is known."""
    message = _within(_within(presence, "statusMessage"), "message").get("content")
    location = _within(presence, "workLocation").get("workLocationType")
    return PresenceShown(
        _word(presence.get("availability")),
        _word(presence.get("activity")),
        _within(presence, "outOfOfficeSettings").get("isOutOfOffice") is True,
        " ".join(message.split()) if isinstance(message, str) else "",
        "" if location in (None, "unspecified") else _word(location),
    )


def _within(presence: dict[str, Any], member: str) -> dict[str, Any]:
    value = presence.get(member)
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return printable(value, _LONGEST_WORD) if isinstance(value, str) else "PresenceUnknown"
