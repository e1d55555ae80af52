"""Operation: the shape of an entry in the tables of operations (presences.py, users.py)."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from presenced.calendar.calendars import Calendars
from presenced.graph.call import Answer, Call
from presenced.graph.errors import GraphError
from presenced.identity.apps import Passwords
from presenced.identity.caller import Caller
from presenced.identity.directory import Directory
from presenced.identity.permissions import accepted
from presenced.notify.notify import Notify
from presenced.service import Service


class Parts(NamedTuple):
    """What operations work with.

    ``omit_unknown``: bulk reads leave out ids that name nobody. ``done`` is what presence actions answer.
    """

    service: Service
    directory: Directory
    passwords: Passwords
    calendars: Calendars
    notify: Notify
    omit_unknown: bool
    done: Answer


class Operation(NamedTuple):
    """One of Graph's operations.

    ``read`` takes the request apart and refuses what is malformed, before permissions are looked at: Graph validates
    a presence request's body first (ms-teams-cli issue 71). ``run`` does the work with what ``read`` made of it.
    ``needs`` names the row of the permission table, None where any token will do; ``needs_of_own`` another for a
    person's own things, ``needs_extended`` another where the setting ``extensions`` is on. ``own_only``: a person's
    token changes only that person. ``budget`` is what it is counted against (throttle.py).
    ``forbidden`` is the code and text for a missing permission. ``whole``: it cannot be part of a batch.
    ``anonymous``: it takes no token. ``takes`` and ``gives`` are the forms of its body and of what it answers, for the
    OpenAPI document; ``many``: a collection of these.
    """

    name: str
    method: str
    templates: tuple[str, ...]
    needs: str | None
    run: Callable[[Parts, Call, Any], Awaitable[Answer]]
    read: Callable[[Call], Any] = lambda call: None
    needs_of_own: str | None = None
    needs_extended: str | None = None
    own_only: bool = False
    budget: str | None = None
    forbidden: tuple[str, str] = ("Forbidden", "")
    whole: bool = False
    anonymous: bool = False
    takes: type[Any] | None = None
    gives: type[Any] | None = None
    many: bool = False


def forbidden(caller: Caller, needs: str, text: tuple[str, str]) -> GraphError:
    """403 for a permission that is missing, with a header that says which would do."""
    wanted = " or ".join(accepted(caller, needs)) or "none for this kind of token"
    return GraphError(403, *text, (("presenced-needs-permission", wanted),))
