"""Users: the small directory, as Graph's user resource cut to id, userPrincipalName, displayName, mail and jobTitle.

Sources: the pages user-list, user-get, user-post-users, user-update and user-delete. Two things differ and are on the
compatibility page: ``POST /users`` takes an ``id``, and does not insist on the members presenced has no use for.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from presenced.graph.body import decode
from presenced.graph.call import NO_CONTENT, Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.graph.query import Query, read_query
from presenced.identity.directory import Person, PersonChange, no_such_person

_MEMBERS = tuple(field.encode_name for field in msgspec.structs.fields(Person))
LONGEST_PASSWORD = 256


class _PasswordProfile(msgspec.Struct, rename="camel"):
    password: str | None = None


class _NewPerson(PersonChange, rename="camel"):
    """The body of ``POST /users``."""

    id: str | None = None
    password_profile: _PasswordProfile | None = None


def _read_new(call: Call) -> _NewPerson:
    new = decode(call.body, call.content_type, _NewPerson)
    if not isinstance(new.user_principal_name, str):
        raise _bad_request("A value is required for property 'userPrincipalName' of resource 'User'.")
    password = new.password_profile.password if new.password_profile else None
    if password is not None and not 0 < len(password) <= LONGEST_PASSWORD:
        raise _bad_request(f"passwordProfile.password must have 1 to {LONGEST_PASSWORD} characters.")
    return new


async def _create(parts: Parts, call: Call, new: _NewPerson) -> Answer:
    tenant = call.caller.tenant
    person = await parts.directory.add(tenant, new.id, new)
    if new.password_profile is not None and new.password_profile.password is not None:
        await parts.passwords.set(tenant, person.id, new.password_profile.password)
    return Answer(201, _entity(call, person, Query()), (("Location", f"{call.base}/users/{person.id}"),))


def _read_select(call: Call) -> Query:
    return read_query(call.query, _MEMBERS, "user", ("$select", "$expand"))


async def _get(parts: Parts, call: Call, query: Query) -> Answer:
    person = await parts.directory.find(call.caller.tenant, call.key)
    if person is None:
        raise no_such_person(call.key)
    return Answer(200, _entity(call, person, query))


def _read_update(call: Call) -> PersonChange:
    return decode(call.body, call.content_type, PersonChange)


async def _update(parts: Parts, call: Call, change: PersonChange) -> Answer:
    await parts.directory.update(call.caller.tenant, call.key, change)
    return NO_CONTENT


async def _delete(parts: Parts, call: Call, request: None) -> Answer:
    person = await parts.directory.remove(call.caller.tenant, call.key)
    await parts.passwords.set(call.caller.tenant, person, None)
    await parts.calendars.remove(call.caller.tenant, person)
    return NO_CONTENT


def _read_page(call: Call) -> Query:
    return read_query(call.query, _MEMBERS, "user", ("$select", "$top", "$skiptoken"))


async def _list(parts: Parts, call: Call, page: Query) -> Answer:
    people = await parts.directory.page(call.caller.tenant, page.after, page.top + 1)
    start = context(call, "users" + page.fragment)
    if len(people) > page.top:
        people.pop()
        start += b',"@odata.nextLink":' + msgspec.json.encode(f"{call.base}/users?{page.next_page(people[-1].id)}")
    value = b",".join(page.select(msgspec.json.encode(person)) for person in people)
    return Answer(200, start + b',"value":[' + value + b"]}")


def _entity(call: Call, person: Person, query: Query) -> bytes:
    return context(call, f"users{query.fragment}/$entity") + b"," + query.select(msgspec.json.encode(person))[1:]


def _bad_request(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)


_FORBIDDEN = ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _operation(
    name: str,
    method: str,
    template: str,
    run: Callable[[Parts, Call, Any], Awaitable[Answer]],
    read: Callable[[Call], Any],
    **more: Any,
) -> Operation:
    return Operation(name, method, (template,), name, run, read, forbidden=_FORBIDDEN, **more)


_ALL, _ONE = "users", "users/{id}"

OPERATIONS = (
    _operation("getMe", "GET", "me", _get, _read_select, gives=Person),
    _operation("listUsers", "GET", _ALL, _list, _read_page, gives=Person, many=True),
    _operation("createUser", "POST", _ALL, _create, _read_new, takes=_NewPerson, gives=Person),
    _operation("getUser", "GET", _ONE, _get, _read_select, needs_of_own="getMe", gives=Person),
    _operation("updateUser", "PATCH", _ONE, _update, _read_update, takes=PersonChange),
    _operation("deleteUser", "DELETE", _ONE, _delete, lambda call: None),
)
