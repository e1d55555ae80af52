"""Batch: several requests in one, as Graph's page "Combine multiple HTTP requests using JSON batching" has them.

Held here: what a batch may hold (20 requests, ids that differ in more than case, one of three patterns of dependsOn),
the order in which its requests run, 424 for what depends on a failure, and the form of its answer. Each part is a
request like any other: it is found, counted against its budget and refused by itself. A part is never asked for over
HTTP, and no url is ever followed: it only names an operation of this server.

More is taken than Graph takes, for clients that send it (spec: real-clients.md): a null body, ``depends_on``, and
absolute urls that begin with this server's own address.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from presenced.graph.body import decode, is_json
from presenced.graph.call import Answer, Call, Part
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation, Parts

MOST_REQUESTS = 20
"""Requests in one batch (json-batching page)."""

TEMPLATE = "$batch"

_LONGEST_ID = 256
_WRITES = ("POST", "PATCH", "PUT")


class _Item(msgspec.Struct):
    """One request, as it is sent."""

    id: str
    method: str
    url: str
    headers: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    depends_on: list[str] | None = msgspec.field(default=None, name="dependsOn")
    python_depends_on: list[str] | None = msgspec.field(default=None, name="depends_on")


class _Batch(msgspec.Struct):
    requests: list[_Item]


class BatchItem(NamedTuple):
    """One request of a batch that is in order: its id, what it asks for, and which one it waits for (an index)."""

    id: str
    part: Part
    after: int | None


class _AnswerItem(msgspec.Struct, omit_defaults=True):
    id: str
    status: int
    headers: dict[str, str]
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def read_batch(call: Call) -> list[BatchItem]:
    """The requests of a batch. Raises GraphError 400 for what makes the whole of it unusable."""
    try:
        items = decode(call.body, call.content_type, _Batch).requests
    except GraphError as error:
        if error.code == "InvalidArgument":
            raise _invalid(error.message) from None
        raise
    if len(items) > MOST_REQUESTS:
        raise _bad_request(
            f"Number of requests inside batch exceed the limit. At most {MOST_REQUESTS} can be sent; "
            f"{len(items)} were sent."
        )
    places: dict[str, int] = {}
    for place, item in enumerate(items):
        if not 1 <= len(item.id) <= _LONGEST_ID:
            raise _invalid(f"The id of the request at index {place} must have 1 to {_LONGEST_ID} characters.")
        if places.setdefault(item.id.lower(), place) != place:
            raise _bad_request(f"Request Id {item.id} has to be unique in a batch.")
    after = [_after(item, place, places) for place, item in enumerate(items)]
    _check_pattern(after)
    own = call.exchange.own_addresses
    version = call.base.rpartition("/")[2]
    return [BatchItem(item.id, _part(item, version, own), waits) for item, waits in zip(items, after, strict=True)]


def _after(item: _Item, place: int, places: dict[str, int]) -> int | None:
    named = item.depends_on or item.python_depends_on or []
    found = {places.get(name.lower(), place) for name in named}
    if any(other >= place for other in found):
        raise _bad_request(
            f"Invalid dependency for request Id {item.id}. It can depend only on a request that comes before it."
        )
    if len(found) > 1:
        raise _not_a_pattern()
    return found.pop() if found else None


def _check_pattern(after: Sequence[int | None]) -> None:
    """All in parallel, each after the one before it, or all after the first: nothing else is known to Graph."""
    rest = after[1:]
    parallel = all(waits is None for waits in rest)
    serial = all(waits == place for place, waits in enumerate(rest))
    same = len(set(rest)) == 1 and rest[0] == 0
    if not (parallel or serial or same):
        raise _not_a_pattern()


def _part(item: _Item, version: str, own_addresses: frozenset[str]) -> Part:
    headers = {name.lower(): value for name, value in (item.headers or {}).items() if isinstance(value, str)}
    content_type = headers.get("content-type", "")
    method = item.method.upper()
    body = bytes(item.body)
    if body == b"null":
        body = b""
    if body and not content_type:
        raise _bad_request(f"Write request with id '{item.id}' does not contain a Content-Type header.")
    if method in _WRITES and not body:
        raise _bad_request(f"Write request id : {item.id} does not contain Content-Type header or body.")
    if body and not is_json(content_type):
        body = _from_base64(item, body)
    path, _, query = _path(item, version, own_addresses).partition("?")
    return Part(method, path, query, content_type, body)


def _path(item: _Item, version: str, own_addresses: frozenset[str]) -> str:
    """The url's path and query, with the version that a relative one leaves to the batch."""
    scheme, colon, rest = item.url.partition("://")
    if not colon or not scheme.isalpha():
        return f"/{version}/{item.url.removeprefix('/')}"
    host, slash, path = rest.partition("/")
    if f"{scheme}://{host}".lower() not in own_addresses or not slash:
        raise _invalid(f"The url of request {item.id} must be relative, such as /me/presence.")
    return f"/{path}"


def _from_base64(item: _Item, body: bytes) -> bytes:
    """A body that is no JSON: a string in base64url (or base64), with or without its padding."""
    try:
        text = msgspec.json.decode(body, type=str).rstrip("=").replace("+", "-").replace("/", "_")
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise _invalid(
            f"The body of request {item.id} is not JSON by its Content-Type, so it must be a string in base64url."
        ) from None


async def run_batch(parts: Parts, call: Call, items: list[BatchItem]) -> Answer:
    """The answers of all requests, in their order, as the JSON of Graph's page."""
    answers: dict[int, Answer] = {}

    async def run(place: int) -> None:
        after = items[place].after
        if after is not None and answers[after].status >= 400:
            answers[place] = call.exchange.refuse(
                GraphError(424, "FailedDependency", f"Request {items[after].id}, which this one depends on, failed.")
            )
        else:
            answers[place] = await call.exchange.ask(items[place].part)

    for wave in _waves(items):
        # together, so that the changes of a batch share one commit; they begin in the order of the batch
        await asyncio.gather(*map(run, wave))
    responses = [_answer_item(item.id, answers[place]) for place, item in enumerate(items)]
    return Answer(200, msgspec.json.encode({"responses": responses}))


def _waves(items: list[BatchItem]) -> list[list[int]]:
    """The places in the batch by how many others each waits for."""
    depths: list[int] = []
    for item in items:
        depths.append(0 if item.after is None else depths[item.after] + 1)
    return [
        [place for place, depth in enumerate(depths) if depth == wave] for wave in range(max(depths, default=-1) + 1)
    ]


def _answer_item(name: str, answer: Answer) -> _AnswerItem:
    # a Content-Type also where there is no body: three clients look for it in every part (spec: real-clients.md)
    headers = {"Cache-Control": "no-cache", "OData-Version": "4.0", "Content-Type": answer.content_type}
    headers.update(answer.headers)
    item = _AnswerItem(name, answer.status, headers)
    if answer.body:
        json = is_json(answer.content_type)
        item.body = msgspec.Raw(answer.body) if json else msgspec.Raw(msgspec.json.encode(_to_base64(answer.body)))
    return item


def _to_base64(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode("ascii")


def _not_a_pattern() -> GraphError:
    return _bad_request(
        "Batch should be either fully sequential or fully parallel. Let each request depend on the one before it, or "
        "all on the first, or none on any."
    )


def _invalid(why: str) -> GraphError:
    return _bad_request(f"Invalid batch payload format. {why}")


def _bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


OPERATIONS = (Operation("batch", "POST", (TEMPLATE,), None, run_batch, read_batch, whole=True),)
