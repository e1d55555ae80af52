"""Waiting for requests and notifications, in place of sleeping."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from tests import running
from tests.conftest import JONAS, NADIA, TOMAS
from tests.emulator.controlled import TENANT, Controlled, controlled
from tests.flows.test_notifications_kill import receiver as receiver
from tests.receiver import Receiver

OTHER = "99999999-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controlled]:
    with controlled(tmp_path_factory.mktemp("wait") / "data") as made:
        yield made


@pytest.fixture
def desk(module: Controlled) -> Controlled:
    module.begin()
    return module


class Waiter:
    """Somebody who waits meanwhile."""

    def __init__(self, desk: Controlled, **asked: Any) -> None:
        self.answer: httpx.Response
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._wait, args=(desk, asked))
        self._thread.start()

    def _wait(self, desk: Controlled, asked: dict[str, Any]) -> None:
        self.answer = httpx.post(str(desk.control.base_url.join("wait")), json=asked, timeout=90)
        self.over.set()

    def result(self) -> httpx.Response:
        assert self.over.wait(60)
        self._thread.join()
        return self.answer


def test_what_is_there_already_counts(desk: Controlled) -> None:
    for person in (NADIA, JONAS, NADIA):
        desk.read(person)
    found = desk.wait("requests", 2, "PT0S", operation="getPresencesByUserId", person=NADIA)
    assert [NADIA in entry["requestBody"] for entry in found] == [True, True]
    late = desk.control.post(
        "/wait", json={"for": "requests", "match": {"person": JONAS}, "after": found[-1]["number"], "within": "PT0S"}
    )
    assert late.status_code == 408


def test_it_returns_when_the_last_has_come(desk: Controlled) -> None:
    waiter = Waiter(
        desk, **{"for": "requests", "match": {"operation": "getPresence", "status": 200}, "count": 2, "within": "PT60S"}
    )
    desk.graph.get(f"/users/{NADIA}/presence")
    desk.graph.get(f"/users/{OTHER}/presence")  # 404
    assert not waiter.over.is_set()
    desk.graph.get(f"/users/{TOMAS}/presence")
    answer = waiter.result()
    assert answer.status_code == 200
    assert [entry["path"].split("/")[3] for entry in answer.json()["requests"]] == [NADIA, TOMAS]
    assert answer.json()["latest"] == answer.json()["requests"][-1]["number"]


def test_notifications_are_counted_not_posts(desk: Controlled, receiver: Receiver) -> None:
    assert desk.subscribe(receiver.url, JONAS, TOMAS).status_code == 201
    waiter = Waiter(desk, **{"for": "deliveries", "count": 6, "within": "PT60S"})
    for activity in ("InACall", "Available", "Away"):
        desk.set_state(activity, person=JONAS)
        desk.set_state(activity, person=TOMAS)
    answer = waiter.result().json()
    assert sum(len(entry["notifications"]) for entry in answer["deliveries"]) >= 6
    assert len(receiver.items) == 6
    assert len(desk.wait("deliveries", 3, "PT0S", person=JONAS)) <= 3
    assert desk.wait("deliveries", 1, "PT0S", kind="handshake")[0]["kind"] == "handshake"
    assert desk.control.post("/wait", json={"for": "deliveries", "count": 7, "within": "PT0S"}).status_code == 408


def test_what_did_not_arrive_does_not_count(desk: Controlled, receiver: Receiver) -> None:
    assert desk.subscribe(receiver.url).status_code == 201
    receiver.behaviour = _fails
    desk.set_state()
    assert [entry["status"] for entry in desk.wait("deliveries", status=500)] == [500]
    assert desk.control.post("/wait", json={"for": "deliveries", "within": "PT0S"}).status_code == 408
    receiver.behaviour = None
    desk.control.post("/clock/advance", json={"by": "PT1M"})
    assert [entry["status"] for entry in desk.wait("deliveries")] == [202]


async def _fails(request: Any) -> Any:
    return web.Response(status=500)


def test_it_says_what_came_instead(desk: Controlled) -> None:
    desk.read()
    desk.read()
    desk.graph.get("/nowhere")
    answer = desk.control.post(
        "/wait", json={"for": "requests", "match": {"operation": "setPresence"}, "count": 3, "within": "PT0.1S"}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (408, "RequestTimeout")
    assert error["message"] == (
        "None of 3 requests came within PT0.1S after number 0. What came instead: getPresencesByUserId 200 (2 times); "
        "GET /v1.0/nowhere 400."
    )
    assert error["innerError"]["request-id"] == answer.headers["request-id"]


def test_time_is_real(desk: Controlled) -> None:
    desk.control.post("/clock", json={"frozen": True})
    began = time.monotonic()
    assert desk.control.post("/wait", json={"for": "requests", "within": "PT0.5S"}).status_code == 408
    assert time.monotonic() - began >= 0.5


def test_a_tenant_hears_nothing_of_another(desk: Controlled) -> None:
    desk.read()
    answer = desk.control.post("/wait", json={"for": "requests", "match": {"tenant": OTHER}, "within": "PT0S"})
    assert answer.status_code == 408
    assert "Nothing else came" in answer.json()["error"]["message"]
    assert len(desk.wait("requests", 1, "PT0S", tenant=TENANT)) == 1


def test_sign_in_and_me(desk: Controlled) -> None:
    httpx.post(f"{desk.server.http}/{TENANT}/oauth2/v2.0/token", data={"grant_type": "x"})
    assert desk.wait("requests", 1, "PT0S", operation="token", status=400)[0]["operation"] == "token"
    desk.nadia.get("/me/presence")
    assert len(desk.wait("requests", 1, "PT0S", person=NADIA)) == 1
    desk.graph.get("/users", headers={"X-Try": "7"})
    found = desk.wait("requests", 1, "PT0S", header={"name": "x-try", "value": "7"})
    assert found[0]["operation"] == "listUsers"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "for"),
        ({"for": "miracles"}, "There are: deliveries, requests"),
        ({"for": "requests", "count": 0}, ">= 1"),
        ({"for": "requests", "count": 1001}, "<= 1000"),
        ({"for": "requests", "after": -1}, ">= 0"),
        ({"for": "requests", "after": 10**40}, "after"),
        ({"for": "requests", "within": "soon"}, "duration"),
        ({"for": "requests", "within": "PT61S"}, "60 seconds"),
        ({"for": "requests", "within": "-PT1S"}, "60 seconds"),
        ({"for": "requests", "within": 5}, "within"),
        ({"for": "requests", "match": {"status": 99}}, ">= 100"),
        ({"for": "requests", "match": {"nth": 1}}, "There are: operation"),
        ({"for": "requests", "match": {"operation": "tokens"}}, "Did you mean token"),
        ({"for": "requests", "match": {"kind": "handshake"}}, "operation"),
        ({"for": "deliveries", "match": {"operation": "getMe"}}, "no operation"),
        ({"for": "deliveries", "match": {"person": "nadia"}}, "GUID"),
        ([1], "object"),
        (b"[" * 100_000, "expected"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_waited_for(desk: Controlled, body: Any, says: str) -> None:
    answer = desk.control.post("/wait", **({"content": body} if isinstance(body, bytes) else {"json": body}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidArgument")
    assert says in answer.json()["error"]["message"]


def test_a_server_that_stops_keeps_nobody(tmp_path: Path) -> None:
    with controlled(tmp_path / "data") as desk:
        waiter = Waiter(desk, **{"for": "requests", "match": {"operation": "batch"}, "within": "PT60S"})
        while not _is_waiting(desk):
            time.sleep(0.02)
        assert desk.server.stop() == 0
        assert waiter.result().status_code == 503  # which was not waited for: it is no 408


def _is_waiting(desk: Controlled) -> bool:
    """Whether the server has taken the question: its connection has been read, which a later answer proves."""
    return desk.control.get("/clock").status_code == 200 and len(_connections(desk)) >= 2


def _connections(desk: Controlled) -> list[str]:
    port = f"{int(desk.server.http.rpartition(':')[2]):04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [line for line in lines if line.split()[1].endswith(f":{port}") and line.split()[3] == "01"]


def test_from_the_command_line(desk: Controlled) -> None:
    desk.read(NADIA)
    command = ("wait", "requests", "--operation", "getPresencesByUserId", "--person", NADIA, "--within", "PT0S")
    shown = desk.server.command(*command)
    assert "POST /v1.0/communications/getPresencesByUserId" in shown
    (entry,) = map(json.loads, desk.server.command(*command, "--json").splitlines())
    assert (entry["operation"], entry["status"]) == ("getPresencesByUserId", 200)
    for more, words in (
        (("--after", str(entry["number"])), "None of 1"),
        (("--count", "2"), " of 2"),
        (("--within", "soon"), "not a duration"),
        (("--within", "PT5M"), "60 seconds"),
        (("--operation", "getPresencs"), "Did you mean getPresence"),
        (("--count", "-1"), "count"),
        (("--kind", "handshake"), "kind"),
    ):
        failed = running.command(*command, *more, "--data", str(desk.server.data), check=False)
        assert failed.returncode == 1
        assert words in failed.stderr, failed.stderr
