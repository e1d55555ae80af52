"""Presences: the operations that read presence, as Graph's cloud communications API has them.

Sources: the pages cloudcommunications-getpresencesbyuserid and presence-get; and for GET /communications/presences,
which Graph documents only as a subscription's resource, Microsoft's schema.
"""

import re
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from presenced.entries import pack
from presenced.graph.body import decode, is_json
from presenced.graph.call import Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts, forbidden
from presenced.graph.query import Query, read_query
from presenced.identity.permissions import allowed
from presenced.presence.record import guid
from presenced.presence.refused import required
from presenced.service import PROPERTIES, Presence

MOST_IDS = 650
"""Ids in one getPresencesByUserId (its page)."""


class PresencesRequest(msgspec.Struct):
    """The body of getPresencesByUserId."""

    ids: list[str] | None = None


def _read_ids(call: Call) -> bytes | Collection[str]:
    """The distinct ids in request order; packed, distinct or not, where the body is as plain as clients send it."""
    packed = pack(call.body, MOST_IDS) if is_json(call.content_type) else None
    return packed or _listed(call)


def _listed(call: Call) -> Collection[str]:
    ids = decode(call.body, call.content_type, PresencesRequest).ids
    if ids is None:
        raise required("Ids")
    return _distinct(ids)


def _distinct(ids: list[str]) -> Collection[str]:
    """Each id once. Raises GraphError for more of them than one request may hold."""
    if len(ids) > MOST_IDS:
        raise GraphError(
            400, "InvalidArgument", f"[Ids]: At most {MOST_IDS} ids can be sent in one request; {len(ids)} were sent."
        )
    # nearly always they are distinct, and a set tells so for less than a dictionary costs
    return ids if len(set(ids)) == len(ids) else dict.fromkeys(ids)


async def _get_presences(parts: Parts, call: Call, ids: bytes | Collection[str]) -> Answer:
    caller = call.caller
    start = context(call, "Collection(microsoft.graph.presence)") + b',"value":['
    if isinstance(ids, bytes):
        whole = await parts.service.joined(caller.tenant, ids, start, own=caller.user)
        if whole is not None:
            return Answer(200, whole)
        ids = _listed(call)
    found = await parts.service.presences(caller.tenant, ids, own=caller.user, omit_unknown=parts.omit_unknown)
    if not found:
        return Answer(200, start + b"]}")
    # one join of everything: the answer for 650 ids is some 200 kB, and each further copy of it shows
    found[0] = start + found[0]
    found[-1] += b"]}"
    return Answer(200, b",".join(found))


def _read_select(call: Call) -> Query:
    return read_query(call.query, PROPERTIES, "presence", ("$select", "$expand"))


async def _get_presence(parts: Parts, call: Call, query: Query) -> Answer:
    person = guid(call.key)
    own = person is not None and person == call.caller.user
    entry = await parts.service.presence(call.caller.tenant, person, own=own) if person else None
    if entry is None:
        raise GraphError(404, "NotFound", f"There is no person with the id {call.key}; use the object id (a GUID).")
    shape = "communications/presences" if call.template.startswith("communications/") else f"users('{person}')/presence"
    return Answer(200, context(call, f"{shape}{query.fragment}/$entity") + b"," + query.select(entry)[1:])


class _List(NamedTuple):
    """Which presences to list: of ``ids``, or a page of everybody's."""

    query: Query
    ids: Collection[str] | None


_ID_IN = re.compile(r"\s*id\s+(?:in\s*\((?P<ids>.*)\)|eq\s+(?P<id>.*))\s*", re.IGNORECASE | re.DOTALL)
_ID = re.compile(r"\s*(?:'([^']*)'|([^\s',()]+))\s*")


def parse_filter(text: str) -> list[str]:
    """The ids in ``id in ('a','b')`` or ``id eq 'a'``, quoted or not. Raises GraphError for any other filter."""
    form = _ID_IN.fullmatch(text)
    if form is None:
        raise GraphError(400, "BadRequest", "Invalid filter clause: of presences, only id in ('...','...') is known.")
    listed = form["ids"] if form["ids"] is not None else form["id"]
    ids = []
    for part in listed.split(",") if listed.strip() else ():
        named = _ID.fullmatch(part)
        if named is None:
            raise GraphError(400, "BadRequest", f"Invalid filter clause: {part.strip()[:64]!r} is not an id in quotes.")
        ids.append(named[1] or named[2] or "")
    if "" in ids or (form["ids"] is None and not ids):
        raise GraphError(400, "BadRequest", "Invalid filter clause: an id in it is empty.")
    return ids


def _read_list(call: Call) -> _List:
    query = read_query(call.query, PROPERTIES, "presence", ("$filter", "$select", "$count", "$top", "$skiptoken"))
    if query.filter is None:
        return _List(query, None)
    return _List(query, _distinct(parse_filter(query.filter)))


async def _list_presences(parts: Parts, call: Call, request: _List) -> Answer:
    caller, query = call.caller, request.query
    start = context(call, "communications/presences" + query.fragment)
    if request.ids is not None:
        found = await parts.service.presences(
            caller.tenant, request.ids, own=caller.user, omit_unknown=parts.omit_unknown
        )
        count = len(found)
    else:
        if not allowed(caller, "listAllPresences"):
            raise forbidden(caller, "listAllPresences", ("Forbidden", ""))
        found, after = await parts.service.page(caller.tenant, query.after, query.top)
        count = await parts.service.count(caller.tenant) if query.count else 0
        if after is not None:
            start += b',"@odata.nextLink":' + msgspec.json.encode(
                f"{call.base}/communications/presences?{query.next_page(after)}"
            )
    if query.count:
        start += b',"@odata.count":%d' % count
    return Answer(200, start + b',"value":[' + b",".join(map(query.select, found)) + b"]}")


BINDINGS = ("me/presence", "users/{id}/presence", "communications/presences/{id}")

OPERATIONS = (
    Operation(
        name="getPresencesByUserId",
        method="POST",
        templates=("communications/getpresencesbyuserid",),
        needs="getPresencesByUserId",
        read=_read_ids,
        run=_get_presences,
        budget="presence",
        takes=PresencesRequest,
        gives=Presence,
        many=True,
    ),
    Operation(
        name="getPresence",
        method="GET",
        templates=BINDINGS,
        needs="getPresence",
        needs_of_own="getOwnPresence",
        read=_read_select,
        run=_get_presence,
        budget="presence",
        gives=Presence,
    ),
    Operation(
        name="listPresences",
        method="GET",
        templates=("communications/presences",),
        needs="listPresences",
        read=_read_list,
        run=_list_presences,
        budget="presence",
        gives=Presence,
        many=True,
    ),
)
