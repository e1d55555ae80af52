"""The directory of people: id, userPrincipalName, displayName, mail, jobTitle of each person of a tenant.

The facts live in the person's record, so that adding a person and changing their presence are one kind of change.
Codes and texts of refusals are those of Graph's user resource.
"""

import re
from uuid import uuid4

import msgspec
from msgspec import UNSET, UnsetType

from presenced.clock import Clock
from presenced.presence.record import Profile, Record, guid
from presenced.presence.refused import Refused
from presenced.presence.settle import new_record
from presenced.store.base import NameTaken, Store

_NAME = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
LONGEST = {"displayName": 256, "mail": 256, "jobTitle": 128}
"""Characters."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """A person as the directory shows them (the user resource, cut to what presenced serves)."""

    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    mail: str | None = None
    job_title: str | None = None


class PersonChange(msgspec.Struct, rename="camel"):
    """What to set of a person: members left out stay, null empties."""

    user_principal_name: str | UnsetType | None = UNSET
    display_name: str | UnsetType | None = UNSET
    mail: str | UnsetType | None = UNSET
    job_title: str | UnsetType | None = UNSET

    def applied(self, profile: Profile) -> Profile:
        """The profile with this change made. Raises Refused(Request_BadRequest) for a value no person can have."""
        given = {name: value for name in Profile.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
        changed = msgspec.structs.replace(profile, **given)
        name = changed.user_principal_name
        if name is not None and not _NAME.fullmatch(name):
            raise _invalid("userPrincipalName", "is not a name like someone@example.com")
        for field, value in (
            ("displayName", changed.display_name),
            ("mail", changed.mail),
            ("jobTitle", changed.job_title),
        ):
            if value is not None and len(value) > LONGEST[field]:
                raise _invalid(field, f"is longer than {LONGEST[field]} characters")
            if value is not None and _CONTROL.search(value):
                raise _invalid(field, "holds a control character")
        return changed


class Directory:
    """The people of all tenants."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, tenant: str, key: str) -> Person | None:
        """The person with this id or userPrincipalName, in any letter case."""
        person = guid(key) or await self._store.find(tenant, key)
        if person is None:
            return None
        (record,) = await self._store.read(tenant, [person])
        return None if record is None else _shown(person, record)

    async def page(self, tenant: str, after: str, limit: int) -> list[Person]:
        """Up to ``limit`` people in the order of their ids, from the first greater than ``after``."""
        return [_shown(person, record) for person, record in await self._store.people(tenant, after, limit)]

    async def add(self, tenant: str, person: str | None, change: PersonChange) -> Person:
        """Add a person, under a new id if none is given.

        Raises Refused(Request_BadRequest) if the id or the userPrincipalName is taken, or a value is not allowed.
        """
        key = guid(person) if person is not None else str(uuid4())
        if key is None:
            raise _invalid("id", "is not a GUID")
        profile = change.applied(Profile())

        def action(record: Record | None) -> Record:
            if record is not None:
                raise _taken("id")
            return new_record(self._clock.now(), profile)

        return _shown(key, await self._change(tenant, key, action))

    async def put(self, tenant: str, person: str, change: PersonChange) -> bool:
        """Add a person or change the one with this id; whether they are new. Raises like ``add``."""
        new = False

        def action(record: Record | None) -> Record:
            nonlocal new
            new = record is None
            return _changed(record or new_record(self._clock.now()), change)

        await self._change(tenant, person, action)
        return new

    async def update(self, tenant: str, key: str, change: PersonChange) -> None:
        """Change a person. Raises Refused: Request_ResourceNotFound, or Request_BadRequest like ``add``."""

        def action(record: Record | None) -> Record:
            if record is None:
                raise no_such_person(key)
            return _changed(record, change)

        await self._change(tenant, await self._id(tenant, key), action)

    async def remove(self, tenant: str, key: str) -> str:
        """Forget a person and everything known of them; their id. Raises Refused(Request_ResourceNotFound)."""

        def action(record: Record | None) -> None:
            if record is None:
                raise no_such_person(key)

        person = await self._id(tenant, key)
        await self._store.change(tenant, person, action)
        return person

    async def _id(self, tenant: str, key: str) -> str:
        person = guid(key) or await self._store.find(tenant, key)
        if person is None:
            raise no_such_person(key)
        return person

    async def _change(self, tenant: str, person: str, action) -> Record:  # type: ignore[no-untyped-def]
        try:
            record = await self._store.change(tenant, person, action)
        except NameTaken:
            raise _taken("userPrincipalName") from None
        assert record is not None
        return record


def no_such_person(key: str) -> Refused:
    """The refusal of an id or name that names nobody, in the directory's words."""
    return Refused(
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def _changed(record: Record, change: PersonChange) -> Record:
    profile = change.applied(record.profile)
    return record if profile == record.profile else msgspec.structs.replace(record, profile=profile)


def _shown(person: str, record: Record) -> Person:
    profile = record.profile
    return Person(person, profile.user_principal_name, profile.display_name, profile.mail, profile.job_title)


def _taken(field: str) -> Refused:
    return Refused("Request_BadRequest", f"Another object with the same value for property {field} already exists.")


def _invalid(field: str, why: str) -> Refused:
    return Refused(
        "Request_BadRequest", f"Invalid value specified for property '{field}' of resource 'User': it {why}."
    )
