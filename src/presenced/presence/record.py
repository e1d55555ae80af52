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
AutomaticRepliesStatus = Literal["disabled", "alwaysEnabled", "scheduled"]
ExternalAudience = Literal["none", "contactsOnly", "all"]
ShowAs = Literal["tentative", "busy", "oof", "workingElsewhere"]

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


class Preferred(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """The state a person chose for themself, and when it ends (None: never)."""

    availability: str
    activity: str
    expires_at: float | None = None


class StatusMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A status message: plain text, when it was published, and when it ends (None: never)."""

    content: str
    published_at: float
    expires_at: float | None = None


class OutOfOffice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Automatic replies (automaticRepliesSetting), and the window in which scheduled ones hold (None: open on
    that side).

    ``message`` is the reply to colleagues as plain text, which readers of presence see; ``internal_reply`` and
    ``external_reply`` are the texts as they were set, which may be HTML.
    """

    message: str | None = None
    starts_at: float | None = None
    ends_at: float | None = None
    status: AutomaticRepliesStatus = "scheduled"
    internal_reply: str | None = None
    external_reply: str | None = None
    external_audience: ExternalAudience = "none"


class WorkLocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a person works, as one layer says; ``expires_at`` is when that ends (None: never)."""

    type: WorkLocationType = "unspecified"
    place_id: str | None = None
    expires_at: float | None = None


class CalendarEvent(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """A stretch of a person's calendar that is not free; ``is_meeting``: there are others in it."""

    starts_at: float
    ends_at: float
    show_as: ShowAs
    is_meeting: bool = False


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's calendar as far as it is worked out: the events that begin before ``known_until``, by their start.

    ``known_until`` is None for a person without a calendar. Nothing is known of the time before ``known_from``.
    """

    events: tuple[CalendarEvent, ...] = ()
    known_until: float | None = None
    known_from: float = 0.0


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything known about one person.

    ``sequence`` is the sequence number of what readers saw at ``settled_at``; resolve() continues it from there.
    ``time_zone`` is an IANA or a Windows name; the person's current date is the one there (None: UTC).
    """

    settled_at: float
    sequence: int
    profile: Profile = Profile()
    sessions: dict[str, Session] = {}
    preferred: Preferred | None = None
    status_message: StatusMessage | None = None
    out_of_office: OutOfOffice | None = None
    manual_location: WorkLocation | None = None
    automatic_location: WorkLocation | None = None
    calendar: Calendar = Calendar()
    time_zone: str | None = None
