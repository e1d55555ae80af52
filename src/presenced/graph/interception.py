"""Interception: what may come between a request and its answer, in a server that is started with --control.

Who intercepts is not known here (it is the emulator). What is: how each thing that goes wrong looks on Graph's wire,
for a whole request and for the parts of a batch alike; and what of a request the log cannot see from outside. An answer
that was made up says so in ``presenced-fault``, with the ids of the faults. A server that takes no control makes plain
exchanges, which know nothing of this.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from starlette.types import Receive

from presenced.graph.body import ClientGone
from presenced.graph.call import Answer, Call, Part
from presenced.graph.errors import GraphError
from presenced.graph.exchange import GraphExchange
from presenced.graph.operation import Operation, Parts
from presenced.graph.operations import find
from presenced.graph.paths import Path, parse
from presenced.identity.caller import Caller
from presenced.service import Service

NOTED = "presenced.noted"
"""Where in the scope the caller, the operation, the faults and the cut of a request are noted for whoever asks."""

FAULT_HEADER = "presenced-fault"

_MADE_UP = {
    429: ("TooManyRequests", "Too many requests. Please retry after {} seconds."),
    500: ("InternalServerError", "An internal server error occurred."),
    503: ("ServiceNotAvailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The server, while acting as a proxy, did not receive a timely response from upstream."),
}


class Strike(Protocol):
    """What goes wrong with a request: in this order a delay (seconds), a made-up answer, or a connection that is cut.

    ``cut``: "before" the work is done, "after" it without an answer, or "within" the answer. ``stale`` answers reads in
    the service's place. ``faults`` are the ids of what struck.
    """

    @property
    def faults(self) -> str: ...
    @property
    def delay(self) -> float: ...
    @property
    def status(self) -> int | None: ...
    @property
    def retry_after(self) -> int | None: ...
    @property
    def cut(self) -> Literal["before", "after", "within"] | None: ...
    @property
    def stale(self) -> Service | None: ...


class AnsweredPart(NamedTuple):
    """A part of a batch with its answer; ``duration`` in seconds, ``request_id`` the batch's."""

    request_id: str
    caller: Caller
    operation: str | None
    part: Part
    answer: Answer
    duration: float


class Interceptor(Protocol):
    """Says what goes wrong, and is told what was asked."""

    @property
    def armed(self) -> bool:
        """Whether anything could go wrong with any request."""
        ...

    @property
    def generation(self) -> int:
        """Another number since the server was reset."""
        ...

    def strike(
        self, operation: str, caller: Caller, key: str, query: str, body: bytes, headers: Mapping[str, str]
    ) -> Strike | None:
        """What goes wrong with this request. ``key`` is the id in its path, for /me the caller's own."""
        ...

    def answered_part(self, part: AnsweredPart) -> None:
        """A part of a batch was answered."""
        ...


class InterceptedExchange(GraphExchange):
    """An exchange that something may come between."""

    __slots__ = ("_interceptor", "_noted")

    def __init__(self, interceptor: Interceptor, *rest: Any) -> None:
        super().__init__(*rest)
        self._interceptor = interceptor
        self._noted: dict[str, Any] = self._scope.setdefault(NOTED, {})

    async def answer(self, receive: Receive) -> Answer:
        """The answer to the whole request. Raises ClientGone, also if the connection is to be cut."""
        # before anything refuses it
        self._noted["operation"] = _named(self._scope["raw_path"].decode("latin-1"), self._scope["method"])
        try:
            answer = await super().answer(receive)
        finally:
            self._noted["caller"] = getattr(self, "_caller", None)
        if self._noted.get("cut") in ("before", "after"):
            raise ClientGone
        return answer

    async def ask(self, part: Part) -> Answer:
        """The answer to a part of this request."""
        began = time.monotonic()
        answer = await super().ask(part)
        self._interceptor.answered_part(
            AnsweredPart(
                self.request_id, self._caller, _named(part.path, part.method), part, answer, time.monotonic() - began
            )
        )
        return answer

    async def _run(self, operation: Operation, path: Path, query: str, content_type: str, content: bytes) -> Answer:
        strike = None
        if self._interceptor.armed:
            key = path.key or (self._caller.user or "" if path.template.split("/")[0] == "me" else "")
            strike = self._interceptor.strike(operation.name, self._caller, key, query, content, self.headers)
        if strike is None:
            return await super()._run(operation, path, query, content_type, content)
        self._noted.setdefault("faults", []).append(strike.faults)
        if strike.cut is not None:
            self._noted.setdefault("cut", strike.cut)
        generation = self._interceptor.generation
        if strike.delay:
            await asyncio.sleep(strike.delay)
        try:
            if self._interceptor.generation != generation:
                # it is of what was before, and must not change what is now
                raise GraphError(503, "ServiceNotAvailable", "The server was reset while the request was delayed.")
            if strike.status is not None or strike.cut == "before":
                raise _made_up(strike)
            if strike.stale is not None:
                operation = _reading(strike.stale, operation)
            answer = await super()._run(operation, path, query, content_type, content)
        except Exception as error:
            answer = self.refuse(self._failure(error))
        return answer._replace(headers=(*answer.headers, (FAULT_HEADER, strike.faults)))


def _named(raw_path: str, method: str) -> str | None:
    path = parse(raw_path)
    try:
        return None if path is None else find(path, method).name
    except GraphError:
        return None


def _made_up(strike: Strike) -> GraphError:
    code, message = _MADE_UP[strike.status or 503]  # which nobody sees if the connection is cut
    wait = () if strike.retry_after is None else (("Retry-After", str(strike.retry_after)),)
    return GraphError(strike.status or 503, code, message.format(strike.retry_after), wait)


def _reading(service: Service, operation: Operation) -> Operation:
    """The operation, with reads answered by another service."""

    async def run(parts: Parts, call: Call, request: Any) -> Answer:
        return await operation.run(parts._replace(service=service), call, request)

    return operation._replace(run=run)
