"""The clock in the hands of a test: over HTTP, from the command line, and who may not touch it."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import JONAS, NADIA
from tests.flows.test_notifications_kill import receiver as receiver
from tests.receiver import Receiver
from tests.running import Server, command, running

NOON = "2026-11-24T12:00:00.000000Z"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "data", "--sample", "--control", "--admin-token", "sesame") as server:
        yield server


@pytest.fixture
def control(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.http}/presenced", timeout=60) as client:
        yield client


def set_state(client: httpx.Client, duration: str, activity: str = "InACall") -> None:
    body = {"sessionId": "s", "availability": "Busy", "activity": activity, "expirationDuration": duration}
    assert client.post(f"/users/{JONAS}/presence/setPresence", json=body).status_code == 200


def state(client: httpx.Client) -> str:
    answer: dict[str, Any] = client.get(f"/users/{JONAS}/presence").json()
    return str(answer["activity"])


def test_presence_obeys_the_clock(server: Server, control: httpx.Client) -> None:
    assert control.post("/clock", json={"now": NOON, "frozen": True}).json() == {
        "now": NOON,
        "frozen": True,
        "offset": pytest.approx(control.get("/clock").json()["offset"], abs=5),
    }
    with server.client("--lifetime", "24h") as client:
        set_state(client, "PT10M")
        assert control.post("/clock/advance", json={"by": "PT9M59S"}).json()["now"] == "2026-11-24T12:09:59.000000Z"
        assert state(client) == "InACall"
        control.post("/clock/advance", json={"by": "PT1S"})
        assert state(client) == "Offline"
        control.post("/clock/advance", json={"by": "PT23H"})
        assert state(client) == "Offline"
        control.post("/clock/advance", json={"by": "PT1H"})
        expired = client.get(f"/users/{JONAS}/presence")
        assert (expired.status_code, expired.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert control.post("/clock/reset").json()["frozen"] is False
    assert abs(control.get("/clock").json()["offset"]) < 1


def test_subscribers_have_heard_of_everything_when_an_advance_returns(
    server: Server, control: httpx.Client, receiver: Receiver
) -> None:
    control.post("/clock", json={"now": NOON, "frozen": True})
    with server.client("--lifetime", "2h", "--user", NADIA) as client:
        subscription = {
            "changeType": "updated",
            "notificationUrl": receiver.url,
            "resource": f"communications/presences/{JONAS}",
            "expirationDateTime": "2026-11-24T12:59:00Z",
        }
        assert client.post("/subscriptions", json=subscription).status_code == 201
        with server.client("--lifetime", "2h") as writer:
            set_state(writer, "PT5M")
            body = {"availability": "DoNotDisturb", "activity": "DoNotDisturb", "expirationDuration": "PT10M"}
            action = f"/users/{JONAS}/presence/setUserPreferredPresence"
            assert writer.post(action, json=body).status_code == 200
            set_state(writer, "PT20M")
        control.post("/clock/advance", json={"by": "PT30M"})
        # in a call, do not disturb, in a call again when that ends, offline: each at its own time, before the answer
        assert len(receiver.items) == 4
        assert client.get("/subscriptions").json()["value"]
        control.post("/clock/advance", json={"by": "PT30M"})
        assert client.get("/subscriptions").json()["value"] == []


def test_the_clock_goes_on_from_where_it_was_set(control: httpx.Client) -> None:
    control.post("/clock", json={"now": NOON})
    first, second = (datetime.fromisoformat(control.get("/clock").json()["now"]) for _ in range(2))
    assert datetime(2026, 11, 24, 12, tzinfo=UTC) <= first < second
    control.patch("/clock", json={"frozen": True})
    one, other = (control.get("/clock").json() for _ in range(2))
    assert (one["now"], one["frozen"]) == (other["now"], True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {"now": "noon"}),
        ("/clock", {"now": 5}),
        ("/clock", {"now": "0001-01-01T00:00:00Z"}),
        ("/clock", {"now": "9999-12-31T00:00:00Z"}),
        ("/clock", {"frozen": "yes"}),
        ("/clock", []),
        ("/clock", b"\xff"),
        ("/clock", b"[" * 100_000),
        ("/clock/advance", {}),
        ("/clock/advance", {"by": "soon"}),
        ("/clock/advance", {"by": "-PT5M"}),
        ("/clock/advance", {"by": "P9999999D"}),
    ],
)
def test_what_the_clock_cannot_be(control: httpx.Client, path: str, body: Any) -> None:
    answer = control.post(path, **({"content": body} if isinstance(body, bytes) else {"json": body}))
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "InvalidArgument"
    assert error["innerError"]["request-id"] == answer.headers["request-id"]


def test_other_paths_and_methods(control: httpx.Client) -> None:
    assert control.get("/nothing").status_code == 404
    assert control.get("").status_code == 404
    assert control.delete("/clock").status_code == 405
    assert control.get("/clock/advance").json()["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8080"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
        {"Authorization": "Bearer open"},
        {"Authorization": "Basic c2VzYW1l"},
        {"Authorization": "Bearer sesame2"},
        {"Authorization": "Bearer"},
    ],
)
def test_who_may_not(control: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/clock"), ("POST", "/clock/reset"), ("GET", "/nothing")):
        answer = control.request(method, path, headers=headers)
        assert answer.status_code in (401, 403), (headers, answer.text)
        assert answer.json()["error"]["message"]


def test_no_token_of_graphs_opens_it_and_the_admin_token_does(server: Server, control: httpx.Client) -> None:
    with server.client() as client:
        graph = client.headers["Authorization"]
    assert control.get("/clock", headers={"Authorization": graph}).status_code == 401
    admin = {"Authorization": "Bearer sesame", "Host": "presence.example", "X-Forwarded-For": "10.0.0.1"}
    assert control.get("/clock", headers=admin).status_code == 200
    with httpx.Client(base_url=f"{server.http}/v1.0", headers={"Authorization": "Bearer sesame"}) as client:
        assert client.get("/me").status_code == 401, "and it opens nothing of Graph's"
    assert "sesame" not in server.output


def test_from_the_command_line(server: Server) -> None:
    assert server.command("clock", "freeze", "2026-11-24T12:00:00Z").strip() == f"{NOON} (standing still)"
    assert server.command("clock", "advance", "PT1H30M").startswith("2026-11-24T13:30:00")
    assert server.command("clock", "set", "2026-11-25T00:00:00Z").startswith("2026-11-25T00:00:00.000000Z (standing")
    assert "standing" not in server.command("clock", "go-on")
    assert "standing" not in server.command("clock")
    assert server.command("clock", "reset")[:10] == datetime.now(UTC).strftime("%Y-%m-%d")
    wrong = command("clock", "advance", "soon", "--data", str(server.data), check=False)
    assert (wrong.returncode, "Use an ISO 8601 duration" in wrong.stderr) == (1, True)


def test_a_server_that_takes_no_control(tmp_path: Path) -> None:
    with running(tmp_path / "plain", "--sample") as server:
        assert httpx.get(f"{server.http}/presenced/clock").status_code == 404
        refused = command("clock", "--data", str(server.data), check=False)
        assert refused.returncode == 1
        assert "presenced serve --control" in refused.stderr
    nobody = command("clock", "--data", str(tmp_path / "plain"), check=False)
    assert "No server is running" in nobody.stderr


def test_advances_at_the_same_time_add_up(control: httpx.Client) -> None:
    control.post("/clock", json={"now": NOON, "frozen": True})

    async def several() -> None:
        async with httpx.AsyncClient(base_url=str(control.base_url), timeout=60) as client:
            await asyncio.gather(*(client.post("/clock/advance", json={"by": "PT1M"}) for _ in range(10)))

    thread = threading.Thread(target=lambda: asyncio.run(several()))
    thread.start()
    thread.join()
    assert control.get("/clock").json()["now"] == "2026-11-24T12:10:00.000000Z"


def test_a_reset_ends_an_advance(server: Server, control: httpx.Client) -> None:
    events = [{"starts": f"PT{hour}H", "ends": f"PT{hour}H30M"} for hour in range(1000)]
    people = [{"userPrincipalName": f"p{number}@x.example", "events": events} for number in range(5)]
    seed = {"tenants": [{"id": "11111111-2222-4333-8444-555555555555", "people": people}]}
    assert control.put("/seed", json=seed).status_code == 200
    answers: list[httpx.Response] = []

    def advance() -> None:
        answers.append(httpx.post(f"{control.base_url}clock/advance", json={"by": "P41D"}, timeout=120))

    advancing = threading.Thread(target=advance)
    advancing.start()
    while control.get("/clock").json()["offset"] < 3600:
        pass
    assert control.post("/reset").status_code == 204
    advancing.join()
    assert (answers[0].status_code, "reset" in answers[0].json()["error"]["message"]) == (400, True)
    clock = control.get("/clock").json()
    assert (clock["frozen"], abs(clock["offset"]) < 1) == (False, True)
