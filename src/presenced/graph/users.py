"""Users: the small directory, as Graph's user resource cut to id, userPrincipalName, displayName, mail and jobTitle.

Sources: the pages user-list, user-get, user-post-users, user-update and user-delete. Two things differ and are on the
compatibility page: ``POST /users`` takes an ``id``, and does not insist on the members presenced has no use for.
"""

from typing import NamedTuple
from urllib.parse import parse_qs, quote

import msgspec

from presenced.graph.body import decode
from presenced.graph.call import NO_CONTENT, Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.identity.directory import Person, PersonChange, no_such_person
from presenced.presence.record import guid

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 999
_UNSUPPORTED = ("$filter", "$search", "$orderby", "$expand", "$skip")
_LONGEST_PASSWORD = 256


class _PasswordProfile(msgspec.Struct, rename="camel"):
    password: str | None = None


class _NewPerson(PersonChange, rename="camel"):
    """The body of ``POST /users``."""

    id: str | None = None
    password_profile: _PasswordProfile | None = None


class _Page(NamedTuple):
    after: str
    size: int
    members: tuple[str, ...] | None


def _read_new(call: Call) -> _NewPerson:
    new = decode(call.body, call.content_type, _NewPerson)
    if not isinstance(new.user_principal_name, str):
        raise _bad_request("A value is required for property 'userPrincipalName' of resource 'User'.")
    password = new.password_profile.password if new.password_profile else None
    if password is not None and not 0 < len(password) <= _LONGEST_PASSWORD:
        raise _bad_request(f"passwordProfile.password must have 1 to {_LONGEST_PASSWORD} characters.")
    return new


async def _create(parts: Parts, call: Call, new: _NewPerson) -> Answer:
    tenant = call.caller.tenant
    person = await parts.directory.add(tenant, new.id, new)
    if new.password_profile is not None and new.password_profile.password is not None:
        await parts.passwords.set(tenant, person.id, new.password_profile.password)
    return Answer(201, _entity(call, person, None), (("Location", f"{call.base}/users/{person.id}"),))


def _read_select(call: Call) -> tuple[str, ...] | None:
    return _read_page(call).members


async def _get(parts: Parts, call: Call, members: tuple[str, ...] | None) -> Answer:
    person = await parts.directory.find(call.caller.tenant, call.key)
    if person is None:
        raise no_such_person(call.key)
    return Answer(200, _entity(call, person, members))


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


def _read_page(call: Call) -> _Page:
    options = {name.lower(): values[-1] for name, values in parse_qs(call.query, keep_blank_values=True).items()}
    for name in _UNSUPPORTED:
        if name in options:
            raise GraphError(400, "Request_UnsupportedQuery", f"The query option {name} is not supported here.")
    top = options.get("$top", str(_DEFAULT_PAGE))
    if not (top.isascii() and top.isdigit() and len(top) <= 4 and 1 <= int(top) <= _LARGEST_PAGE):
        raise _bad_request(f"Invalid page size specified: '{top}'. Must be between 1 and {_LARGEST_PAGE} inclusive.")
    after = options.get("$skiptoken", "")
    if after and guid(after) is None:
        raise _bad_request("The $skiptoken is not one of this server's; take it from @odata.nextLink.")
    members = tuple(part.strip() for part in options["$select"].split(",")) if options.get("$select") else None
    known = [field.encode_name for field in msgspec.structs.fields(Person)]
    for member in members or ():
        if member not in known:
            raise _bad_request(f"Could not find a property named '{member}' on type 'microsoft.graph.user' here.")
    return _Page(after.lower(), int(top), members)


async def _list(parts: Parts, call: Call, page: _Page) -> Answer:
    people = await parts.directory.page(call.caller.tenant, page.after, page.size + 1)
    start = context(call, "users")
    if len(people) > page.size:
        people.pop()
        query = f"$top={page.size}&$skiptoken={people[-1].id}"
        if page.members is not None:
            query += f"&$select={quote(','.join(page.members), safe=',')}"
        start += b',"@odata.nextLink":' + msgspec.json.encode(f"{call.base}/users?{query}")
    value = [_members(person, page.members) for person in people]
    return Answer(200, start + b',"value":' + msgspec.json.encode(value) + b"}")


def _entity(call: Call, person: Person, members: tuple[str, ...] | None) -> bytes:
    fragment = f"users({','.join(members)})/$entity" if members else "users/$entity"
    return context(call, fragment) + b"," + msgspec.json.encode(_members(person, members))[1:]


def _members(person: Person, members: tuple[str, ...] | None) -> Person | dict[str, object]:
    if members is None:
        return person
    return {name: value for name, value in msgspec.to_builtins(person).items() if name in members}


def _bad_request(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)


_FORBIDDEN = ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

OPERATIONS = (
    Operation("getMe", "GET", ("me",), "getMe", _get, _read_select, forbidden=_FORBIDDEN),
    Operation("listUsers", "GET", ("users",), "listUsers", _list, _read_page, forbidden=_FORBIDDEN),
    Operation("createUser", "POST", ("users",), "createUser", _create, _read_new, forbidden=_FORBIDDEN),
    Operation("getUser", "GET", ("users/{id}",), "getUser", _get, _read_select, "getMe", forbidden=_FORBIDDEN),
    Operation("updateUser", "PATCH", ("users/{id}",), "updateUser", _update, _read_update, forbidden=_FORBIDDEN),
    Operation("deleteUser", "DELETE", ("users/{id}",), "deleteUser", _delete, forbidden=_FORBIDDEN),
)
