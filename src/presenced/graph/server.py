"""Server: the ASGI application under /v1.0 and /beta: an exchange's answer on HTTP, OPTIONS, and CORS."""

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from presenced.clock import Clock
from presenced.graph import cors
from presenced.graph.body import ClientGone
from presenced.graph.exchange import GraphExchange
from presenced.graph.headers import answer_headers, compressed, request_headers
from presenced.graph.operation import Parts
from presenced.graph.options import options
from presenced.graph.throttle import Budgets
from presenced.identity.base_urls import BaseUrls
from presenced.identity.tokens import Verifier


class GraphServer:
    """Graph's presence API as an ASGI application. ``most_body`` is in bytes; ``exchange`` makes one of a request."""

    def __init__(
        self,
        parts: Parts,
        verifier: Verifier,
        base_urls: BaseUrls,
        budgets: Budgets,
        clock: Clock,
        most_body: int,
        exchange: Callable[..., GraphExchange] = GraphExchange,
    ) -> None:
        self._exchange = exchange
        self._parts = parts, verifier, base_urls, budgets, clock, most_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = request_headers(scope["headers"])
        exchange = self._exchange(*self._parts, scope, headers)
        try:
            answer = options(exchange, scope) if scope["method"] == "OPTIONS" else await exchange.answer(receive)
        except ClientGone:
            return
        content, more = answer.body, answer.headers
        if smaller := compressed(content, headers.get("accept-encoding", "")):
            content, more = smaller, (*more, ("Content-Encoding", "gzip"))
        if "origin" in headers:
            more = (*more, *cors.ANSWER_HEADERS)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": answer_headers(
                    exchange.request_id,
                    exchange.client_id,
                    answer.content_type if content else None,
                    len(content),
                    more,
                ),
            }
        )
        await send({"type": "http.response.body", "body": content})
