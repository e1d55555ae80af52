"""Seed: what a server shall hold to begin with, as people write it down: tenants, apps, people and their states.

The words are Graph's wherever Graph has one. An instant is a duration, counted from when the seed is put in (PT1H: an
hour later, -PT5M: five minutes earlier), or an instant itself (ISO 8601; UTC if it has no offset). Durations are what
makes a seed the same whenever it is put in.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from presenced.presence.record import (
    AutomaticRepliesStatus,
    ExternalAudience,
    ShowAs,
    WorkLocationType,
)
from presenced.presence.states import Activity, Availability

MOST_PEOPLE = 200_000
MOST_TENANTS = 1_000
MOST_APPS = 1_000

Instant = Annotated[
    str, Meta(description="A duration from when the seed is put in (PT1H, -PT5M), or an instant (ISO 8601).")
]
Guid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="A GUID, such as fa8bf3dc-eca7-46b7-bad1-db199b62afc3.",
    ),
]

Secret = Annotated[str, Meta(min_length=1, max_length=1024)]
Hash = Annotated[str, Meta(min_length=1, max_length=256)]
Reply = Annotated[str, Meta(max_length=16_384)]
Place = Annotated[str, Meta(min_length=1, max_length=256)]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, rename="camel"):
    """What all parts of a seed have in common: a word that is not known is an error, not passed over."""


class SeedSession(_Part, frozen=True, kw_only=True):
    """What one client says of a person, as Teams or setPresence would."""

    id: Annotated[
        str, Meta(min_length=1, max_length=256, description="The sessionId: the client's app id, or any name.")
    ] = "teams-desktop"
    availability: Annotated[Availability, Meta(description="The availability it shows.")]
    activity: Annotated[Activity | None, Meta(description="The activity it shows. Left out: as the availability.")] = (
        None
    )
    since: Annotated[Instant | None, Meta(description="When it was set. Left out: when the seed is put in.")] = None
    expires: Annotated[
        Instant | None,
        Meta(
            description="When it ends. Left out: never, and it does not fade either, as the session of a Teams client "
            "that is there."
        ),
    ] = None


class SeedPreferred(_Part, frozen=True, kw_only=True):
    """The state a person chose for themself (setUserPreferredPresence)."""

    availability: Availability
    activity: Annotated[Activity | None, Meta(description="Left out: as the availability.")] = None
    expires: Annotated[Instant | None, Meta(description="When it ends. Left out: never.")] = None


class SeedMessage(_Part, frozen=True, kw_only=True):
    """A status message."""

    content: Annotated[str, Meta(min_length=1, max_length=1024, description="Plain text.")]
    published: Annotated[Instant | None, Meta(description="Left out: when the seed is put in.")] = None
    expires: Annotated[Instant | None, Meta(description="When it ends. Left out: never.")] = None


class SeedReplies(_Part, frozen=True, kw_only=True):
    """Automatic replies (automaticRepliesSetting): the person is out of office while they are sent."""

    status: AutomaticRepliesStatus = "alwaysEnabled"
    message: Annotated[
        Reply | None, Meta(description="The reply to colleagues as plain text, which readers of presence see.")
    ] = None
    internal_reply: Annotated[
        Reply | None, Meta(description="The same as it is sent, which may be HTML. Left out: the message.")
    ] = None
    external_reply: Annotated[Reply | None, Meta(description="The reply to others.")] = None
    external_audience: ExternalAudience = "none"
    starts: Annotated[Instant | None, Meta(description="For scheduled ones; left out: they have begun.")] = None
    ends: Annotated[Instant | None, Meta(description="For scheduled ones; left out: they do not end.")] = None


class SeedLocation(_Part, frozen=True, kw_only=True):
    """Where a person works."""

    type: WorkLocationType
    place_id: Place | None = None
    expires: Annotated[Instant | None, Meta(description="When that ends. Left out: never.")] = None


class SeedEvent(_Part, frozen=True, kw_only=True):
    """A stretch of a person's calendar."""

    starts: Instant
    ends: Instant
    show_as: ShowAs = "busy"
    meeting: Annotated[bool, Meta(description="Whether there are others in it.")] = False


class SeedPerson(_Part, frozen=True, kw_only=True):
    """A person of a tenant, and all that is known of their presence."""

    id: Annotated[
        Guid | None, Meta(description="The object id. Left out: made from the userPrincipalName, always the same one.")
    ] = None
    user_principal_name: str | None = None
    display_name: str | None = None
    mail: str | None = None
    job_title: str | None = None
    password: Annotated[Secret | None, Meta(description="What the person signs in with, in plain text.")] = None
    password_hash: Annotated[
        Hash | None, Meta(description="What the person signs in with, as an export writes it.")
    ] = None
    time_zone: Annotated[str | None, Meta(description="An IANA or a Windows name. Left out: UTC.")] = None
    sessions: Annotated[tuple[SeedSession, ...], Meta(max_length=500, description="None: the person is offline.")] = ()
    preferred: SeedPreferred | None = None
    message: SeedMessage | None = None
    automatic_replies: SeedReplies | None = None
    manual_location: Annotated[SeedLocation | None, Meta(description="What the person said.")] = None
    automatic_location: Annotated[SeedLocation | None, Meta(description="What was detected.")] = None
    calendar: Annotated[str | None, Meta(description="The person's calendar as iCalendar text.")] = None
    calendar_file: Annotated[
        str | None, Meta(description="An iCalendar file to read, named from the folder of the seed.")
    ] = None
    events: Annotated[
        tuple[SeedEvent, ...],
        Meta(max_length=1000, description="The person's calendar as events, which may be relative, unlike a file's."),
    ] = ()


class SeedApp(_Part, frozen=True, kw_only=True):
    """An application of a tenant."""

    id: Annotated[
        Guid | None, Meta(description="The client id. Left out: made from the name, always the same one.")
    ] = None
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    principal: Annotated[Guid | None, Meta(description="The object id of its service principal.")] = None
    secret: Annotated[Secret | None, Meta(description="A secret in plain text.")] = None
    secret_hashes: Annotated[
        tuple[str, ...], Meta(max_length=10, description="Secrets as an export writes them: SHA-256 in hex.")
    ] = ()
    certificates: Annotated[tuple[str, ...], Meta(max_length=10, description="X.509 certificates as PEM text.")] = ()
    application_permissions: Annotated[
        tuple[str, ...], Meta(max_length=100, description="What it may do by itself, such as Presence.Read.All.")
    ] = ()
    delegated_permissions: Annotated[
        tuple[str, ...], Meta(max_length=100, description="What it may do for people who are signed in.")
    ] = ()
    sign_in: Annotated[bool, Meta(description="Whether people sign in to it without a secret (a public client).")] = (
        False
    )
    redirect_uris: tuple[str, ...] = ()
    spa_redirect_uris: tuple[str, ...] = ()


class SeedTenant(_Part, frozen=True, kw_only=True):
    """A tenant."""

    id: Guid
    home: Annotated[
        bool, Meta(description="Whether it is the one meant where none is named. None says so: the first.")
    ] = False
    domains: Annotated[tuple[str, ...], Meta(max_length=100, description="Names that clients may use for it.")] = ()
    apps: Annotated[tuple[SeedApp, ...], Meta(max_length=MOST_APPS)] = ()
    people: Annotated[tuple[SeedPerson, ...], Meta(max_length=MOST_PEOPLE)] = ()


class SeedClock(_Part, frozen=True, kw_only=True):
    """What the clock says then, on a server whose clock may be set."""

    now: Annotated[str | None, Meta(description="An instant (ISO 8601). Left out: the machine's time.")] = None
    frozen: Annotated[bool, Meta(description="Whether it stands still.")] = False


class Seed(_Part, frozen=True, kw_only=True):
    """A seed for presenced: what a server holds to begin with, and what a reset goes back to."""

    schema: Annotated[str | None, Meta(description="For editors.")] = msgspec.field(name="$schema", default=None)
    clock: SeedClock | None = None
    tenants: Annotated[tuple[SeedTenant, ...], Meta(min_length=1, max_length=MOST_TENANTS)]


def schema() -> dict[str, object]:
    """The JSON schema of seed files, by which editors check and complete them."""
    made = msgspec.json.schema(Seed)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "presenced seed", **made}
