"""OPTIONS: a browser's preflight, and what methods there are at a path. It takes no token: preflights carry none."""

from starlette.types import Scope

from presenced.graph.call import Answer
from presenced.graph.cors import preflight_headers
from presenced.graph.errors import GraphError
from presenced.graph.exchange import GraphExchange
from presenced.graph.operations import methods_at
from presenced.graph.paths import parse


def options(exchange: GraphExchange, scope: Scope) -> Answer:
    """The answer to an OPTIONS request."""
    preflight = preflight_headers(exchange.headers)
    if preflight is not None:
        return Answer(200, headers=preflight)
    path = parse(scope["raw_path"].decode("latin-1"))
    methods = methods_at(path) if path is not None else []
    if not methods:
        return exchange.refuse(GraphError(404, "NotFound", "There is nothing at this path."))
    return Answer(204, headers=(("Allow", ", ".join(methods)),))
