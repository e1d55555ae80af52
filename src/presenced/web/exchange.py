"""Exchange: reading the board's requests, and writing its answers: bodies, cookies, files, refusals."""

import asyncio
import contextlib
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from presenced.presence.record import guid
from presenced.web.access import Denied, protect
from presenced.web.static_files import files

T = TypeVar("T")

_MOST_BODY = 16 * 1024
_SLOWEST_READER = 30.0
"""Seconds within which a browser must take an event; then its stream ends."""


async def read(request: Request, form: type[T]) -> T:
    """The JSON body as a ``form``; an empty one is ``{}``. Raises Denied."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BODY:
                raise Denied(413, f"The request is larger than {_MOST_BODY} bytes.")
    except ClientDisconnect:
        raise Denied(400, "The request did not come whole.") from None
    try:
        return msgspec.json.decode(bytes(body) or b"{}", type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Denied(400, f"The request is not as expected: {error}.") from None


def person_in(request: Request) -> str:
    """The person in the path. Raises Denied."""
    person = guid(request.path_params["person"])
    if person is None:
        raise Denied(404, "There is nobody with this id.")
    return person


def number(text: str, least: int, most: int) -> int:
    """A number in a query, from ``least`` to ``most``. Raises Denied."""
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    raise Denied(400, f"A number from {least} to {most} is expected.")


class Cookie:
    """A cookie of one server's. Browsers keep them by host only, so the port is in the name; over TLS only this host
    can set it."""

    def __init__(self, name: str, address: str) -> None:
        parts = urlsplit(address)
        self._secure = parts.scheme == "https"
        self.name = f"{'__Host-' if self._secure else ''}{name}-{parts.port or (443 if self._secure else 80)}"

    def of(self, request: Request) -> str:
        """Its value in a request, empty if it is not there."""
        return request.cookies.get(self.name, "")

    def set(self, response: Response, value: str, life: float) -> None:
        """Set it for so many seconds; 0 takes it away."""
        response.set_cookie(
            self.name, value, max_age=int(life), path="/", secure=self._secure, httponly=True, samesite="strict"
        )


class EventStream(StreamingResponse):
    """Server-sent events, for a reader who takes them."""

    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_SLOWEST_READER):
                await send(message)

        with contextlib.suppress(TimeoutError):
            await super().__call__(scope, receive, send_in_time)


async def page(request: Request) -> Response:
    """The page."""
    return _file(request, "index.html")


async def static(request: Request) -> Response:
    """A file of the page's."""
    return _file(request, request.path_params["name"])


def _file(request: Request, name: str) -> Response:
    file = files().get(name)
    if file is None:
        raise Denied(404, "There is no such file.")
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def json(result: Any) -> Response:
    """An answer that holds ``result``."""
    return Response(msgspec.json.encode(result), media_type="application/json")


def refusal(status: int, message: str) -> Response:
    """An answer that says no, and why."""
    return protect(Response(msgspec.json.encode({"error": message}), status, media_type="application/json"))


async def http_error(_request: Request, error: Exception) -> Response:
    """What Starlette refuses: a path or a method that is not there."""
    assert isinstance(error, HTTPException)
    words = {404: "There is nothing at this path.", 405: "This path does not take that method."}
    response = refusal(error.status_code, words.get(error.status_code, error.detail))
    response.headers.update(error.headers or {})
    return response


async def failure(_request: Request, _error: Exception) -> Response:
    """What should not happen."""
    return refusal(500, "presenced failed at this; its log says how.")
