"""Server: the ASGI application under /v1.0 and /beta, and the order in which a request is checked.

Graph's order, as far as it is known: the token (401), the path and method (400, 405), the application's budget (429),
the body (400, 413, 415: a malformed body is named even to a caller without the permission, ms-teams-cli issue 71), the
permission (403), another person's presence (401, "Cannot set the presence of another user"), then the work (404, ...).
Nothing leaves here but Graph's envelope and headers, whatever happens inside.
"""

import structlog
from starlette.types import Receive, Scope, Send

from presenced.clock import Clock
from presenced.graph import body, mailbox_settings, presence_actions, presences, subscriptions, users
from presenced.graph.call import Answer, Call
from presenced.graph.errors import GraphError, envelope, from_refusal
from presenced.graph.headers import (
    ERROR_JSON,
    JSON,
    answer_headers,
    client_request_id,
    compressed,
    new_request_id,
    request_headers,
)
from presenced.graph.operation import Operation, Parts
from presenced.graph.paths import Path, parse
from presenced.graph.throttle import Budgets
from presenced.identity.base_urls import BaseUrls
from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.external import IssuerUnavailable
from presenced.identity.permissions import accepted, allowed
from presenced.identity.tokens import Verifier
from presenced.presence.record import guid
from presenced.presence.refused import Refused
from presenced.store.base import StoreUnavailable

OPERATIONS: tuple[Operation, ...] = (
    *presences.OPERATIONS,
    *presence_actions.OPERATIONS,
    *subscriptions.OPERATIONS,
    *mailbox_settings.OPERATIONS,
    *users.OPERATIONS,
)

_BY_TEMPLATE: dict[str, dict[str, Operation]] = {}
for _operation in OPERATIONS:
    for _template in _operation.templates:
        _BY_TEMPLATE.setdefault(_template, {})[_operation.method] = _operation

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

log = structlog.get_logger()


class GraphServer:
    """Graph's presence API as an ASGI application. ``most_body`` is in bytes."""

    def __init__(
        self,
        parts: Parts,
        verifier: Verifier,
        base_urls: BaseUrls,
        budgets: Budgets,
        clock: Clock,
        most_body: int,
    ) -> None:
        self._parts = parts
        self._verifier = verifier
        self._base_urls = base_urls
        self._budgets = budgets
        self._clock = clock
        self._most_body = most_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = request_headers(scope["headers"])
        request_id = new_request_id()
        client_id = client_request_id(headers, request_id)
        content_type = JSON
        try:
            answer = await self._answer(scope, headers, receive)
        except body.ClientGone:
            return
        except GraphError as error:
            content = envelope(error.code, error.message, request_id, client_id, self._clock.now())
            answer, content_type = Answer(error.status, content, error.headers), ERROR_JSON
        content, more = answer.body, answer.headers
        if smaller := compressed(content, headers.get("accept-encoding", "")):
            content, more = smaller, (*more, ("Content-Encoding", "gzip"))
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": answer_headers(request_id, client_id, content_type if content else None, len(content), more),
            }
        )
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        """The answer to one HTTP request. Raises GraphError, for everything that goes wrong, and ClientGone."""
        try:
            caller = await self._caller(headers.get("authorization", ""))
            path = parse(scope["raw_path"].decode("latin-1"))
            if path is None:
                raise GraphError(404, "NotFound", "There is nothing at this path; Graph's begin with /v1.0 or /beta.")
            operation = find(path, scope["method"])
            if operation.budget is not None:
                self._budgets.count(operation.budget, caller.tenant, caller.app)
            content = b""
            if operation.method != "GET":
                content = await body.read(receive, self._most_body)
                content = body.decompress(content, headers.get("content-encoding", "").lower(), self._most_body)
            call = Call(
                base=f"{self._base_urls.of(scope)}/{path.version}",
                caller=caller,
                template=path.template,
                key=path.key or _own_key(path, caller),
                query=scope["query_string"].decode("latin-1"),
                content_type=headers.get("content-type", ""),
                body=content,
            )
            return await perform(self._parts, operation, call)
        except NotAuthenticated as error:
            raise self._unauthorized("InvalidAuthenticationToken", str(error), scope) from None
        except NotYours:
            raise self._unauthorized("Unauthorized", "Cannot set the presence of another user", scope) from None
        except IssuerUnavailable as error:
            raise GraphError(503, "ServiceNotAvailable", str(error), (("Retry-After", "10"),)) from None
        except StoreUnavailable as error:
            log.error("the store is unavailable", reason=str(error))
            message = "The change could not be kept and was not made. The server's log says why."
            raise GraphError(503, "ServiceNotAvailable", message, (("Retry-After", "10"),)) from None
        except (GraphError, body.ClientGone):
            raise
        except Exception:
            log.exception("a request failed", method=scope["method"], path=scope["path"])
            raise GraphError(500, "InternalServerError", "presenced failed at this; its log says how.") from None

    async def _caller(self, authorization: str) -> Caller:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise NotAuthenticated("Access token is empty.")
        token = token.strip()
        return self._verifier.cached(token) or await self._verifier.verify(token)

    def _unauthorized(self, code: str, message: str, scope: Scope) -> GraphError:
        authority = f"{self._base_urls.of(scope)}/common/oauth2/authorize"
        challenge = f'Bearer realm="", authorization_uri="{authority}", client_id="{GRAPH_APP_ID}"'
        return GraphError(401, code, message, (("WWW-Authenticate", challenge),))


class NotYours(Exception):
    """A person's token used to change another person's presence."""


def find(path: Path, method: str) -> Operation:
    """The operation at ``path``. Raises GraphError: 400 for an unknown segment, 405 for a method it does not have."""
    methods = _BY_TEMPLATE.get(path.template)
    if methods is None:
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{_unknown_segment(path)}'.")
    operation = methods.get(method)
    if operation is None:
        raise GraphError(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
            (("Allow", ", ".join(sorted(methods))),),
        )
    return operation


async def perform(parts: Parts, operation: Operation, call: Call) -> Answer:
    """Check and run one operation. Raises GraphError and what the store raises."""
    try:
        request = operation.read(call)
        own = call.caller.user is not None and guid(call.key) == call.caller.user
        needs = operation.needs_of_own if own and operation.needs_of_own else operation.needs
        if operation.needs_extended and parts.notify.extensions:
            needs = operation.needs_extended
        if not allowed(call.caller, needs):
            wanted = " or ".join(accepted(call.caller, needs)) or "none for this kind of token"
            raise GraphError(403, *operation.forbidden, (("presenced-needs-permission", wanted),))
        if operation.own_only and call.caller.user is not None and not own:
            raise NotYours
        return await operation.run(parts, call, request)
    except Refused as refused:
        raise from_refusal(refused) from None


def _own_key(path: Path, caller: Caller) -> str:
    if path.template != "me" and not path.template.startswith("me/"):
        return ""
    if caller.user is None:
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    return caller.user


def _unknown_segment(path: Path) -> str:
    """The first segment of the path with which no operation's path goes on."""
    names = path.template.split("/")
    for count in range(1, len(names) + 1):
        start = "/".join(names[:count])
        if not any(template == start or template.startswith(start + "/") for template in _BY_TEMPLATE):
            return names[count - 1]
    return names[-1]
