"""Errors: every refusal an operation can answer, by status, with the codes in Graph's envelope.

Derived from the operation's row in the tables, in the order in which a request is checked (graph/exchange.py).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from presenced.graph.operation import Operation
from presenced.openapi.operations import ABOUT
from presenced.openapi.schemas import TEMPLATE

Codes = dict[int, list[str]]

MEANINGS = {
    400: "The request is malformed, or asks for what cannot be.",
    401: "There is no token, it is not accepted, or it is of another person than the one to be changed.",
    403: "The token has none of the permissions named above; the header says which would do.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "There is one already.",
    413: "The body is larger than the server takes.",
    415: "The body is of a type or encoding that is not taken.",
    429: "The application made too many requests.",
    503: "What the answer needs cannot be reached: the store, or the issuer of the token.",
}

Header = tuple[str, Mapping[str, Any], str, bool]

_HEADERS: dict[int, Header] = {
    401: ("WWW-Authenticate", {"type": "string"}, "Where to get a token.", True),
    403: ("presenced-needs-permission", {"type": "string"}, "The permissions of which any one would do.", False),
    429: ("Retry-After", {"type": "integer", "minimum": 1, "maximum": 179}, "Seconds to wait.", True),
    503: ("Retry-After", {"type": "integer", "minimum": 1}, "Seconds to wait.", True),
}


def codes_of(operation: Operation) -> Codes:
    """The codes an operation can answer, by status."""
    about = ABOUT[operation.name]
    own_body = operation.name in ("createUser", "updateUser")
    templated = any("{id}" in template for template in operation.templates)
    rows: list[tuple[bool, int, tuple[str, ...]]] = [
        (True, 400, ("BadRequest",)),
        (bool(about.query), 400, ("Request_BadRequest", "Request_UnsupportedQuery")),
        (operation.method != "GET", 400, ("InvalidArgument",)),
        (own_body, 400, ("Request_BadRequest",)),
        (not operation.anonymous, 401, ("InvalidAuthenticationToken",)),
        (operation.own_only, 401, ("Unauthorized",)),
        (operation.needs is not None, 403, (operation.forbidden[0],)),
        (templated, 404, ("NotFound",)),  # what is longer than any path can be is none of Graph's
        (operation.method != "GET", 408, ("RequestTimeout",)),
        (operation.method != "GET", 413, ("RequestEntityTooLarge",)),
        (operation.method != "GET", 415, ("UnsupportedMediaType",)),
        (operation.budget is not None, 429, ("TooManyRequests",)),
        (not operation.anonymous, 503, ("ServiceNotAvailable",)),
        *((True, status, names) for status, names in about.errors.items()),
    ]
    codes: dict[int, dict[str, None]] = {}
    for applies, status, names in rows:
        if applies:
            codes.setdefault(status, {}).update(dict.fromkeys(names))
    return {status: list(codes[status]) for status in sorted(codes)}


def responses(operation: Operation) -> dict[str, Any]:
    """The error answers of an operation as response objects."""
    return {str(status): _response(status, names) for status, names in codes_of(operation).items()}


def _response(status: int, names: Iterable[str]) -> dict[str, Any]:
    known = list(names)
    schema: dict[str, Any] = {
        "allOf": [
            {"$ref": TEMPLATE.format(name="error")},
            {"properties": {"error": {"properties": {"code": {"enum": known}}}}},
        ]
    }
    answer: dict[str, Any] = {
        "description": f"{MEANINGS[status]} Code: {', '.join(f'`{name}`' for name in known)}.",
        "headers": headers(_HEADERS.get(status)),
        "content": {"application/json": {"schema": schema}},
    }
    return answer


def headers(*more: Header | None) -> dict[str, Any]:
    """The headers of an answer: those that all have, and some of its own."""
    found: dict[str, Any] = {
        name: {"$ref": f"#/components/headers/{name}"} for name in ("request-id", "client-request-id")
    }
    for own in more:
        if own is not None:
            name, schema, description, required = own
            found[name] = {"schema": dict(schema), "description": description, "required": required}
    return found
