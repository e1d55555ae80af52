"""GraphExchange: one HTTP request under /v1.0 or /beta and its answer: the order in which a request is checked.

Graph's order, as far as it is known: the token (401), the path and method (400, 405), the application's budget (429),
the body (400, 413, 415: a malformed body is named even to a caller without the permission, ms-teams-cli issue 71), the
permission (403), another person's presence (401, "Cannot set the presence of another user"), then the work (404, ...).
Nothing leaves here but Graph's envelope, whatever happens inside. The parts of a batch take the same way, but for the
token, which is the batch's.
"""

import structlog
from starlette.types import Receive, Scope

from presenced.clock import Clock
from presenced.graph import body
from presenced.graph.call import Answer, Call, Part
from presenced.graph.errors import GraphError, envelope, from_refusal
from presenced.graph.headers import ERROR_JSON, client_request_id, new_request_id
from presenced.graph.operation import Operation, Parts, forbidden
from presenced.graph.operations import find, is_anonymous
from presenced.graph.paths import Path, parse
from presenced.graph.throttle import Budgets
from presenced.identity.base_urls import BaseUrls
from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.external import IssuerUnavailable
from presenced.identity.permissions import allowed
from presenced.identity.tokens import Verifier
from presenced.presence.record import guid
from presenced.presence.refused import Refused
from presenced.store.base import StoreUnavailable

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

_ANYBODY = Caller("", "", None, frozenset())
"""Who asks for what takes no token, whatever token is sent: no tenant, no permission."""

log = structlog.get_logger()


class GraphExchange:
    """One HTTP request. ``most_body`` is in bytes; ``request_id`` and ``client_id`` name the request in its answer."""

    __slots__ = (
        "_base_urls", "_budgets", "_caller", "_clock", "_most_body", "_parts", "_scope", "_verifier", "client_id",
        "headers", "request_id",
    )  # fmt: skip

    _caller: Caller

    def __init__(
        self,
        parts: Parts,
        verifier: Verifier,
        base_urls: BaseUrls,
        budgets: Budgets,
        clock: Clock,
        most_body: int,
        scope: Scope,
        headers: dict[str, str],
    ) -> None:
        self._parts = parts
        self._verifier = verifier
        self._base_urls = base_urls
        self._budgets = budgets
        self._clock = clock
        self._most_body = most_body
        self._scope = scope
        self.headers = headers
        self.request_id = new_request_id()
        self.client_id = client_request_id(headers, self.request_id)

    async def answer(self, receive: Receive) -> Answer:
        """The answer to the whole request. Raises ClientGone."""
        scope, headers = self._scope, self.headers
        try:
            raw_path, method = scope["raw_path"].decode("latin-1"), scope["method"]
            if is_anonymous(parse(raw_path), method):
                self._caller = _ANYBODY
            else:
                self._caller = await self._authenticate(headers.get("authorization", ""))
            path, operation = self._find(raw_path, method)
            content = b""
            if operation.method != "GET":
                content = await body.read(receive, self._most_body)
                content = body.decompress(content, headers.get("content-encoding", "").lower(), self._most_body)
            query = scope["query_string"].decode("latin-1")
            return await self._run(operation, path, query, headers.get("content-type", ""), content)
        except body.ClientGone:
            raise
        except Exception as error:
            return self.refuse(self._failure(error))

    async def ask(self, part: Part) -> Answer:
        """The answer to a part of this request."""
        try:
            path, operation = self._find(part.path, part.method)
            if operation.whole:
                raise GraphError(400, "BadRequest", "A batch cannot be part of a batch.")
            answer = await self._run(operation, path, part.query, part.content_type, part.body)
            return answer._replace(body=b"") if part.method == "HEAD" else answer
        except Exception as error:
            return self.refuse(self._failure(error))

    def refuse(self, error: GraphError) -> Answer:
        """An error as the answer to this request or to a part of it."""
        content = envelope(error.code, error.message, self.request_id, self.client_id, self._clock.now())
        return Answer(error.status, content, error.headers, ERROR_JSON)

    @property
    def own_addresses(self) -> frozenset[str]:
        """The addresses that this client may mean this server by: the one it asked at, and those we go by."""
        return frozenset({self._base_urls.of(self._scope), *self._base_urls.own(self._scope)})

    async def _authenticate(self, authorization: str) -> Caller:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise NotAuthenticated("Access token is empty.")
        token = token.strip()
        return self._verifier.cached(token) or await self._verifier.verify(token)

    def _find(self, raw_path: str, method: str) -> tuple[Path, Operation]:
        """The operation that is asked for, once it is counted."""
        path = parse(raw_path)
        if path is None:
            raise GraphError(404, "NotFound", "There is nothing at this path; Graph's begin with /v1.0 or /beta.")
        operation = find(path, method)
        if operation.budget is not None:
            self._budgets.count(operation.budget, self._caller.tenant, self._caller.app)
        return path, operation

    async def _run(self, operation: Operation, path: Path, query: str, content_type: str, content: bytes) -> Answer:
        call = Call(
            base=f"{self._base_urls.of(self._scope)}/{path.version}",
            caller=self._caller,
            template=path.template,
            key=path.key or _own_key(path, self._caller),
            query=query,
            content_type=content_type,
            body=content,
            exchange=self,
        )
        return await perform(self._parts, operation, call)

    def _failure(self, error: Exception) -> GraphError:
        """What to say of what went wrong."""
        match error:
            case GraphError():
                return error
            case Refused():
                return from_refusal(error)
            case NotAuthenticated():
                return self._unauthorized("InvalidAuthenticationToken", str(error))
            case NotYours():
                return self._unauthorized("Unauthorized", "Cannot set the presence of another user")
            case IssuerUnavailable():
                return GraphError(503, "ServiceNotAvailable", str(error), (("Retry-After", "10"),))
            case StoreUnavailable():
                log.error("the store is unavailable", reason=str(error))
                message = "The change could not be kept and was not made. The server's log says why."
                return GraphError(503, "ServiceNotAvailable", message, (("Retry-After", "10"),))
        log.error("a request failed", method=self._scope["method"], path=self._scope["path"], exc_info=error)
        return GraphError(500, "InternalServerError", "presenced failed at this; its log says how.")

    def _unauthorized(self, code: str, message: str) -> GraphError:
        authority = f"{self._base_urls.of(self._scope)}/common/oauth2/authorize"
        challenge = f'Bearer realm="", authorization_uri="{authority}", client_id="{GRAPH_APP_ID}"'
        return GraphError(401, code, message, (("WWW-Authenticate", challenge),))


class NotYours(Exception):
    """A person's token used to change another person's presence."""


async def perform(parts: Parts, operation: Operation, call: Call) -> Answer:
    """Check and run one operation. Raises GraphError, Refused, NotYours and what the store raises."""
    request = operation.read(call)
    if operation.needs is not None:
        own = call.caller.user is not None and guid(call.key) == call.caller.user
        needs = operation.needs_of_own if own and operation.needs_of_own else operation.needs
        if operation.needs_extended and parts.notify.extensions:
            needs = operation.needs_extended
        if not allowed(call.caller, needs):
            raise forbidden(call.caller, needs, operation.forbidden)
        if operation.own_only and call.caller.user is not None and not own:
            raise NotYours
    return await operation.run(parts, call, request)


def _own_key(path: Path, caller: Caller) -> str:
    if path.template != "me" and not path.template.startswith("me/"):
        return ""
    if caller.user is None:
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    return caller.user
