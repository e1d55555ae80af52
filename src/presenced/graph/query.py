"""Query: the OData query options of a request, read once and alike for every operation that takes some.

Source: Graph's page "Use query parameters to customize responses". An option that an operation does not take is
refused rather than passed over; what is no query option at all is passed over, as Graph does.
"""

from collections.abc import Collection
from urllib.parse import parse_qs, quote

import msgspec

from presenced.graph.errors import GraphError
from presenced.presence.record import guid

_DEFAULT_PAGE = 100
LARGEST_PAGE = 999
"""People on one page ($top)."""

_OPTIONS = {
    "$apply", "$compute", "$count", "$expand", "$filter", "$format", "$orderby", "$search", "$select", "$skip",
    "$skiptoken", "$top",
}  # fmt: skip


class Query(msgspec.Struct, frozen=True):
    """Query options. ``members`` is $select, None for everything; ``after`` the last id of the page before."""

    members: tuple[str, ...] | None = None
    filter: str | None = None
    count: bool = False
    top: int = _DEFAULT_PAGE
    after: str = ""

    @property
    def fragment(self) -> str:
        """What $select adds to an answer's context."""
        return f"({','.join(self.members)})" if self.members else ""

    def select(self, entity: bytes) -> bytes:
        """A JSON object with the selected members only."""
        if self.members is None:
            return entity
        parts: dict[str, msgspec.Raw] = msgspec.json.decode(entity, type=dict[str, msgspec.Raw])
        return msgspec.json.encode({name: part for name, part in parts.items() if name in self.members})

    def next_page(self, after: str) -> str:
        """The query of the next page, which begins after this id."""
        query = f"$top={self.top}&$skiptoken={after}"
        if self.members is not None:
            query += f"&$select={quote(','.join(self.members), safe=',')}"
        if self.count:
            query += "&$count=true"
        return query


def read_query(text: str, members: Collection[str], kind: str, takes: Collection[str]) -> Query:
    """The options in a query string, of an operation on a ``kind`` with these ``members`` that ``takes`` some options.

    Raises GraphError 400.
    """
    options = {name.lower(): values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    for name in options:
        if name in _OPTIONS and name not in takes:
            raise GraphError(400, "Request_UnsupportedQuery", f"The query option {name} is not supported here.")
    _check_expand(options.get("$expand", ""), kind)
    count = options.get("$count", "false").lower()
    if count not in ("true", "false"):
        raise _bad_request(f"Invalid value '{count[:64]}' for $count: it is true or false.")
    return Query(
        _select(options.get("$select", ""), members, kind),
        options.get("$filter"),
        count == "true",
        _top(options.get("$top", str(_DEFAULT_PAGE))),
        _after(options.get("$skiptoken", "")),
    )


def _select(text: str, known: Collection[str], kind: str) -> tuple[str, ...] | None:
    members = tuple(dict.fromkeys(part.strip() for part in text.split(","))) if text.strip() else ()
    if not members or "*" in members:
        return None
    for member in members:
        if member not in known:
            raise _bad_request(
                f"Could not find a property named '{member[:64]}' on type 'microsoft.graph.{kind}' here."
            )
    return members


def _check_expand(text: str, kind: str) -> None:
    """No resource here has anything to expand, so only ``*`` and nothing at all can be asked for."""
    for member in text.split(","):
        if member.strip() not in ("", "*"):
            raise GraphError(
                400,
                "BadRequest",
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{member.strip()[:64]}' on type 'microsoft.graph.{kind}'.",
            )


def _top(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LARGEST_PAGE):
        raise _bad_request(
            f"Invalid page size specified: '{text[:64]}'. Must be between 1 and {LARGEST_PAGE} inclusive."
        )
    return int(text)


def _after(text: str) -> str:
    if text and guid(text) is None:
        raise _bad_request("The $skiptoken is not one of this server's; take it from @odata.nextLink.")
    return text.lower()


def _bad_request(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)
