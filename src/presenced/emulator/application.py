"""The control API under /presenced as an ASGI application, and what it answers when something is wrong.

On the network it is behind access.py; on the owner's Unix socket it is not. Bodies are JSON, and errors have the form
of Graph's, so that one client reads both.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import msgspec.inspect
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from presenced.emulator.access import Guard, NoAccess
from presenced.presence.refused import Refused

T = TypeVar("T")

PREFIX = "/presenced"
MOST_BODY = 1 << 26
"""Bytes: a seed of a large tenant is large."""

_STATUS = {"NotFound": 404, "RequestTimeout": 408, "ServiceNotAvailable": 503}
"""Of what is refused; of everything else 400."""

_UNKNOWN = re.compile(
    r"(?:Object contains unknown field `[^`]*`|Invalid enum value .*?)(?: - at `\$\.(?P<place>[\w.]+)`)?", re.DOTALL
)

Envelope = Callable[[Request, str, str], bytes]
"""Makes an error's body of the request, a code and a message."""


class Answer:
    """Makes endpoints of coroutines from a JSON body (or nothing) to something that JSON can say."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope

    def to(self, work: Callable[[T], Awaitable[Any]], form: type[T]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint whose body is a ``form``; an empty body is ``{}``."""

        async def endpoint(request: Request) -> Response:
            try:
                body = await read_body(request)
                return _json(await work(msgspec.json.decode(body or b"{}", type=form)))
            except msgspec.MsgspecError as error:
                message = f"The request body is not as expected: {error}.{known_members(str(error), form)}"
                return self.refuse(request, 400, "InvalidArgument", message)
            except UnicodeDecodeError:
                return self.refuse(request, 400, "InvalidArgument", "The request body is not UTF-8.")
            except RecursionError:
                return self.refuse(request, 400, "InvalidArgument", "The request body is nested too deeply.")
            except Refused as refused:
                return self.refuse(request, _STATUS.get(refused.code, 400), refused.code, refused.message)

        return endpoint

    def of(self, work: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint without a body. ``work`` may look at the request's path and query."""

        async def endpoint(request: Request) -> Response:
            try:
                result = await work(request)
            except Refused as refused:
                return self.refuse(request, _STATUS.get(refused.code, 400), refused.code, refused.message)
            return result if isinstance(result, Response) else _json(result)

        return endpoint

    def refuse(self, request: Request, status: int, code: str, message: str) -> Response:
        """An error."""
        return Response(self.envelope(request, code, message), status, media_type="application/json")


def application(routes: list[BaseRoute], envelope: Envelope, guard: Guard) -> tuple[ASGIApp, ASGIApp]:
    """The API for the network, behind its guard, and the same for the owner's socket. Paths begin with /presenced."""
    answer = Answer(envelope)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {404: "There is nothing at this path.", 405: "This path does not take that method."}
        response = answer.refuse(request, error.status_code, "NotFound", words.get(error.status_code, error.detail))
        response.headers.update(error.headers or {})
        return response

    def failure(request: Request, error: Exception) -> Response:
        return answer.refuse(request, 500, "InternalServerError", "presenced failed at this; its log says how.")

    inner = Starlette(
        routes=[*routes],
        exception_handlers={404: http_error, 405: http_error, Exception: failure},
    )
    inner.router.redirect_slashes = False

    mounted = Mount(PREFIX, inner)

    async def network(scope: Scope, receive: Receive, send: Send) -> None:
        # a Mount, because Starlette then takes the prefix off as it does on the owner's socket
        _, more = mounted.matches(scope)
        await mounted.handle({**scope, **more}, receive, send)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            guard.check(scope, request.headers)
        except NoAccess as no:
            code = "InvalidAuthenticationToken" if no.status == 401 else "Forbidden"
            await answer.refuse(request, no.status, code, no.message)(scope, receive, send)
            return
        await network(scope, receive, send)

    return guarded, inner


def known_members(error: str, form: Any) -> str:
    """Of a complaint of msgspec's about an unknown member or value, which ones there are; of any other, nothing."""
    unknown = _UNKNOWN.fullmatch(error)
    if unknown is None:
        return ""
    kinds = [msgspec.inspect.type_info(form)]
    for name in (unknown["place"] or "").split(".") if unknown["place"] else ():
        found = [field.type for kind in kinds for field in getattr(kind, "fields", ()) if field.encode_name == name]
        kinds = [one for kind in found for one in getattr(kind, "types", (kind,))]
    names = [str(one) for kind in kinds for one in _names(kind)]
    return f" There are: {', '.join(names)}." if names else ""


def _names(kind: Any) -> Any:
    """The members of a struct, or the values of a choice."""
    if isinstance(kind, msgspec.inspect.LiteralType):
        return kind.values
    return [field.encode_name for field in getattr(kind, "fields", ())]


def _json(result: Any) -> Response:
    if result is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(result), media_type="application/json")


async def read_body(request: Request) -> bytes:
    """A request's body. Raises Refused for one that is too large or was cut off."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                raise Refused("InvalidArgument", f"The request body is larger than {MOST_BODY} bytes.")
    except ClientDisconnect:
        raise Refused("InvalidArgument", "The request body did not come whole.") from None
    return bytes(body)
