"""Presences: the operations on presence, as Graph's cloud communications API has them.

Sources: the pages cloudcommunications-getpresencesbyuserid, presence-get, presence-setpresence and
presence-clearpresence, and Microsoft's schema for the three bindings of each action.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec

from presenced.graph.body import decode
from presenced.graph.call import DONE, Answer, Call, context
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.presence import actions
from presenced.presence.record import Record, guid
from presenced.presence.refused import required

MOST_IDS = 650
"""Ids in one getPresencesByUserId (its page)."""

T = TypeVar("T")


class PresencesRequest(msgspec.Struct):
    """The body of getPresencesByUserId."""

    ids: list[str] | None = None


def _read_ids(call: Call) -> Collection[str]:
    """The distinct ids in request order."""
    ids = decode(call.body, call.content_type, PresencesRequest).ids
    if ids is None:
        raise required("Ids")
    if len(ids) > MOST_IDS:
        raise GraphError(
            400, "InvalidArgument", f"[Ids]: At most {MOST_IDS} ids can be sent in one request; {len(ids)} were sent."
        )
    # nearly always they are distinct, and a set tells so for less than a dictionary costs
    return ids if len(set(ids)) == len(ids) else dict.fromkeys(ids)


async def _get_presences(parts: Parts, call: Call, ids: Collection[str]) -> Answer:
    caller = call.caller
    found = await parts.service.presences(caller.tenant, ids, own=caller.user, omit_unknown=parts.omit_unknown)
    start = context(call, "Collection(microsoft.graph.presence)") + b',"value":['
    if not found:
        return Answer(200, start + b"]}")
    # one join of everything: the answer for 650 ids is some 200 kB, and each further copy of it shows
    found[0] = start + found[0]
    found[-1] += b"]}"
    return Answer(200, b",".join(found))


async def _get_presence(parts: Parts, call: Call, request: None) -> Answer:
    person = guid(call.key)
    own = person is not None and person == call.caller.user
    entry = await parts.service.presence(call.caller.tenant, person, own=own) if person else None
    if entry is None:
        raise GraphError(404, "NotFound", f"There is no person with the id {call.key}; use the object id (a GUID).")
    shape = "communications/presences" if call.template.startswith("communications/") else f"users('{person}')/presence"
    return Answer(200, context(call, f"{shape}/$entity") + b"," + entry[1:])


def _reads(form: type[T], check: Callable[[T], Any]) -> Callable[[Call], T]:
    """A reader of an action's body: its form, then what its rule can refuse without the person's record."""

    def read(call: Call) -> T:
        request = decode(call.body, call.content_type, form)
        check(request)
        return request

    return read


def _acts(rule: Callable[[Record, T, float], Record]) -> Callable[[Parts, Call, T], Any]:
    """A runner of a presence action."""

    async def run(parts: Parts, call: Call, request: T) -> Answer:
        person = guid(call.key)
        if person is None:
            raise GraphError(404, "NotFound", f"{call.key} is not the object id of a person (a GUID).")
        await parts.service.change(call.caller.tenant, person, lambda record, now: rule(record, request, now))
        return DONE

    return run


BINDINGS = ("me/presence", "users/{id}/presence", "communications/presences/{id}")


def _action(
    name: str, form: type[T], check: Callable[[T], Any], rule: Callable[[Record, T, float], Record]
) -> Operation:
    return Operation(
        name=name,
        method="POST",
        templates=tuple(f"{binding}/{name.lower()}" for binding in BINDINGS),
        needs=name,
        read=_reads(form, check),
        run=_acts(rule),
        own_only=True,
        throttled=True,
    )


OPERATIONS = (
    Operation(
        name="getPresencesByUserId",
        method="POST",
        templates=("communications/getpresencesbyuserid",),
        needs="getPresencesByUserId",
        read=_read_ids,
        run=_get_presences,
        throttled=True,
    ),
    Operation(
        name="getPresence",
        method="GET",
        templates=BINDINGS,
        needs="getPresence",
        needs_of_own="getOwnPresence",
        run=_get_presence,
        throttled=True,
    ),
    _action("setPresence", actions.SetPresence, actions.check_set_presence, actions.set_presence),
    _action("clearPresence", actions.ClearPresence, actions.check_clear_presence, actions.clear_presence),
)
