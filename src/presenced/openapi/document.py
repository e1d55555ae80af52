"""Document: the API as OpenAPI 3.1, made from the table of operations, the structs and the permission table.

What is here is served at ``/openapi.json`` and printed by ``presenced openapi``; it is nowhere kept.
"""

from functools import cache
from typing import Any

import msgspec

from presenced import __version__
from presenced.graph.metadata import XML
from presenced.graph.operation import Operation
from presenced.graph.operations import OPERATIONS
from presenced.identity.issuer import GRAPH_AUDIENCE
from presenced.identity.permissions import DELEGATED, NEEDS, Need
from presenced.openapi import errors
from presenced.openapi.operations import ABOUT, About, Link
from presenced.openapi.parameters import path_parameter, query_parameter
from presenced.openapi.schemas import GUID, TEMPLATE, components, reference

_ANY_ADDRESS = "http://address.invalid"

DEFAULT_SCOPE = f"{GRAPH_AUDIENCE}/.default"

_SPELLING = {operation.name.lower(): operation.name for operation in OPERATIONS}
_SPELLING |= {"mailboxsettings": "mailboxSettings"}

_TAGS = {
    "Presence": "Whether people are available, and what they are doing.",
    "Subscriptions": "Being told of changes.",
    "Mailbox settings": "Automatic replies, which make people out of office.",
    "People": "The directory.",
    "Batch": "Several requests in one.",
    "Metadata": "What there is, for tools.",
}

_DESCRIPTION = """A presence server that speaks Microsoft Graph's presence API.

Every path is there under `/v1.0` and `/beta`, in any letter case, with an action's short or qualified name
(`microsoft.graph.setPresence`). `HEAD` answers as `GET` does, without the body; `OPTIONS` says the methods of a
path. Any other method is 405, an unknown path 400. Every error has Graph's envelope. 500 would be the server's fault.

To try it here, press **Authorize**: with the id and secret of an app (`presenced env` shows them), as a person, or with
a token from `presenced token`.
"""


def spelt(template: str) -> str:
    """A template of the table, with actions in the letter case that people write."""
    return "/".join(_SPELLING.get(segment, segment) for segment in template.split("/"))


def operation_id(operation: Operation, template: str) -> str:
    """The operation's name; of one that is at several paths, the name at ``/users/{id}``."""
    if len(operation.templates) == 1 or template.startswith("users/"):
        return operation.name
    return operation.name + ("OfMe" if template.startswith("me") else "InCommunications")


def document_json(base: str) -> bytes:
    """The document as JSON, of a server whose address is ``base`` (``scheme://host[:port]``)."""
    return _document_json().replace(_ANY_ADDRESS.encode(), base.encode())


@cache
def _document_json() -> bytes:
    """With an address to be replaced: clients choose it by their Host header, and making a document takes a while."""
    return msgspec.json.encode(document(_ANY_ADDRESS))


def document(base: str) -> dict[str, Any]:
    """The document, of a server whose address is ``base``."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        for template in operation.templates:
            paths.setdefault(f"/{spelt(template)}", {})[operation.method.lower()] = _operation(operation, template)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "presenced",
            "version": __version__,
            "summary": "Microsoft Graph's presence API",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{base}/v1.0"}, {"url": f"{base}/beta"}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": _security_schemes(base),
            "headers": {
                "request-id": {"description": "This answer's own id.", "required": True, "schema": GUID},
                "client-request-id": {
                    "description": "The request's own id, as it was sent; else the answer's.",
                    "required": True,
                    "schema": {"type": "string"},
                },
            },
            "parameters": {
                "client-request-id": {
                    "name": "client-request-id",
                    "in": "header",
                    "description": "Your own id of the request, which the answer repeats.",
                    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
                }
            },
        },
    }


def _security_schemes(base: str) -> dict[str, Any]:
    token_url = f"{base}/common/oauth2/v2.0/token"
    return {
        "application": {
            "type": "oauth2",
            "description": "An application alone, with its id and secret: `presenced env` shows them.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": token_url,
                    "scopes": {DEFAULT_SCOPE: "All application permissions the app was granted."},
                }
            },
        },
        "person": {
            "type": "oauth2",
            "description": "A person who signs in to an application with name and password.",
            "flows": {
                "password": {
                    "tokenUrl": token_url,
                    "scopes": {name: f"The delegated permission {name}." for name in DELEGATED},
                }
            },
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token you have: `presenced token` prints one, `presenced token --user …` a person's.",
        },
    }


def _operation(operation: Operation, template: str) -> dict[str, Any]:
    about = ABOUT[operation.name]
    described: dict[str, Any] = {
        "operationId": operation_id(operation, template),
        "tags": [about.tag],
        "summary": about.summary,
        "description": "\n\n".join(filter(None, (about.description, _permissions(operation, template)))),
        "security": _security(operation, template),
        "parameters": [
            *([path_parameter(template, operation)] if "{id}" in template else []),
            *(query_parameter(option, operation) for option in about.query),
            {"$ref": "#/components/parameters/client-request-id"},
        ],
        "responses": {
            **{str(status): _done(operation, about, status, template) for status in about.success},
            **errors.responses(operation),
        },
    }
    if operation.method in ("POST", "PATCH"):
        described["requestBody"] = _request_body(operation, about)
    return described


def needs(operation: Operation, template: str) -> Need | None:
    """The permissions that ``operation`` needs at this path; None where any token will do."""
    if operation.needs is None:
        return None
    own = template.startswith("me") and operation.needs_of_own is not None
    need = NEEDS[operation.needs_of_own if own and operation.needs_of_own else operation.needs]
    # an application is nobody, so it has no /me
    return Need(need.delegated, ()) if template.startswith("me") else need


def _permissions(operation: Operation, template: str) -> str:
    if operation.anonymous:
        return ""
    need = needs(operation, template)
    if need is None:
        return "Any token will do."
    parts = [
        f"{kind}: {' or '.join(f'`{name}`' for name in names) or 'not supported'}"
        for kind, names in (("delegated", need.delegated), ("application", need.application))
    ]
    return f"Permission: {'; '.join(parts)}."


def _security(operation: Operation, template: str) -> list[dict[str, list[str]]]:
    if operation.anonymous:
        return []
    need = needs(operation, template) or Need(DELEGATED, (DEFAULT_SCOPE,))
    found: list[dict[str, list[str]]] = [{"application": [DEFAULT_SCOPE]}] if need.application else []
    if operation.needs is None:
        return [*found, {"person": []}, {"token": []}]
    found.extend({"person": [name]} for name in need.delegated)
    found.extend({"token": [name]} for name in dict.fromkeys((*need.application, *need.delegated)))
    return found


def _request_body(operation: Operation, about: About) -> dict[str, Any]:
    if about.takes is not None:
        schema: dict[str, Any] = {"$ref": TEMPLATE.format(name=about.takes)}
    else:
        schema = reference(operation.takes) if operation.takes is not None else {"type": "object"}
    media: dict[str, Any] = {"schema": schema}
    if about.examples:
        media["examples"] = {name: {"value": value} for name, value in about.examples.items()}
    return {"required": not about.body_optional, "content": {"application/json": media}}


def _done(operation: Operation, about: About, status: int, template: str) -> dict[str, Any]:
    own = ("Location", {"type": "string"}, "Where it is.", True) if operation.name == "createUser" else None
    answer: dict[str, Any] = {"description": "Done.", "headers": errors.headers(own)}
    if about.content_type == XML:
        answer["content"] = {XML: {"schema": {"type": "string"}}}
    elif operation.gives is not None or about.answer_schema is not None:
        media: dict[str, Any] = {"schema": _answer_schema(operation, about)}
        if about.answer is not None:
            media["examples"] = {"answer": {"value": about.answer}}
        answer["content"] = {"application/json": media}
    if len(about.success) > 1:
        answer["description"] = f"Done; {status} by the setting `action-status`."
    links = {
        name.replace(" ", "-"): _link(link)
        for name, link in about.links.items()
        if "$request.path" not in link.key or "{id}" in template
    }
    if links:
        answer["links"] = links
    return answer


def _answer_schema(operation: Operation, about: About) -> dict[str, Any]:
    if about.answer_schema is not None:
        return {"$ref": TEMPLATE.format(name=about.answer_schema)}
    assert operation.gives is not None
    item = reference(operation.gives)
    # what is selected leaves the rest out
    whole = components()[item["$ref"].rpartition("/")[2]]
    if "$select" in about.query:
        item = {key: value for key, value in whole.items() if key != "required"}
    context = {"@odata.context": {"type": "string", "format": "uri"}}
    if not operation.many:
        properties = {**context, **whole["properties"]}
        required = ["@odata.context"] if "$select" in about.query else ["@odata.context", *whole["required"]]
    else:
        properties = {**context, "value": {"type": "array", "items": item}}
        if "$top" in about.query:
            properties["@odata.nextLink"] = {"type": "string", "format": "uri"}
        if "$count" in about.query:
            properties["@odata.count"] = {"type": "integer"}
        required = ["@odata.context", "value"]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _link(link: Link) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": link.target, "parameters": {"id": link.key}}
    if link.body is not None:
        described["requestBody"] = link.body
    return described
