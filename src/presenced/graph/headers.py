"""Headers: what every answer carries, and what is read from every request's.

Source: answers recorded from Graph (request-id, client-request-id, OData-Version, Cache-Control and the content type
with its OData parameters; errors carry plain application/json). An empty 200 must not carry a Content-Type: the
JavaScript client would try to parse it (spec: what an answer must hold).
"""

import gzip
import re
from collections.abc import Iterable
from random import getrandbits

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
ERROR_JSON = "application/json"

WORTH_COMPRESSING = 1400
"""Bytes: a smaller answer fits one packet anyway."""

_CLIENT_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_ACCEPTS_GZIP = re.compile(
    r"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)", re.IGNORECASE
)

_UUID_4 = 0x4000_8000_0000_0000_0000
_UUID_4_FREE = ~0xF000_C000_0000_0000_0000

RawHeaders = list[tuple[bytes, bytes]]


def request_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A request's headers by lower-case name; of a repeated one the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


def new_request_id() -> str:
    """The ``request-id`` of one answer: a random GUID. It is no secret, and uuid4 asks the kernel for each."""
    text = f"{getrandbits(128) & _UUID_4_FREE | _UUID_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def client_request_id(headers: dict[str, str], request_id: str) -> str:
    """The caller's own id of the request, to be echoed; ``request_id`` if there is none that can be sent back."""
    given = headers.get("client-request-id", "")
    return given if _CLIENT_REQUEST_ID.fullmatch(given) else request_id


def answer_headers(
    request_id: str,
    client_id: str,
    content_type: str | None,
    length: int,
    more: Iterable[tuple[str, str]] = (),
) -> RawHeaders:
    """The headers of an answer, as ASGI wants them. Date is the server's to add."""
    headers = [
        (b"cache-control", b"no-cache"),
        (b"request-id", request_id.encode("ascii")),
        (b"client-request-id", client_id.encode("ascii")),
        (b"odata-version", b"4.0"),
        (b"vary", b"Accept-Encoding"),
        (b"content-length", b"%d" % length),
    ]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode("ascii")))
    headers.extend((name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in more)
    return headers


def compressed(body: bytes, accept_encoding: str) -> bytes | None:
    """The body in gzip, if the client takes it and it is worth it. The fastest level: presence compresses well."""
    if len(body) < WORTH_COMPRESSING or not _ACCEPTS_GZIP.search(accept_encoding):
        return None
    return gzip.compress(body, 1, mtime=0)
