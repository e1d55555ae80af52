"""Owner routes: the board's rows and changes for the commands of the owner (``presenced board``).

They are part of the owner's application (control.py), which is on a Unix socket that only the owner can open, and so
need no session; never to be put on a network port.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from presenced.web.access import Denied
from presenced.web.board import Board
from presenced.web.exchange import EventStream


def owner_routes(board: Board) -> list[Route]:
    """``/board/people?tenant=&after=`` and ``/board/events?tenant=``; a no is 400 with its reason as text."""

    async def people(request: Request) -> Any:
        return await board.page(_asked(request, "tenant"), _asked(request, "after"))

    async def events(request: Request) -> Any:
        return EventStream(board.told(_asked(request, "tenant")))

    return [
        Route("/board/people", _answering(people), methods=["GET"]),
        Route("/board/events", _answering(events), methods=["GET"]),
    ]


def _asked(request: Request, name: str) -> str:
    return request.query_params.get(name, "")


def _answering(work: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            result = await work(request)
        except Denied as denied:
            return Response(denied.message, 400)
        if isinstance(result, Response):
            return result
        return Response(msgspec.json.encode(result), media_type="application/json")

    return answer
