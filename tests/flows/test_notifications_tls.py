"""Being told over TLS, as on the internet: a real server, a real receiver, certificates that change under way."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import NADIA
from tests.flows.test_notifications_kill import stop
from tests.flows.test_notifications_phases import STATES, change, subscription
from tests.notify.endpoint import LOOPBACK_NAME, Certificates
from tests.notify.subscriber import decrypt, rsa_key
from tests.receiver import Receiver
from tests.running import Server, running


class TlsReceiver:
    """A receiver on a loop and thread of its own. ``certificate`` is what the next connection gets to see."""

    def __init__(self, certificate: ssl.SSLContext) -> None:
        self.certificate = certificate
        self.receiver = Receiver()
        self.receiver.hangs_up = True  # so that each POST has to shake hands
        self._loop = asyncio.new_event_loop()
        entrance = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        entrance.sni_callback = self._choose
        self._loop.run_until_complete(self.receiver.start(tls=entrance))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def _choose(self, connection: Any, name: str, context: ssl.SSLContext) -> None:
        assert name == "localhost"
        connection.context = self.certificate

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(stop(self.receiver), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        waiting = asyncio.run_coroutine_threadsafe(self.receiver.wait_for(count, 60), self._loop)
        return waiting.result(90)


@pytest.fixture
def trusted(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "trusted")


@pytest.fixture
def receiver(trusted: Certificates) -> Iterator[TlsReceiver]:
    receiver = TlsReceiver(trusted.server())
    yield receiver
    receiver.close()


@pytest.fixture
def server(tmp_path: Path, trusted: Certificates) -> Iterator[Server]:
    with running(tmp_path / "data", "--sample", "--notify-ca", str(trusted.ca)) as server:
        yield server


def endpoint(server: Server) -> dict[str, Any]:
    """What `presenced deliveries` shows of the only endpoint."""
    (shown,) = map(json.loads, server.command("deliveries", "--json").splitlines())
    found: dict[str, Any] = shown
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_certificates_that_change(tmp_path: Path, server: Server, receiver: TlsReceiver, trusted: Certificates) -> None:
    assert receiver.receiver.url.startswith("https://localhost:")
    with server.client("--user", NADIA) as client:
        made = client.post("/subscriptions", json=subscription(receiver.receiver, clientState="mine"))
        assert made.status_code == 201, made.text
    change(server, *STATES[0])
    (item,) = receiver.wait_for(1)
    assert item["clientState"] == "mine"
    assert item["subscriptionId"] == made.json()["id"]

    receiver.certificate = trusted.renewed()
    change(server, *STATES[1])
    receiver.wait_for(2)

    receiver.certificate = Certificates(tmp_path / "stranger").server()
    change(server, *STATES[2])
    until(lambda: bool(endpoint(server)["failed_posts"]))
    shown = endpoint(server)
    assert shown["last_error"] == "The certificate of the endpoint is not trusted."
    assert (shown["waiting"], shown["delivered"]) == (1, 2)
    assert "not trusted" in server.command("deliveries")

    receiver.certificate = trusted.made(LOOPBACK_NAME)  # for 127.0.0.1 and not for localhost
    change(server, *STATES[3])
    until(lambda: endpoint(server)["last_error"] == "The certificate of the endpoint is for another host.")
    assert len(receiver.receiver.items) == 2

    receiver.certificate = trusted.server()
    items = receiver.wait_for(4)
    states = [json.loads(decrypt(item["encryptedContent"], rsa_key()))["activity"] for item in items]
    assert states == [activity for _, activity in STATES]
    until(lambda: endpoint(server)["waiting"] == 0)


def test_basic_notifications(server: Server, receiver: TlsReceiver) -> None:
    basic = subscription(
        receiver.receiver, includeResourceData=False, lifecycleNotificationUrl=receiver.receiver.url + "/life"
    )
    with server.client("--user", NADIA) as client:
        made = client.post("/subscriptions", json=basic)
        assert made.status_code == 201, made.text
    assert receiver.receiver.handshakes == 2
    change(server, *STATES[0])
    (item,) = receiver.wait_for(1)
    assert item["resourceData"]["@odata.type"] == "#microsoft.graph.presence"
    assert "encryptedContent" not in item


def test_an_endpoint_that_nobody_vouches_for_cannot_subscribe(tmp_path: Path, server: Server) -> None:
    stranger = TlsReceiver(Certificates(tmp_path / "stranger").server())
    with server.client("--user", NADIA) as client:
        made = client.post("/subscriptions", json=subscription(stranger.receiver))
    stranger.close()
    assert (made.status_code, made.json()["error"]["code"]) == (400, "ValidationError")
    assert "The certificate of the endpoint is not trusted." in made.json()["error"]["message"]
    assert stranger.receiver.handshakes == 0
