"""Faults, logs and waiting, from Python; what they do is in tests/emulator."""

import asyncio
from datetime import timedelta

import pytest
from tests.conftest import NADIA, TOMAS
from tests.receiver import Receiver

from presenced.testing import ControlError, Presenced


def test_faults(presenced: Presenced) -> None:
    graph = presenced.client()
    added = presenced.faults.add(
        status=429, retry_after=timedelta(seconds=7), operation="getPresence", person=NADIA, nth=2, times=1
    )
    seen = [graph.get(f"/users/{NADIA}/presence") for _ in range(3)]
    assert [answer.status_code for answer in seen] == [200, 429, 200]
    assert seen[1].headers["Retry-After"] == "7"
    assert presenced.faults.get(added["id"])["struck"] == 1
    by_header = presenced.faults.add(status=503, header=("X-Test", "1"))
    assert graph.get(f"/users/{TOMAS}/presence", headers={"X-Test": "2"}).status_code == 200
    assert graph.get(f"/users/{TOMAS}/presence", headers={"X-Test": "1"}).status_code == 503
    presenced.faults.remove(added["id"])
    assert [fault["id"] for fault in presenced.faults.list()] == [by_header["id"]]
    presenced.faults.clear()
    assert presenced.faults.list() == []
    with pytest.raises(ControlError, match="effect"):
        presenced.faults.add(operation="getPresence")


def test_a_reset_removes_faults_and_logs(presenced: Presenced) -> None:
    presenced.faults.add(status=500)
    assert presenced.client().get(f"/users/{NADIA}/presence").status_code == 500
    presenced.reset()
    assert presenced.faults.list() == []
    assert presenced.requests.entries() == []


def test_the_log(presenced: Presenced) -> None:
    presenced.client().get(f"/users/{NADIA}/presence")
    presenced.client(user="tomas@sample.example").get("/me/presence")
    assert [one["operation"] for one in presenced.requests.entries()] == ["getPresence", "getPresence"]
    (last,) = presenced.requests.entries(limit=1)
    assert (last["path"], last["user"]) == ("/v1.0/me/presence", TOMAS)
    assert presenced.requests.entries(after=last["number"]) == []
    presenced.requests.clear()
    assert presenced.requests.entries() == []


async def test_waiting(presenced: Presenced) -> None:
    waiting = asyncio.create_task(presenced.aio.requests.wait(2, operation="getPresence", within="PT60S"))
    async with presenced.client("httpx-async") as graph:
        await graph.get(f"/users/{NADIA}/presence")
        await graph.get(f"/users/{TOMAS}/presence")
    assert [one["status"] for one in await waiting] == [200, 200]
    with pytest.raises(ControlError, match="of 3 requests"):
        await presenced.aio.requests.wait(3, within=timedelta(milliseconds=10))


async def test_waiting_for_notifications(presenced: Presenced) -> None:
    receiver = Receiver()
    await receiver.start()
    async with presenced.client("httpx-async", user="nadia@sample.example") as graph:
        now = await presenced.aio.clock.now()
        asked = {
            "changeType": "updated",
            "resource": f"/communications/presences/{TOMAS}",
            "notificationUrl": receiver.url,
            "expirationDateTime": (now + timedelta(minutes=50)).isoformat(),
        }
        (await graph.post("/subscriptions", json=asked)).raise_for_status()
        call = {"sessionId": "1", "availability": "DoNotDisturb", "activity": "Presenting"}
        boss = presenced.client("httpx-async")
        (await boss.post(f"/users/{TOMAS}/presence/setPresence", json=call)).raise_for_status()
        (told,) = await presenced.aio.deliveries.wait(person=TOMAS, within="PT60S")
    assert told["notifications"][0]["person"] == TOMAS
    assert [one["kind"] for one in await presenced.aio.deliveries.entries()] == ["handshake", "notification"]
    await receiver.stop()
