"""Sink: a subscriber's endpoint in a process of its own, which keeps what it is sent and when.

    python -m benchmarks.deliveries.sink

It prints its port. ``GET /take`` answers what came since the last time: a msgpack list of (seconds of the monotonic
clock, which all processes of a machine share, body).
"""

import asyncio
import time
from typing import NamedTuple

import msgspec
import uvloop
from aiohttp import web


class Arrival(NamedTuple):
    """A POST: when its body was there, and the body."""

    at: float
    body: bytes


async def serve() -> None:
    arrivals: list[Arrival] = []

    async def take(_: web.Request) -> web.Response:
        taken = msgspec.msgpack.encode(arrivals)
        arrivals.clear()
        return web.Response(body=taken)

    async def post(request: web.Request) -> web.Response:
        if (token := request.query.get("validationToken")) is not None:
            return web.Response(text=token)
        body = await request.read()
        arrivals.append(Arrival(time.monotonic(), body))
        return web.Response(status=202)

    application = web.Application(client_max_size=1 << 22)
    application.router.add_get("/take", take)
    application.router.add_post("/hook", post)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"port {runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
