"""presenced listen, subscriptions and deliveries: real processes, what they print, what a stranger can do to them."""

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import JONAS, NADIA
from tests.running import PRESENCED, Server, clean_environment, command, running

from presenced.emulator import sample

WAIT = 60.0
RESOURCE = f"communications/presences/{JONAS}"


class Listener:
    """A running `presenced listen`; ``lines`` is what it has printed so far."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [PRESENCED, "listen", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(),
        )
        self.lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.url = self.wait_for(r"listening at (\S+)")[1]
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line with ``pattern`` in it, once it is there; no longer than it runs."""

        def found() -> re.Match[str] | None:
            return next((match for line in self.lines if (match := re.search(pattern, line))), None)

        with self._news:
            self._news.wait_for(lambda: self._ended or found() is not None, WAIT)
            match = found()
            assert match is not None, (pattern, self.lines, self.process.poll())
            return match

    def post(self, body: Any, query: str = "") -> httpx.Response:
        """Post as a stranger does: JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.post(self.url + query, content=content, timeout=WAIT)

    def stop(self, how: int = signal.SIGINT) -> int:
        """Ctrl-C, and its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(WAIT)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def listening(*arguments: str) -> Iterator[Listener]:
    listener = Listener(*arguments)
    try:
        yield listener
    finally:
        listener.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("listen") / "data", "--sample") as server:
        yield server


def rows(data: Path, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in command(*arguments, "--json", "--data", str(data)).stdout.splitlines()]


def prefer(client: httpx.Client, availability: str, activity: str) -> None:
    body = {"availability": availability, "activity": activity, "expirationDuration": "PT1H"}
    assert client.post(f"/users/{JONAS}/presence/setUserPreferredPresence", json=body).status_code == 200


@pytest.mark.parametrize("rich", [False, True])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_change_is_printed_and_ctrl_c_deletes_the_subscription(server: Server, rich: bool, how: int) -> None:
    options = ["--data", str(server.data), "--user", NADIA, *(["--rich"] if rich else [])]
    with listening(*options, "jonas@sample.example", NADIA) as listener, server.client() as client:
        made = listener.wait_for(r"subscribed to 2 as .* subscription (\S+);")[1]
        session = {"sessionId": "desk", "availability": "Available", "activity": "Available"}
        session["expirationDuration"] = "PT1H"
        client.post(f"/users/{JONAS}/presence/setPresence", json=session)
        for availability, activity in (("Busy", "Busy"), ("Away", "Away")):
            prefer(client, availability, activity)
            listener.wait_for(rf"^\d\d:\d\d:\d\d  Jonas Weber  {availability}  subscription {made}$")
        (row,) = rows(server.data, "subscriptions")
        assert (row["id"], row["user"], row["people"], row["rich"]) == (made, NADIA, 2, rich)
        assert row["notification_url"] == row["lifecycle_url"] == listener.url
        assert row["paused"] is False
        assert 3000 < row["expires_in"] <= 3600
        assert made in command("subscriptions", "--data", str(server.data)).stdout
        told = {row["url"]: row for row in rows(server.data, "deliveries")}[listener.url]
        assert told["delivered"] >= 2
        assert (told["waiting"], told["failed_posts"], told["dropped"], told["state"]) == (0, 0, 0, "normal")
        twice = command("listen", "--data", str(server.data), "--user", NADIA, JONAS, check=False)
        assert twice.returncode == 1
        assert "already exists" in twice.stderr
        assert "presenced subscriptions" in twice.stderr
        assert listener.stop(how) == 0
        listener.wait_for("the subscription is deleted")
        client.post(f"/users/{JONAS}/presence/clearUserPreferredPresence")
        client.post(f"/users/{JONAS}/presence/clearPresence", json={"sessionId": "desk"})
    assert rows(server.data, "subscriptions") == []
    assert not any("Traceback" in line for line in listener.lines)


def test_started_again_after_kill_9(server: Server) -> None:
    """It takes the place of the one it left behind, and of no other: not of one that runs, nor of a stranger's."""
    options = ["--data", str(server.data), "--user", NADIA, JONAS]
    with listening(*options) as killed:
        first = killed.wait_for(r"subscription (\S+); Ctrl-C")[1]
        killed.stop(signal.SIGKILL)
    assert [row["id"] for row in rows(server.data, "subscriptions")] == [first]
    with listening(*options) as again, server.client() as client:
        again.wait_for("what an earlier listener left behind is deleted")
        second = again.wait_for(r"subscription (\S+); Ctrl-C")[1]
        assert [row["id"] for row in rows(server.data, "subscriptions")] == [second]
        session = {"sessionId": "desk", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
        assert client.post(f"/users/{JONAS}/presence/setPresence", json=session).status_code == 200
        again.wait_for(rf"subscription {second}$")
        assert "already exists" in command("listen", *options, check=False).stderr
        assert [row["id"] for row in rows(server.data, "subscriptions")] == [second]
        client.post(f"/users/{JONAS}/presence/clearPresence", json={"sessionId": "desk"})
        again.stop(signal.SIGKILL)
        # the user's own, made by other means, after the one left behind has gone
        with server.client("--user", NADIA) as nadia, listening("--data", str(server.data)) as plain:
            assert nadia.delete(f"/subscriptions/{second}").status_code == 204
            end = datetime.fromtimestamp(time.time() + 3000, UTC).isoformat()
            body = {"changeType": "updated", "notificationUrl": plain.url, "resource": RESOURCE, "clientState": "x"}
            made = nadia.post("/subscriptions", json=body | {"expirationDateTime": end})
            assert made.status_code == 201, made.text
            refused = command("listen", *options, check=False)
            assert (refused.returncode, "already exists" in refused.stderr) == (1, True)
            assert [row["id"] for row in rows(server.data, "subscriptions")] == [made.json()["id"]]
            assert nadia.delete(f"/subscriptions/{made.json()['id']}").status_code == 204


def test_it_reauthorizes_its_own_subscription_and_no_other(server: Server) -> None:
    with listening("--data", str(server.data), "--lifetime", "50m", JONAS) as listener:
        made = listener.wait_for(r"subscription (\S+);")[1]
        token = server.command("token", "--user", JONAS, "--app", sample.SIGN_IN_APP).strip()
        shown = httpx.get(f"{server.http}/v1.0/subscriptions/{made}", headers={"Authorization": f"Bearer {token}"})
        item = {
            "subscriptionId": made,
            "subscriptionExpirationDateTime": "2030-01-01T00:00:00Z",
            "tenantId": sample.TENANT,
            "lifecycleEvent": "reauthorizationRequired",
        }
        (before,) = rows(server.data, "subscriptions")
        time.sleep(1.1)  # a token ends on a whole second
        assert listener.post({"value": [item | {"clientState": "guessed"}]}).status_code == 202
        listener.wait_for(rf"reauthorizationRequired  subscription {made}$")
        assert rows(server.data, "subscriptions")[0]["authorised_until"] == before["authorised_until"]
        assert listener.post({"value": [item | {"clientState": shown.json()["clientState"]}]}).status_code == 202
        listener.wait_for(rf"reauthorizationRequired, done  subscription {made}$")
        assert rows(server.data, "subscriptions")[0]["authorised_until"] > before["authorised_until"]


STRANGE: list[Any] = [
    b"",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"null",
    b"[1]",
    b'{"value": 1}',
    b'{"value": [{"subscriptionId": 1}]}',
    {"value": [{"subscriptionId": "x", "encryptedContent": {"data": 5}}]},
]


def test_whatever_a_stranger_posts(server: Server) -> None:
    evil = "\x1b[31m\x1b]0;title\x07\u202e\n[bold]fake[/bold]"
    with listening("--data", str(server.data), "--rich", "--user", NADIA, JONAS) as listener:
        listener.wait_for("subscribed to 1")
        for body in STRANGE:
            assert listener.post(body).status_code == 400
        encrypted = {"data": "AAAA", "dataKey": "AAAA", "dataSignature": "AAAA", "encryptionCertificateId": evil}
        items = [
            {"subscriptionId": evil, "resource": evil},
            {"subscriptionId": evil, "lifecycleEvent": evil, "clientState": evil},
            {"subscriptionId": "last", "resource": evil * 1000, "encryptedContent": encrypted},
        ]
        assert listener.post({"value": items, "validationTokens": [evil, "a.b.c"]}).status_code == 202
        listener.wait_for("subscription last")
        assert listener.post(b"x" * (5 << 20)).status_code == 413
        assert httpx.get(listener.url).status_code == 405
        answer = listener.post(b"", "?validationToken=a%20%3Cb%3E%2B%C3%BC+c")
        assert (answer.status_code, answer.text) == (200, "a <b>+ü c")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert listener.stop() == 0
    assert all(line.isprintable() for line in listener.lines), listener.lines
    assert max(map(len, listener.lines)) < 1200
    assert any("[bold]fake[/bold]" in line for line in listener.lines)
    assert rows(server.data, "subscriptions") == []


def test_without_people_it_prints_what_arrives(tmp_path: Path) -> None:
    """No server is needed, and none is started; it does not touch the folder."""
    data = tmp_path / "none"
    with listening("--data", str(data), "--count", "2", "--port", "0") as listener:
        item = {"subscriptionId": "5", "resource": RESOURCE, "clientState": "s", "changeType": "updated"}
        rich = {"data": "", "dataKey": "", "dataSignature": "", "encryptionCertificateId": "c"}
        assert listener.post({"value": [item, item | {"encryptedContent": rich}]}).status_code == 202
        listener.wait_for(rf"{JONAS}  changed \(not read back: No server is running on .*  subscription 5")
        listener.wait_for(rf"{JONAS}  \(encrypted\)  subscription 5")
        assert listener.process.wait(WAIT) == 0
    assert not data.exists()


def test_without_people_but_a_server_names_and_states_are_known(server: Server) -> None:
    with listening("--data", str(server.data)) as listener:
        item = {"subscriptionId": "5", "resource": f"communications/presences('{NADIA}')"}
        assert listener.post({"value": [item]}).status_code == 202
        listener.wait_for(r"Nadia Petrova  Busy, InAMeeting  subscription 5$")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([JONAS], "No server is running on"),
        (["--rich"], "name people"),
        (["--host", "256.0.0.1"], "Cannot listen on 256.0.0.1 port 0"),
    ],
)
def test_what_it_cannot_do(tmp_path: Path, arguments: list[str], words: str) -> None:
    run = command("listen", "--data", str(tmp_path / "data"), *arguments, check=False)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_unknown_people_and_a_killed_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        unknown = command("listen", "--data", str(data), "kim@sample.example", check=False)
        assert "nobody with the id or name kim@sample.example" in unknown.stderr
        server.stop(signal.SIGKILL)
    killed = command("listen", "--data", str(data), JONAS, check=False)
    assert (killed.returncode, "does not run any more" in killed.stderr) == (1, True)


def test_a_stopped_folder_knows_its_subscriptions_and_its_backlog(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server, listening("--data", str(data), "--user", NADIA, JONAS) as listener:
        made = listener.wait_for(r"subscription (\S+);")[1]
        listener.stop(signal.SIGKILL)
        with server.client() as client:
            session = {"sessionId": "desk", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
            client.post(f"/users/{JONAS}/presence/setPresence", json=session)
        deadline = time.monotonic() + WAIT
        while not (row := rows(data, "deliveries")[0])["failed_posts"] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert (row["url"], row["waiting"], row["delivered"]) == (listener.url, 1, 0)
        assert row["last_error"]
    (row,) = rows(data, "deliveries")
    assert (row["url"], row["waiting"]) == (listener.url, 1)
    unknown = ("delivered", "failed_posts", "dropped", "last_error", "next_try", "state")
    assert [row[name] for name in unknown] == [None] * 6
    assert "1 endpoints" in command("deliveries", "--data", str(data)).stdout
    (row,) = rows(data, "subscriptions")
    assert (row["id"], row["paused"]) == (made, False)
    assert f"…?$filter=id in ('{JONAS}')" in command("subscriptions", "--data", str(data)).stdout
    wrong = command("subscriptions", "--tenant", "x", "--data", str(data), check=False)
    assert (wrong.returncode, "not the id of a tenant" in wrong.stderr) == (1, True)
