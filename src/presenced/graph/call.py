"""Call and Answer: one operation asked for and answered, apart from HTTP, so that $batch can ask for several."""

from typing import NamedTuple

import msgspec

from presenced.identity.caller import Caller


class Call(NamedTuple):
    """A request to one operation by a known caller.

    ``key`` is the id in the path as sent, or for ``/me`` the caller's own. ``base`` is the service root that the
    client used, such as ``http://localhost:8080/v1.0``.
    """

    base: str
    caller: Caller
    template: str
    key: str
    query: str
    content_type: str
    body: bytes


class Answer(NamedTuple):
    """What an operation answers: a status, a JSON body or none, and headers of its own."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


NO_CONTENT = Answer(204)


def context(call: Call, fragment: str) -> bytes:
    """The start of a JSON answer, up to and without the comma: ``{"@odata.context":"...$metadata#fragment"``."""
    return b'{"@odata.context":' + msgspec.json.encode(f"{call.base}/$metadata#{fragment}")
