"""A change that was answered 2xx is told, whenever the server is killed and whatever the receiver does: by counting."""

import asyncio
import json
import random
import signal
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from tests.conftest import NADIA
from tests.notify.subscriber import b64, certify, decrypt, der, rsa_key
from tests.receiver import Receiver
from tests.running import Server, running

STATES = [("Busy", "InACall"), ("Busy", "InAConferenceCall"), ("Away", "Away"), ("DoNotDisturb", "Presenting")]
PEOPLE = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(64)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a loop and thread of its own, so that it goes on while servers come and go."""
    loop, receiver = asyncio.new_event_loop(), Receiver()
    loop.run_until_complete(receiver.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield receiver
    asyncio.run_coroutine_threadsafe(stop(receiver), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def stop(receiver: Receiver) -> None:
    """Stop it, also what still hangs."""
    await receiver.stop()
    hanging = asyncio.all_tasks() - {asyncio.current_task()}
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def sometimes(request: web.Request) -> web.StreamResponse:
    """Now and then an answer that is none, after the body was read or before."""
    if random.random() < 0.2:
        await asyncio.sleep(random.random() / 4)
        return web.Response(status=random.choice([500, 503, 404, 302]))
    return web.Response()


async def change_people(server: Server, token: str, shown: dict[str, str], told: dict[str, list[str]]) -> None:
    """Change people's states from 8 connections until the server is gone; each acknowledged change must be told."""

    async def write(client: httpx.AsyncClient, number: int) -> None:
        while True:
            person = PEOPLE[number * 8 + random.randrange(8)]  # nobody else writes to these
            availability, activity = random.choice([pair for pair in STATES if pair[1] != shown.get(person)])
            body = {
                "sessionId": "s",
                "availability": availability,
                "activity": activity,
                "expirationDuration": "PT4H",
            }
            try:
                answer = await client.post(f"/users/{person}/presence/setPresence", json=body)
            except httpx.TransportError:
                # who knows what they are; the next change may be none, and then nothing need be told
                shown[person] = activity
                told[person].append(f"perhaps {activity}")
                return
            assert answer.status_code == 200, answer.text
            told[person].append(activity)
            shown[person] = activity

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{server.http}/v1.0", headers=headers, timeout=30) as client:
        await asyncio.gather(*(write(client, number) for number in range(8)))


def test_no_acknowledged_change_goes_untold(tmp_path: Path, receiver: Receiver) -> None:
    data, key = tmp_path / "data", rsa_key()
    changes: dict[str, list[str]] = defaultdict(list)
    shown: dict[str, str] = {}
    now = time.time()
    with running(data, "--sample") as server, server.client("--user", NADIA) as client:
        ids = ",".join(f"'{person}'" for person in PEOPLE)
        made = client.post(
            "/subscriptions",
            json={
                "changeType": "updated",
                "notificationUrl": receiver.url,
                "resource": f"communications/presences?$filter=id in ({ids})",
                "expirationDateTime": (datetime.now(UTC) + timedelta(minutes=59)).isoformat(),
                "includeResourceData": True,
                "encryptionCertificate": b64(der(certify(key, now - 60, now + 86400))),
                "encryptionCertificateId": "key",
            },
        )
        assert made.status_code == 201, made.text
    receiver.behaviour = sometimes
    for _ in range(6):
        server = Server(data, "--throttle-presence", "0")
        token = server.command("token").strip()
        killer = threading.Timer(random.uniform(0.1, 1.0), server.stop, [signal.SIGKILL])
        killer.start()
        asyncio.run(change_people(server, token, shown, changes))
        killer.join()
    receiver.behaviour = None
    assert sum(map(len, changes.values())) > 100
    with running(data, "--throttle-presence", "0") as server:
        wait_until_all_is_delivered(server, data)
    told: dict[str, list[str]] = defaultdict(list)
    for item in receiver.items:
        seen = json.loads(decrypt(item["encryptedContent"], key))
        told[seen["id"]].append(seen["activity"])
    for person, states in changes.items():
        assert_told(states, told[person])


def wait_until_all_is_delivered(server: Server, data: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        database = sqlite3.connect(f"file:{data}/presenced.db?mode=ro", uri=True)
        (waiting,) = database.execute("SELECT count(*) FROM outbox").fetchone()
        (behind,) = database.execute(
            "SELECT count(*) FROM feed WHERE state_changed AND position > (SELECT max(position) FROM done)"
        ).fetchone()
        database.close()
        if not waiting and not behind:
            return
        time.sleep(0.1)
    raise AssertionError(f"{waiting} deliveries are left:\n{server.output}")


def assert_told(changes: list[str], told: list[str]) -> None:
    """Every acknowledged change in order, with others and repetitions between."""
    rest = iter(told)
    possible = {"Offline"}
    for change in changes:
        state = change.removeprefix("perhaps ")
        if change != state:
            possible = possible | {state}
            continue
        # a change to what the person may have been already need not be one
        if state not in possible:
            assert state in rest, (changes, told)
        possible = {state}
