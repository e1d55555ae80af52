"""Record: what is known about one person, as facts with timestamps. What a reader sees of them is in resolve.py.

All instants are seconds since 1970 UTC, as floats. Records are values: an action returns a new one.
The members follow Graph's presence resource, its presenceStatusMessage, outOfOfficeSettings and userWorkLocation.
"""

import re
from typing import Literal

import msgspec

from presenced.presence.states import State

WorkLocationType = Literal["unspecified", "office", "remote", "timeOff"]
WorkLocationSource = Literal["none", "manual", "scheduled", "automatic"]


_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def guid(text: str) -> str | None:
    """``text`` as Graph writes an object id, in lower case, or None if it is no GUID."""
    lower = text.lower()
    return lower if _GUID.fullmatch(lower) else None


class Profile(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the directory says of a person (the user resource, cut to what presenced serves)."""

    user_principal_name: str | None = None
    display_name: str | None = None
    mail: str | None = None
    job_title: str | None = None


class Session(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One application's or one Teams client's word on a person.

    ``expires_at`` is None for a session that its client keeps alive by itself, as a signed-in Teams client does:
    such a session neither fades nor expires.
    """

    state: State
    set_at: float
    expires_at: float | None = None


class StatusMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A status message: plain text, when it was published, and when it ends (None: never)."""

    content: str
    published_at: float
    expires_at: float | None = None


class OutOfOffice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Automatic replies: the text, and the window in which they hold (None: open on that side)."""

    message: str | None = None
    starts_at: float | None = None
    ends_at: float | None = None


class WorkLocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a person works, and which layer says so (userWorkLocation)."""

    source: WorkLocationSource = "none"
    type: WorkLocationType = "unspecified"
    place_id: str | None = None


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything known about one person.

    ``sequence`` is the sequence number of what readers saw at ``settled_at``; resolve() continues it from there.
    """

    settled_at: float
    sequence: int
    profile: Profile = Profile()
    sessions: dict[str, Session] = {}
    preferred: State | None = None
    status_message: StatusMessage | None = None
    out_of_office: OutOfOffice | None = None
    work_location: WorkLocation = WorkLocation()
