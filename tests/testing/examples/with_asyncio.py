from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from presenced.testing import Presenced

JONAS = "5ca1ab1e-0000-4000-8000-00000000010a"


@pytest.mark.asyncio
async def test_with_the_sdk(presenced: Presenced) -> None:
    graph = presenced.client("python-sdk")
    presence = await graph.users.by_user_id(JONAS).presence.get()
    assert presence is not None
    assert presence.activity == "Offline"


@pytest.mark.asyncio
async def test_this_test_is_the_webhook(presenced: Presenced) -> None:
    told: list[str] = []

    async def webhook(request: web.Request) -> web.Response:
        if "validationToken" in request.query:
            return web.Response(text=request.query["validationToken"])
        told.extend(item["resourceData"]["id"] for item in (await request.json())["value"])
        return web.Response(status=202)

    application = web.Application()
    application.router.add_post("/hook", webhook)
    async with TestServer(application) as server, presenced.client("httpx-async", user="nadia@sample.example") as graph:
        now = await presenced.aio.clock.freeze("2026-11-24T09:00:00Z")
        asked = {
            "changeType": "updated",
            "resource": f"/communications/presences/{JONAS}",
            "notificationUrl": str(server.make_url("/hook")),
            "expirationDateTime": (now + timedelta(minutes=55)).isoformat(),
            "clientState": "secret",
        }
        (await graph.post("/subscriptions", json=asked)).raise_for_status()
        call = {"sessionId": "phone", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT30M"}
        boss = presenced.client("httpx-async")
        (await boss.post(f"/users/{JONAS}/presence/setPresence", json=call)).raise_for_status()
        assert await presenced.aio.clock.advance("PT30M") == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert told == [JONAS, JONAS]  # in a call, and out of it
