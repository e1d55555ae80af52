"""Call and Answer: one operation asked for and answered, apart from HTTP, so that $batch can ask for several."""

from typing import NamedTuple, Protocol

import msgspec

from presenced.graph.errors import GraphError
from presenced.graph.headers import JSON
from presenced.identity.caller import Caller


class Answer(NamedTuple):
    """What an operation answers: a status, a body (JSON) or none, and headers of its own."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON


NO_CONTENT = Answer(204)


class Part(NamedTuple):
    """A request within a request. ``path`` begins with the version and is still percent-encoded."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes


class Exchange(Protocol):
    """The HTTP request that a call came in, for an operation that asks for others on its caller's behalf."""

    @property
    def own_addresses(self) -> frozenset[str]:
        """The addresses, such as ``http://localhost:8080``, that this client may mean this server by."""

    async def ask(self, part: Part) -> Answer:
        """The answer to a part, also when that is an error."""

    def refuse(self, error: GraphError) -> Answer:
        """An error as an answer, in Graph's envelope."""


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
    exchange: Exchange


def context(call: Call, fragment: str) -> bytes:
    """The start of a JSON answer, up to and without the comma: ``{"@odata.context":"...$metadata#fragment"``."""
    return b'{"@odata.context":' + msgspec.json.encode(f"{call.base}/$metadata#{fragment}")
