"""Presence actions: everything that changes a presence, on each of its three bindings.

Sources: the pages presence-setpresence, -clearpresence, -setuserpreferredpresence, -clearuserpreferredpresence,
-setstatusmessage, -setmanuallocation, -setautomaticlocation, -clearlocation and -clearautomaticlocation, and
Microsoft's schema for the bindings. Actions without parameters take ``{}``, or no body and no Content-Type.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from presenced.graph.body import decode, decode_optional
from presenced.graph.call import NO_CONTENT, Answer, Call
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts
from presenced.graph.presences import BINDINGS
from presenced.presence import actions, status_message, work_location
from presenced.presence.record import Record, guid

T = TypeVar("T")


class NoParameters(msgspec.Struct):
    """The body of an action that has none."""


def _reads(form: type[T], check: Callable[[T], Any]) -> Callable[[Call], T]:
    """A reader of an action's body: its form, then what its rule can refuse without the person's record."""

    def read(call: Call) -> T:
        request = decode(call.body, call.content_type, form)
        check(request)
        return request

    return read


def _reads_nothing(call: Call) -> None:
    decode_optional(call.body, call.content_type, NoParameters)


def _acts(rule: Callable[[Record, Any, float], Record], done: Answer | None) -> Callable[[Parts, Call, Any], Any]:
    """A runner of a presence action that answers ``done``, by default what the settings say."""

    async def run(parts: Parts, call: Call, request: Any) -> Answer:
        person = guid(call.key)
        if person is None:
            raise GraphError(404, "NotFound", f"{call.key} is not the object id of a person (a GUID).")
        await parts.service.change(call.caller.tenant, person, lambda record, now: rule(record, request, now))
        return parts.done if done is None else done

    return run


def _action(
    name: str,
    form: type[Any],
    read: Callable[[Call], Any],
    rule: Callable[[Record, Any, float], Record],
    done: Answer | None = None,
) -> Operation:
    return Operation(
        name=name,
        method="POST",
        templates=tuple(f"{binding}/{name.lower()}" for binding in BINDINGS),
        needs=name,
        read=read,
        run=_acts(rule, done),
        own_only=True,
        budget="presence",
        takes=form,
    )


_reads_location = _reads(work_location.SetLocation, work_location.check_set_location)

OPERATIONS = (
    _action(
        "setPresence",
        actions.SetPresence,
        _reads(actions.SetPresence, actions.check_set_presence),
        actions.set_presence,
    ),
    _action(
        "clearPresence",
        actions.ClearPresence,
        _reads(actions.ClearPresence, actions.check_clear_presence),
        actions.clear_presence,
    ),
    _action(
        "setUserPreferredPresence",
        actions.SetUserPreferredPresence,
        _reads(actions.SetUserPreferredPresence, actions.check_set_user_preferred_presence),
        actions.set_user_preferred_presence,
    ),
    _action("clearUserPreferredPresence", NoParameters, _reads_nothing, actions.clear_user_preferred_presence),
    _action(
        "setStatusMessage",
        status_message.SetStatusMessage,
        _reads(status_message.SetStatusMessage, status_message.check_set_status_message),
        status_message.set_status_message,
    ),
    # the location pages' examples answer 204, whatever their text says
    _action(
        "setManualLocation", work_location.SetLocation, _reads_location, work_location.set_manual_location, NO_CONTENT
    ),
    _action(
        "setAutomaticLocation",
        work_location.SetLocation,
        _reads_location,
        work_location.set_automatic_location,
        NO_CONTENT,
    ),
    _action("clearLocation", NoParameters, _reads_nothing, work_location.clear_location, NO_CONTENT),
    _action("clearAutomaticLocation", NoParameters, _reads_nothing, work_location.clear_automatic_location, NO_CONTENT),
)
