"""kill -9 in every phase of telling a change, each by name: what was acknowledged is told."""

import asyncio
import json
import signal
import sys
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from tests.conftest import JONAS, NADIA
from tests.flows.test_notifications_kill import assert_told, receiver, wait_until_all_is_delivered
from tests.notify.subscriber import b64, certify, decrypt, der, rsa_key
from tests.receiver import Receiver
from tests.running import Server, running

__all__ = ["receiver"]

STATES = [("Busy", "InACall"), ("Away", "Away"), ("Busy", "InAConferenceCall"), ("DoNotDisturb", "Presenting")]

PHASES = {
    "decided, not yet on disk": ("presenced.store.sqlite:SqliteStore._commit", "before", 6),
    "on disk, not yet answered": ("presenced.store.sqlite:SqliteStore._commit", "after", 6),
    "answered, not yet matched": ("presenced.notify.notifier:Notifier._match", "before", 3),
    "matched, not yet offered": ("presenced.notify.outbox:Outbox.take", "after", 3),
    "about to be written into the outbox": ("presenced.store.sqlite:SqliteStore.keep", "before", 3),
    "written into the outbox, or taken out": ("presenced.store.sqlite:SqliteStore.keep", "after", 3),
    "about to be sent": ("presenced.notify.client:WebhookClient.post", "before", 3),
    "answered 2xx, not yet noted": ("presenced.notify.endpoint:Endpoint._done", "before", 3),
    "noted, not yet taken out": ("presenced.notify.endpoint:Endpoint._done", "after", 3),
}


def subscription(receiver: Receiver, **more: Any) -> dict[str, Any]:
    now = time.time()
    return {
        "changeType": "updated",
        "notificationUrl": receiver.url,
        "resource": f"communications/presences/{JONAS}",
        "expirationDateTime": (datetime.now(UTC) + timedelta(minutes=59)).isoformat(),
        "includeResourceData": True,
        "encryptionCertificate": b64(der(certify(rsa_key(), now - 60, now + 86400))),
        "encryptionCertificateId": "key",
    } | more


def subscribe(server: Server, receiver: Receiver, **more: Any) -> dict[str, Any]:
    with server.client("--user", NADIA) as client:
        answer = client.post("/subscriptions", json=subscription(receiver, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def change_until_dead(server: Server) -> list[str]:
    """Change Jonas's state until nobody answers; the activities that were acknowledged, and perhaps the last one."""
    acknowledged: list[str] = []
    with server.client() as client:
        while True:
            availability, activity = STATES[len(acknowledged) % len(STATES)]
            body = {"sessionId": "s", "availability": availability, "activity": activity, "expirationDuration": "PT4H"}
            try:
                answer = client.post(f"/users/{JONAS}/presence/setPresence", json=body)
            except httpx.TransportError:
                return [*acknowledged, f"perhaps {activity}"]
            assert answer.status_code == 200, answer.text
            acknowledged.append(activity)
            assert len(acknowledged) < 500, "the server should be dead by now"
            time.sleep(0.01)  # so that a change is told by itself more often than with others


def told(receiver: Receiver) -> list[str]:
    return [json.loads(decrypt(item["encryptedContent"], rsa_key()))["activity"] for item in receiver.items]


def dying(data: Path, where: str, when: str, count: int) -> Server:
    script = str(Path(__file__).with_name("die_at.py"))
    return Server(data, "--throttle-presence", "0", prefix=(sys.executable, script, where, when, str(count)))


@pytest.mark.parametrize("phase", PHASES)
def test_killed_while_a_change_is_told(tmp_path: Path, receiver: Receiver, phase: str) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        subscribe(server, receiver)
    server = dying(data, *PHASES[phase])
    changes = change_until_dead(server)
    assert server.stop() == -signal.SIGKILL
    with running(data) as server:
        wait_until_all_is_delivered(server, data)
    assert_told(changes, told(receiver))
    # at least once, and not much more often: what was told within the last moments may come twice
    acknowledged = [change for change in changes if not change.startswith("perhaps ")]
    assert len(told(receiver)) <= len(acknowledged) + 20


class Gate:
    """A receiver's behaviour: the first POST is read and never answered until the gate opens."""

    def __init__(self, receiver: Receiver) -> None:
        self.read = threading.Event()
        self._receiver = receiver
        receiver.behaviour = self._hold

    async def _hold(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.read.set()
        await asyncio.sleep(3600)
        return web.Response(status=500)

    def open(self) -> None:
        self._receiver.behaviour = None


def test_killed_while_the_receiver_has_the_post(tmp_path: Path, receiver: Receiver) -> None:
    data, gate = tmp_path / "data", Gate(receiver)
    with running(data, "--sample") as server:
        subscribe(server, receiver)
    server = Server(data)
    changes = [change(server, *state) for state in STATES[:1]]
    assert gate.read.wait(60)
    changes += [change(server, *state) for state in STATES[1:]]
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    gate.open()
    with running(data) as server:
        wait_until_all_is_delivered(server, data)
    assert told(receiver) == changes


def test_killed_while_it_waits_to_try_again(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        subscribe(server, receiver)

    async def fail(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    receiver.behaviour = fail
    server = dying(data, "presenced.notify.notifier:Notifier._wait", "before", 2)  # the first is the notifier's own
    change(server, *STATES[0], lost=True)
    assert server.stop() == -signal.SIGKILL
    receiver.behaviour = None
    with running(data) as server:
        wait_until_all_is_delivered(server, data)
    assert told(receiver) == ["InACall"]


@pytest.mark.parametrize(
    ("where", "when", "there"),
    [
        ("presenced.notify.handshake:validate", "after", False),
        ("presenced.notify.subscriptions:Subscriptions.add", "before", False),
        ("presenced.notify.subscriptions:Subscriptions.add", "after", True),
    ],
)
def test_killed_while_a_subscription_is_made(
    tmp_path: Path, receiver: Receiver, where: str, when: str, *, there: bool
) -> None:
    """Nobody was told that it is made. If it was kept it is whole, can be seen, and does what it says."""
    data = tmp_path / "data"
    with running(data, "--sample"):
        pass
    if where.endswith(":validate"):  # graph/subscriptions.py has the name for itself
        where = "presenced.graph.subscriptions:_validate"
    server = dying(data, where, when, 1)
    with server.client("--user", NADIA) as client, pytest.raises(httpx.TransportError):
        client.post("/subscriptions", json=subscription(receiver))
    assert server.stop() == -signal.SIGKILL
    with running(data) as server, server.client("--user", NADIA) as client:
        listed = client.get("/subscriptions").json()["value"]
        assert len(listed) == there
        again = client.post("/subscriptions", json=subscription(receiver))
        assert again.status_code == (409 if there else 201)
        change(server, *STATES[0])
        wait_until_all_is_delivered(server, data)
    assert told(receiver) == ["InACall"]


def test_killed_in_the_middle_of_a_handshake(tmp_path: Path, receiver: Receiver) -> None:
    data, asked = tmp_path / "data", threading.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.sleep(3600)
        return web.Response()

    receiver.handshake_behaviour = hang
    with running(data, "--sample"):
        pass
    server = Server(data)
    client = server.client("--user", NADIA)
    failures: list[Exception] = []

    def create() -> None:
        try:
            client.post("/subscriptions", json=subscription(receiver))
        except httpx.TransportError as error:
            failures.append(error)

    creating = threading.Thread(target=create)
    creating.start()
    assert asked.wait(60)
    server.stop(signal.SIGKILL)
    creating.join(60)
    client.close()
    assert len(failures) == 1
    receiver.handshake_behaviour = None
    with running(data) as server, server.client("--user", NADIA) as client:
        assert client.get("/subscriptions").json()["value"] == []
        assert client.post("/subscriptions", json=subscription(receiver)).status_code == 201


@pytest.mark.parametrize(
    ("where", "when"),
    [
        ("presenced.store.sqlite:SqliteStore.keep", "before"),
        ("presenced.store.sqlite:SqliteStore.keep", "after"),
        ("presenced.notify.client:WebhookClient.post", "before"),
        ("presenced.notify.endpoint:Endpoint._done", "before"),
    ],
)
def test_killed_while_an_owner_is_reminded(tmp_path: Path, receiver: Receiver, where: str, when: str) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server, server.client("--user", NADIA, "--lifetime", "8s") as client:
        made = client.post(
            "/subscriptions", json=subscription(receiver, lifecycleNotificationUrl=receiver.url + "/life")
        )
        assert made.status_code == 201, made.text
        # the reminder is due when a quarter of the token's life is left; the next server finds it due at its start
    dead = dying_soon(data, where, when)
    assert dead is None or dead.stop() == -signal.SIGKILL
    with running(data) as server:
        wait_until_all_is_delivered(server, data)
        deadline = time.monotonic() + 60
        while not receiver.items and time.monotonic() < deadline:
            time.sleep(0.05)
    events: dict[str, int] = defaultdict(int)
    for item in receiver.items:
        events[item["lifecycleEvent"]] += 1
        assert item["subscriptionId"] == made.json()["id"]
    assert set(events) == {"reauthorizationRequired"}
    # told before it was killed, told again from the outbox, and made again because it was not noted as made
    assert 1 <= events["reauthorizationRequired"] <= 3


def dying_soon(data: Path, where: str, when: str) -> Server | None:
    """A server that kills itself by what it does after its start; None if it was dead before it was ready."""
    try:
        server = dying(data, where, when, 1)
    except AssertionError:  # it did not start: it was quicker to die than to say that it is ready
        return None
    server.process.wait(60)
    return server


def test_killed_while_it_stops(tmp_path: Path, receiver: Receiver) -> None:
    """SIGTERM while a POST is under way, and kill -9 in the middle of stopping."""
    data, gate = tmp_path / "data", Gate(receiver)
    with running(data, "--sample") as server:
        subscribe(server, receiver)
    server = dying(data, "presenced.notify.notifier:Notifier.stop", "before", 1)
    changes = [change(server, *STATES[0])]
    assert gate.read.wait(60)
    changes += [change(server, *state) for state in STATES[1:]]
    assert server.stop(signal.SIGTERM) == -signal.SIGKILL
    gate.open()
    with running(data) as server:
        wait_until_all_is_delivered(server, data)
    assert told(receiver) == changes


def change(server: Server, availability: str, activity: str, *, lost: bool = False) -> str:
    """Set Jonas's state; with ``lost`` the server may be killed before it answers."""
    body = {"sessionId": "s", "availability": availability, "activity": activity, "expirationDuration": "PT4H"}
    with server.client() as client:
        try:
            assert client.post(f"/users/{JONAS}/presence/setPresence", json=body).status_code == 200
        except httpx.TransportError:
            assert lost
    return activity


def test_nothing_is_told_of_what_was_before_the_subscription(tmp_path: Path, receiver: Receiver) -> None:
    """Also not after a restart, when the feed is followed from where it was left."""
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        change(server, *STATES[1])
        subscribe(server, receiver)
        server.stop(signal.SIGKILL)
    with running(data) as server:
        change(server, *STATES[0])
        wait_until_all_is_delivered(server, data)
    assert told(receiver) == ["InACall"]
