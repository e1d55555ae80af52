"""A webhook receiver for tests: a real HTTP server on loopback that keeps what it is sent and answers as it is told."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """It answers handshakes, and 202 to notifications, unless it is told to behave in another way."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.handshakes = 0
        self.behaviour: Behaviour | None = None
        self.handshake_behaviour: Behaviour | None = None
        self.hangs_up = False
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        application = web.Application()
        application.router.add_post("/{name:.*}", self._post)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0, ssl_context=tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{host}:{port}/hook" if tls is None else f"https://localhost:{port}/hook"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def items(self) -> list[dict[str, Any]]:
        """Every notification so far, in the order of arrival."""
        return [item for post in self.posts for item in post["value"]]

    async def wait_for(self, count: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """The notifications, once there are so many."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.items) >= count)
        return self.items

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if (token := request.query.get("validationToken")) is not None:
            self.handshakes += 1
            if self.handshake_behaviour is not None:
                return await self.handshake_behaviour(request)
            return web.Response(text=token)
        if self.behaviour is not None:
            answer = await self.behaviour(request)
            if answer.status >= 300:
                return answer
        post = await request.json()
        async with self._arrived:
            self.posts.append(post)
            self._arrived.notify_all()
        answered = web.Response(status=202)
        if self.hangs_up:
            answered.force_close()
        return answered
