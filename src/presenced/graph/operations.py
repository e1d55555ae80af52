"""Operations: the table of all that is served under /v1.0 and /beta, and which of it a path and method name."""

from presenced.graph import batch, mailbox_settings, metadata, presence_actions, presences, subscriptions, users
from presenced.graph.errors import GraphError
from presenced.graph.operation import Operation
from presenced.graph.paths import Path

OPERATIONS: tuple[Operation, ...] = (
    *presences.OPERATIONS,
    *presence_actions.OPERATIONS,
    *subscriptions.OPERATIONS,
    *mailbox_settings.OPERATIONS,
    *users.OPERATIONS,
    *batch.OPERATIONS,
    *metadata.OPERATIONS,
)

_BY_TEMPLATE: dict[str, dict[str, Operation]] = {}
for _operation in OPERATIONS:
    for _template in _operation.templates:
        _BY_TEMPLATE.setdefault(_template, {})[_operation.method] = _operation


def find(path: Path, method: str) -> Operation:
    """The operation at ``path``; HEAD is GET.

    Raises GraphError: 400 for an unknown segment, 405 for a method that the path does not have.
    """
    methods = _BY_TEMPLATE.get(path.template)
    if methods is None:
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{_unknown_segment(path)}'.")
    operation = methods.get("GET" if method == "HEAD" else method)
    if operation is None:
        raise GraphError(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
            (("Allow", ", ".join(methods_at(path))),),
        )
    return operation


def is_anonymous(path: Path | None, method: str) -> bool:
    """Whether what is at ``path`` is for everybody, with a token or without."""
    operation = None if path is None else _BY_TEMPLATE.get(path.template, {}).get("GET" if method == "HEAD" else method)
    return operation is not None and operation.anonymous


def methods_at(path: Path) -> list[str]:
    """The methods that are answered at ``path``, none if there is nothing."""
    methods = set(_BY_TEMPLATE.get(path.template, ()))
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods | {"OPTIONS"}) if methods else []


def _unknown_segment(path: Path) -> str:
    """The first segment of the path with which no operation's path goes on."""
    names = path.template.split("/")
    for count in range(1, len(names) + 1):
        start = "/".join(names[:count])
        if not any(template == start or template.startswith(start + "/") for template in _BY_TEMPLATE):
            return names[count - 1]
    return names[-1]
