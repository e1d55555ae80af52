"""Nothing that was answered 2xx is lost: kill -9 under load, a full disk, a read-only folder, a graceful stop."""

import asyncio
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.running import PRESENCED, Server, command, running

PATH = "/communications/getPresencesByUserId"
STATES = [("Busy", "InACall"), ("Busy", "InAConferenceCall"), ("Away", "Away"), ("DoNotDisturb", "Presenting")]


def person(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def set_to(session: str, availability: str, activity: str) -> dict[str, str]:
    return {"sessionId": session, "availability": availability, "activity": activity, "expirationDuration": "PT4H"}


async def load(server: Server, token: str, acknowledged: dict[str, str], tried: dict[str, set[str]]) -> None:
    """Set presences from 16 connections until the server is gone, noting what was tried and what was answered."""

    async def write(client: httpx.AsyncClient, number: int) -> None:
        while True:
            one = person(number * 1000 + random.randrange(20))  # nobody else writes to these
            availability, activity = random.choice(STATES)
            body = set_to("load", availability, activity)
            tried[one] = {activity, acknowledged.get(one, "")}
            try:
                answer = await client.post(f"/users/{one}/presence/setPresence", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            acknowledged[one] = activity
            tried[one] = {activity}

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{server.http}/v1.0", headers=headers, timeout=30) as client:
        await asyncio.gather(*(write(client, number) for number in range(16)))


def test_kill_at_any_moment(tmp_path: Path) -> None:
    """Ten times killed under load: every answered change is there afterwards, and nothing half-written is."""
    data = tmp_path / "data"
    acknowledged: dict[str, str] = {}
    tried: dict[str, set[str]] = {}
    for _ in range(10):
        server = Server(data, "--sample", "--throttle-presence", "0")
        token = server.command("token").strip()
        killer = threading.Timer(random.uniform(0.05, 0.6), server.stop, [signal.SIGKILL])
        killer.start()
        asyncio.run(load(server, token, acknowledged, tried))
        killer.join()
        with running(data, "--throttle-presence", "0") as again, again.client() as client:
            value = []
            people = sorted(tried)
            for first in range(0, len(people), 650):
                value += client.post(PATH, json={"ids": people[first : first + 650]}).json()["value"]
        for found in value:
            one = found["id"]
            if one in acknowledged:
                assert found["activity"] in tried[one], (found, tried[one], acknowledged[one])
            else:
                assert found["activity"] in {*tried[one], "PresenceUnknown"}
            # what was under way when it was killed is settled now, one way or the other
            if found["activity"] != "PresenceUnknown":
                acknowledged[one] = found["activity"]
            tried[one] = {found["activity"]}
    assert len(acknowledged) > 100


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    kept: dict[str, str] = {}
    refused = 0
    with running(data, "--sample", "--throttle-presence", "0", preexec_fn=no_large_files) as server:  # noqa: SIM117
        with server.client() as client:
            for number in range(400):
                availability, activity = STATES[number % len(STATES)]
                body = set_to("s", availability, activity)
                answer = client.post(f"/users/{person(number)}/presence/setPresence", json=body)
                if answer.status_code == 200:
                    kept[person(number)] = activity
                else:
                    refused += 1
                    assert answer.status_code == 503
                    assert answer.json()["error"]["code"] == "ServiceNotAvailable"
                    assert answer.headers["retry-after"].isdigit()
                    if refused == 5:
                        break
            assert refused == 5, "the disk was never full"
            value = client.post(PATH, json={"ids": [*kept][:650]}).json()["value"]
            assert {found["id"]: found["activity"] for found in value} == dict([*kept.items()][:650])
    assert "cannot keep facts" in server.output
    with running(data, "--throttle-presence", "0") as again, again.client() as client:
        value = client.post(PATH, json={"ids": [*kept][:650]}).json()["value"]
        assert {found["id"]: found["activity"] for found in value} == dict([*kept.items()][:650])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Root may write anywhere, so as root the right to is given up first."""
    data = tmp_path / "data"
    with running(data, "--sample"):
        pass
    prefix = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        assert setpriv, "setpriv is part of util-linux"
        prefix = [setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override", "--"]
    for path in data.iterdir():
        path.chmod(stat.S_IRUSR)
    data.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        run = subprocess.run(
            [*prefix, PRESENCED, "serve", "--data", str(data), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        data.chmod(stat.S_IRWXU)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: The data folder ")
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way(tmp_path: Path, how: signal.Signals) -> None:
    data = tmp_path / "data"
    server = Server(data, "--sample", "--throttle-presence", "0")
    token = server.command("token").strip()
    acknowledged: dict[str, str] = {}
    tried: dict[str, set[str]] = {}
    threading.Timer(0.4, os.kill, [server.process.pid, how]).start()
    asyncio.run(load(server, token, acknowledged, tried))
    assert server.stop() == 0
    assert "Traceback" not in server.output
    assert not (data / "control.sock").exists()
    with running(data) as again, again.client() as client:
        value = client.post(PATH, json={"ids": [*acknowledged][:650]}).json()["value"]
    assert all(found["activity"] in tried[found["id"]] for found in value)


def test_a_second_server_on_the_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        second = command("serve", "--data", str(tmp_path / "data"), "--port", "0", check=False)
        assert second.returncode == 1
        assert f"in use by the server with process id {server.process.pid} at {server.http}" in second.stderr


def test_presence_ends_while_nobody_is_running(tmp_path: Path) -> None:
    """A session that ran out while the server was down is over when it is back; one that did not, is not."""
    data = tmp_path / "data"
    with running(data, "--sample") as server, server.client() as client:
        body = {"sessionId": "s", "availability": "Busy", "activity": "InACall"}
        assert client.post(f"/users/{person(1)}/presence/setPresence", json=body).status_code == 200
    time.sleep(0.1)
    with running(data) as server, server.client() as client:
        assert client.get(f"/users/{person(1)}/presence").json()["activity"] == "InACall"
