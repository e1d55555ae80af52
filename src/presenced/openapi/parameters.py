"""Parameters: the id in a path, and OData's query options."""

from typing import Any

from presenced.graph.operation import Operation
from presenced.graph.query import LARGEST_PAGE
from presenced.openapi.examples import PERSON, SECOND_PERSON
from presenced.openapi.schemas import GUID, components, reference


def path_parameter(template: str, operation: Operation) -> dict[str, Any]:
    """The ``{id}`` of a template."""
    parameter: dict[str, Any] = {"name": "id", "in": "path", "required": True, "schema": GUID}
    if template.startswith("subscriptions"):
        return {**parameter, "description": "The id of the subscription."}
    parameter["description"] = "The object id of the person."
    if "presence" not in template:
        parameter["description"] = "The object id or userPrincipalName of the person."
        parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 256}
    if operation.method != "DELETE":
        parameter["example"] = PERSON
    return parameter


def query_parameter(option: str, operation: Operation) -> dict[str, Any]:
    """One of OData's query options, as this operation takes it."""
    parameter: dict[str, Any] = {"name": option, "in": "query"}
    match option:
        case "$select":
            assert operation.gives is not None
            members = list(components()[reference(operation.gives)["$ref"].rpartition("/")[2]]["properties"])
            schema: dict[str, Any] = {"type": "array", "items": {"enum": members}}
            parameter |= {"description": "The members to answer.", "style": "form", "explode": False}
        case "$expand":
            schema = {"enum": ["*"]}
            parameter["description"] = "There is nothing to expand; `*` says so too."
        case "$filter":
            schema = {"type": "string", "pattern": "^id in \\('[0-9a-f-]{36}'(,'[0-9a-f-]{36}')*\\)$"}
            parameter |= {
                "description": "`id in ('…','…')`, with 650 ids at most.",
                "example": f"id in ('{PERSON}','{SECOND_PERSON}')",
            }
        case "$count":
            schema = {"type": "boolean"}
            parameter["description"] = "Whether to count them all."
        case "$top":
            schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}
            parameter["description"] = "How many on a page."
        case "$skiptoken":
            schema = {**GUID}
            parameter["description"] = "Where the page begins, as `@odata.nextLink` has it."
        case _:
            schema = {"enum": ["xml"] if operation.gives is None else ["json"]}
            parameter["description"] = "The format, of which there is one."
    return {**parameter, "schema": schema}
