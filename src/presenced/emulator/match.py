"""Match: which requests or notifications are meant, by a fault or by somebody who waits. What is not said is any."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

BULK_READS = {"getPresencesByUserId": "body", "listPresences": "query"}
"""The operations that name many people, and where."""

READS = frozenset({*BULK_READS, "getPresence"})
"""The operations that read presence."""


class HeaderMatch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A header of the request, in any letter case, with this value or any."""

    name: _Name
    value: Annotated[str, msgspec.Meta(max_length=1024)] | None = None

    def meets(self, headers: Mapping[str, str]) -> bool:
        """Whether it is among ``headers``, whose names are in lower case."""
        given = headers.get(self.name.lower())
        return given is not None and self.value in (None, given)


class Match(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which are meant. ``tenant``, ``app`` and ``person`` are ids; ``tenant`` may be a domain, too."""

    operation: _Name | None = None
    tenant: Id | None = None
    app: Id | None = None
    person: Id | None = None
    header: HeaderMatch | None = None

    def is_of(self, tenant: str | None, app: str | None) -> bool:
        """Whether something of this tenant and app may be meant."""
        return self.tenant in (None, tenant) and self.app in (None, app)


def names_person(person: str, operation: str | None, key: str, query: str, body: str) -> bool:
    """Whether a request is about a person: the one its path names, or one of those a bulk read asks for."""
    where = BULK_READS.get(operation or "")
    if where is None:
        return key.lower() == person
    return person in (body if where == "body" else query).lower()
