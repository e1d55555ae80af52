"""Subscription: who wants to be told of whose presence, and where (Graph's subscription resource).

A subscription is authorised by the token it was created, renewed or reauthorized with: once that has ended, deliveries
pause until it is authorised anew (page "Reduce missing subscriptions and change notifications").
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from presenced.presence.record import guid

MOST_IDS = 650
"""People in one subscription (page "Get presence change notifications")."""

_COLLECTION = re.compile(r"/?communications/presences", re.IGNORECASE)
_ONE = re.compile(r"/?communications/presences(?:/([^/?()']+)|\(\s*'?([^/?()']+?)'?\s*\))", re.IGNORECASE)
_SOME = re.compile(r"/?communications/presences\?\s*\$filter=\s*id\s+in\s*\((.*)\)\s*", re.IGNORECASE | re.DOTALL)
_ID = re.compile(r"\s*(?:'([^']*)'|([^\s',()]+))\s*")


class NoPresence(Exception):
    """A resource that names no presence to subscribe to. The message says why."""


class Target(NamedTuple):
    """Whose presence: the ids, or None for everybody in the tenant."""

    ids: tuple[str, ...] | None


def parse_resource(resource: str) -> Target:
    """What a subscription's ``resource`` names: one person, some by a filter (quoted or not), or the collection.

    Raises NoPresence.
    """
    resource = resource.strip()
    if _COLLECTION.fullmatch(resource):
        return Target(None)
    if one := _ONE.fullmatch(resource):
        listed = [one[1] or one[2]]
    elif some := _SOME.fullmatch(resource):
        listed = []
        for part in some[1].split(",") if some[1].strip() else ():
            named = _ID.fullmatch(part)
            if named is None:
                raise NoPresence(f"{part.strip()[:64]!r} in the filter of the resource is not an id.")
            listed.append(named[1] or named[2] or "")
    else:
        raise NoPresence(
            "The resource is not one that can be subscribed to here. Use communications/presences/{id} or "
            "communications/presences?$filter=id in ('{id}',...)."
        )
    ids = []
    for text in listed:
        person = guid(text)
        if person is None:
            raise NoPresence(f"{text[:64]!r} in the resource is not the object id of a person (a GUID).")
        ids.append(person)
    if not ids:
        raise NoPresence("The resource names nobody.")
    return Target(tuple(dict.fromkeys(ids)))


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """A subscription. Instants are seconds since 1970 UTC.

    ``user`` is None for an application's own (an extension). ``authorised_until`` is the end of the token that
    authorised it at ``authorised_at``; ``reminded`` says that its owner was asked to reauthorize since then.
    """

    id: str
    tenant: str
    app: str
    user: str | None
    creator: str
    resource: str
    ids: tuple[str, ...] | None
    notification_url: str
    expires_at: float
    authorised_at: float
    authorised_until: float
    lifecycle_url: str | None = None
    client_state: str | None = None
    include_resource_data: bool = False
    certificate: str | None = None
    certificate_id: str | None = None
    tls_version: str = "v1_2"
    notification_url_app_id: str | None = None
    reminded: bool = False

    def authorised(self, now: float) -> bool:
        """Whether notifications may be delivered at ``now``."""
        return now < self.authorised_until

    def reminder_at(self) -> float:
        """When its owner should be asked to reauthorize: when a quarter of the token's life is left."""
        return self.authorised_until - (self.authorised_until - self.authorised_at) / 4


def reminder_of(reminded: Subscription) -> Callable[[Subscription], Subscription]:
    """Marks a subscription as reminded, unless it was authorised anew meanwhile."""

    def mark(now: Subscription) -> Subscription:
        if now.authorised_at != reminded.authorised_at:
            return now
        return msgspec.structs.replace(now, reminded=True)

    return mark
