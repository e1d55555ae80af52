"""Body: what a client sends, bounded and decoded.

Graph asks for ``Content-Type: application/json`` on every body. The Go SDK compresses even short bodies with gzip and
sends them again plain on 415; the PHP SDK sends them chunked (spec: what real clients send). Texts of the errors are
Graph's own where they are known (its OData layer's "Empty Payload" and "Unable to read JSON request payload").
"""

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from presenced.graph.errors import GraphError

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]

_SLOWEST = 30.0
"""Seconds a client may take over a body."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


async def read(receive: Receive, most: int) -> bytes:
    """The bytes of the body, ``most`` at the most. Raises GraphError (413, 408) and ClientGone."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return _within(message.get("body", b""), most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_SLOWEST):
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGone
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        raise GraphError(408, "RequestTimeout", f"The request body was not sent within {_SLOWEST:.0f} s.") from None


def decompress(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its Content-Encoding. Raises GraphError: 415 unless gzip, 413 past ``most``, 400 if broken."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise GraphError(
            415, "UnsupportedMediaType", "The request's Content-Encoding is not supported. Send gzip, or none."
        )
    unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = unzip.decompress(body, most + 1)
    except zlib.error:
        raise _unreadable("it is not valid gzip") from None
    _within(plain, most)
    if not unzip.eof or unzip.unused_data:
        raise _unreadable("it is not one whole gzip member")
    return plain


_JSON_TYPE = re.compile(r"application/(?:json|[\w.+-]+\+json)\s*(?:;.*)?", re.IGNORECASE | re.ASCII)


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is one of JSON's, with or without parameters."""
    return _JSON_TYPE.fullmatch(content_type.strip()) is not None


def decode(body: bytes, content_type: str, form: type[T]) -> T:
    """The JSON body as ``form``. Raises GraphError 415 for another type, 400 for what cannot be read as it."""
    if not body:
        raise GraphError(400, "BadRequest", "Empty Payload. JSON content expected.")
    if not is_json(content_type):
        raise GraphError(
            415, "UnsupportedMediaType", "The request's Content-Type must be application/json when it has a body."
        )
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        raise _does_not_fit(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(str(error)) from None
    except RecursionError:
        raise _unreadable("it is nested too deeply") from None


def decode_optional(body: bytes, content_type: str, form: type[T]) -> T | None:
    """Like ``decode``, but no body is no error (actions without parameters are sent with ``{}`` or with nothing)."""
    return decode(body, content_type, form) if body else None


def _within(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise _too_large(most)
    return body


def _too_large(most: int) -> GraphError:
    return GraphError(413, "RequestEntityTooLarge", f"The request body is larger than {most} bytes.")


def _unreadable(why: str) -> GraphError:
    return GraphError(
        400,
        "BadRequest",
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON "
        f"format: {why}.",
    )


def _does_not_fit(why: str) -> GraphError:
    """msgspec says which member is of the wrong type: "Expected `str`, got `int` - at `$.ids[0]`"."""
    if "- at `$." not in why:
        return _unreadable(why)
    return GraphError(400, "InvalidArgument", f"The request body is not as expected: {why}.")
