"""Presenced: the server of a block of Python, with its clients, clock, seed, and its end."""

import asyncio
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import requests
from azure.identity import ClientSecretCredential
from tests.conftest import JONAS, NADIA
from tests.testing import seeds

from presenced.testing import ControlError, Presenced, ServerDied

CALL = {"sessionId": "phone", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}


def activity(graph: httpx.Client, person: str) -> str:
    answer = graph.get(f"/users/{person}/presence")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["activity"])


def kill(server: Presenced) -> None:
    """Kill its process."""
    pid = json.loads((server.data / "server.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)


def test_reset_goes_back_to_the_sample(presenced: Presenced) -> None:
    graph = presenced.client()
    before = presenced.clock.freeze("2026-11-24T09:00:00Z")
    assert before == datetime(2026, 11, 24, 9, tzinfo=UTC)
    graph.post(f"/users/{JONAS}/presence/setPresence", json=CALL).raise_for_status()
    assert activity(graph, JONAS) == "InACall"
    presenced.reset()
    assert activity(graph, JONAS) == "Offline"
    assert abs(presenced.clock.now() - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_clock(presenced: Presenced) -> None:
    clock = presenced.clock
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert clock.freeze(noon) == noon == clock.now()
    assert clock.advance(timedelta(hours=1, seconds=1.5)) == noon + timedelta(hours=1, seconds=1.5)
    assert clock.advance("P1D") == noon + timedelta(days=1, hours=1, seconds=1.5)
    assert clock.set("2027-01-01T00:00:00+01:00") == datetime(2026, 12, 31, 23, tzinfo=UTC) == clock.freeze()
    assert clock.go_on() >= datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert abs(clock.reset() - datetime.now(UTC)) < timedelta(minutes=5)
    with pytest.raises(ValueError, match="no time zone"):
        clock.set(datetime(2026, 11, 24, 12))
    with pytest.raises(ControlError, match="no instant"):
        clock.set("noon")
    with pytest.raises(ControlError):
        clock.advance(timedelta(seconds=-1))


def test_a_client_outlives_the_clock(presenced: Presenced) -> None:
    graph = presenced.client()
    assert activity(graph, NADIA) == "InAMeeting"
    presenced.clock.advance("P30D")
    assert activity(graph, NADIA) == "InAMeeting"


def test_tokens_are_for_whom_they_are_asked(presenced: Presenced) -> None:
    assert presenced.client(user="tomas@sample.example").get("/me/presence").json()["activity"] == "Away"
    limited = presenced.client(permissions=["Presence.Read.All"])
    assert limited.post(f"/users/{JONAS}/presence/setPresence", json=CALL).status_code == 403
    with pytest.raises(ControlError, match="nobody"):
        presenced.token(user="nobody@sample.example")
    with pytest.raises(ValueError, match="httpx-async"):
        presenced.client("no-such-client")  # type: ignore[call-overload]


async def test_the_sdks(presenced: Presenced) -> None:
    for graph in (presenced.client("python-sdk"), presenced.client("python-beta-sdk")):
        presence = await graph.users.by_user_id(NADIA).presence.get()
        assert presence is not None
        assert presence.activity == "InAMeeting"


def test_an_sdk_that_is_not_installed_is_named(presenced: Presenced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgraph", None)
    with pytest.raises(RuntimeError, match="pip install msgraph-sdk"):
        presenced.client("python-sdk")


def test_microsofts_sign_in_works_by_the_environment(presenced: Presenced) -> None:
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    token = credential.get_token("https://graph.microsoft.com/.default").token
    url = f"{os.environ['GRAPH_BASE_URL_TLS']}/users/{NADIA}/presence"
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(url, headers=headers).json()["activity"] == "InAMeeting"
    assert requests.get(url, headers=headers, timeout=60).json()["activity"] == "InAMeeting"
    credential.close()


def test_seeds(presenced: Presenced, tmp_path: Path) -> None:
    def check() -> None:
        assert (presenced.tenant, presenced.app, presenced.secret) == (seeds.TENANT, seeds.APP, "a secret of tests")
        assert presenced.environment["AZURE_CLIENT_ID"] == seeds.APP
        assert activity(graph, seeds.PERSON) == "Presenting"
        assert graph.get(f"/users/{NADIA}/presence").status_code == 404

    graph = presenced.client()
    presenced.seed(seeds.SEED)
    check()
    exported = presenced.export()
    assert [person["id"] for tenant in exported["tenants"] for person in tenant["people"]] == [seeds.PERSON]
    graph.post(f"/users/{seeds.PERSON}/presence/setPresence", json=CALL).raise_for_status()
    presenced.reset()
    check()
    presenced.start_over()
    assert activity(graph, NADIA) == "InAMeeting"
    presenced.seed(seeds.write(tmp_path))
    check()
    presenced.start_over()
    presenced.seed(exported)
    assert activity(graph, seeds.PERSON) == "Presenting"


def test_seeds_that_cannot_be_used(presenced: Presenced, tmp_path: Path) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(seeds.TOML.replace("userPrincipalName", "userPrincipleName"))
    with pytest.raises(ControlError, match=r"seed\.toml.*line 12.*userPrincipalName"):
        presenced.seed(file)
    with pytest.raises(ControlError, match="tenants"):
        presenced.seed({})
    with pytest.raises(FileNotFoundError):
        presenced.seed(tmp_path / "missing.toml")
    with pytest.raises(ValueError, match="format"):
        presenced.seed(tmp_path / "seed.txt")
    assert activity(presenced.client(), NADIA) == "InAMeeting"


def test_a_calendar_file_is_named_from_the_seeds_folder(presenced: Presenced, tmp_path: Path) -> None:
    (tmp_path / "ada.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20301124T000000Z\r\n"
        "DTSTART:20301124T090000Z\r\nDTEND:20301124T100000Z\r\nSUMMARY:Meeting\r\nATTENDEE:mailto:x@test.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    file = seeds.write(tmp_path)
    there = seeds.TOML.replace('availability = "DoNotDisturb", activity = "Presenting"', 'availability = "Available"')
    file.write_text(there + 'calendarFile = "ada.ics"\n')
    presenced.seed(file)
    presenced.clock.freeze("2030-11-24T09:30:00Z")
    graph = presenced.client()
    assert graph.get(f"/users/{seeds.PERSON}/presence").json()["availability"] == "Busy"
    (tmp_path / "ada.ics").unlink()
    with pytest.raises(ValueError, match=r"ada\.ics"):
        presenced.seed(file)


async def test_what_is_awaited_leaves_the_loop_free(presenced: Presenced) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    before = ticks
    await presenced.aio.reset()
    assert ticks > before + 1
    ticking.cancel()
    await presenced.aio.seed(seeds.SEED)
    assert presenced.tenant == seeds.TENANT
    assert (await presenced.aio.export())["tenants"][0]["id"] == seeds.TENANT
    await presenced.aio.start_over()
    assert await presenced.aio.token()
    at = await presenced.aio.clock.freeze("2026-11-24T09:00:00Z")
    assert await presenced.aio.clock.advance("PT1M") == at + timedelta(minutes=1) == await presenced.aio.clock.now()
    await presenced.aio.clock.set(at)
    await presenced.aio.clock.go_on()
    await presenced.aio.clock.reset()


async def test_a_block_of_coroutines() -> None:
    async with Presenced(tls=False, options=["--unknown-ids", "omit"]) as server:
        assert server.base_url_tls is None
        assert server.ca is None
        assert "AZURE_AUTHORITY_HOST" not in server.environment
        async with server.client("httpx-async") as graph:
            asked = {"ids": ["00000000-0000-4000-8000-00000000dead"]}
            answer = await graph.post("/communications/getPresencesByUserId", json=asked)
            assert answer.json()["value"] == []
        data = server.data
        assert data.exists()
    assert not data.exists()


def test_a_server_of_ones_own_seed(tmp_path: Path) -> None:
    with Presenced(seed=seeds.SEED, tls=False) as server:
        assert server.environment["AZURE_CLIENT_ID"] == seeds.APP
        server.seed({"tenants": [{"id": seeds.TENANT}]})
        assert "AZURE_CLIENT_ID" not in server.environment
        server.start_over()
        assert activity(server.client(), seeds.PERSON) == "Presenting"
    file = tmp_path / "bad.toml"
    file.write_text("[[tenants]\n")
    with pytest.raises(ControlError, match=r"bad\.toml.*line 1"):
        Presenced(seed=file).start()


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(ServerDied, match="No such option '--no-such-option'"):
        Presenced(options=["--no-such-option"]).start()


def test_a_server_that_is_gone_is_told_once() -> None:
    server = Presenced(tls=False).start()
    kill(server)
    while server.died() is None:
        time.sleep(0.01)
    with pytest.raises(ServerDied, match="killed by signal 9"):
        server.clock.now()
    server.stop()
    unseen = Presenced(tls=False).start()
    kill(unseen)
    with pytest.raises(ServerDied, match="killed by signal 9"):
        unseen.stop()
    assert not unseen.data.exists()


def test_nothing_of_the_surroundings_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "presenced.toml").write_text("no-such-setting = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRESENCED_PUBLIC_URL", "no address")
    with Presenced(tls=False) as server:
        assert activity(server.client(), NADIA) == "InAMeeting"
