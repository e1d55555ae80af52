"""The stream of changes: what it tells, to whom, and that nobody who does not read it holds memory."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.conftest import JONAS, TOMAS, Desk
from tests.running import Server, running

from presenced.emulator import sample
from presenced.presence.settle import new_record
from presenced.store.base import Change
from presenced.web.history import History
from presenced.web.hub import Hub, Viewer


def signed_in(server: Server) -> httpx.Client:
    """Somebody who has opened a one-time link."""
    client = httpx.Client(base_url=server.http, timeout=60, headers={"X-Presenced-Board": "1", "Origin": server.http})
    secret = server.command("board-link").strip().partition("#link=")[2]
    opened = httpx.post(f"{server.http}/board/session", json={"link": secret}, headers=client.headers)
    client.cookies.update(opened.raise_for_status().cookies)
    return client


def events(stream: httpx.Response) -> Iterator[tuple[str, Any]]:
    """The events of a stream, without those that say the time."""
    name = ""
    for line in stream.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: ") and name != "tick":
            yield name, json.loads(line[6:])


def people(told: Iterator[tuple[str, Any]]) -> Any:
    """The next event about people; what is more of the past known is a reload."""
    return next(body for name, body in told if name == "people")


def test_changes_are_told(server: Server) -> None:
    with signed_in(server) as browser, server.client() as graph, browser.stream("GET", "/board/events") as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = events(stream)
        name, hello = next(told)
        assert (name, hello["frozen"]) == ("hello", False)
        body = {"sessionId": "a", "availability": "Busy", "activity": "InACall"}
        graph.post(f"/users/{JONAS}/presence/setPresence", json=body).raise_for_status()
        first = people(told)
        (row,) = first["people"]
        assert (row["id"], row["availability"], row["activity"]) == (JONAS, "Busy", "InACall")
        assert row["since"] == pytest.approx(first["now"], abs=60)
        graph.post(f"/users/{JONAS}/presence/clearPresence", json={"sessionId": "a"}).raise_for_status()
        second = people(told)
        assert second["people"][0]["availability"] == "Offline"
        assert second["stamp"] > first["stamp"]
        new = {"displayName": "Somebody", "userPrincipalName": "somebody@sample.example"}
        made = graph.post("/users", json=new).raise_for_status().json()["id"]
        assert people(told)["people"][0]["displayName"] == "Somebody"
        graph.delete(f"/users/{made}").raise_for_status()
        assert people(told)["gone"] == [made]


def test_the_stream_ends_with_the_session(server: Server) -> None:
    with signed_in(server) as browser, server.client() as graph, browser.stream("GET", "/board/events") as stream:
        told = events(stream)
        next(told)
        with httpx.Client(base_url=server.http, cookies=browser.cookies, headers=browser.headers) as other:
            assert other.delete("/board/session").status_code == 204
        body = {"statusMessage": {"message": {"content": "secret", "contentType": "text"}}}
        graph.post(f"/users/{TOMAS}/presence/setStatusMessage", json=body).raise_for_status()
        assert [name for name, _ in told if name == "people"] == []


def test_a_server_stops_although_somebody_looks(tmp_path: Any) -> None:
    with running(tmp_path / "data", "--sample") as server:
        with signed_in(server) as browser, browser.stream("GET", "/board/events") as stream:
            told = events(stream)
            next(told)
            server.process.terminate()
            assert [name for name, _ in told if name == "people"] == []
            assert server.process.wait(60) == 0
        assert "Error" not in server.output


async def taken(viewer: Viewer) -> list[bytes]:
    """All that waits for a viewer."""
    found: list[bytes] = []
    async for sent in viewer.events(lambda: None):
        found.append(sent)
        if not viewer._waiting:
            viewer.end()
    return found


async def test_who_does_not_read_holds_no_memory() -> None:
    viewer = Viewer()
    for number in range(1000):
        viewer.push(b"%d" % number)
        assert len(viewer._waiting) <= 32
    found = await taken(viewer)
    assert found[0] == b"event: reload\ndata: {}\n\n"
    assert found[-1] == b"999"


async def test_who_reads_misses_nothing() -> None:
    viewer = Viewer()
    for number in range(30):
        viewer.push(b"%d" % number)
    assert await taken(viewer) == [b"%d" % number for number in range(30)]


async def test_a_storm_of_changes_is_one_reload(desk: Desk) -> None:
    hub = Hub(History(desk.app.store), desk.clock)
    record = new_record(desk.clock.now())
    with hub.viewer(sample.TENANT) as viewer, hub.viewer("another tenant") as other:
        storm = [Change(number, sample.TENANT, f"person {number}", record, True) for number in range(5000)]
        hub.follow(storm)
        assert len(hub._tenants[sample.TENANT].changed) <= 2001
        task = hub._tenants[sample.TENANT].telling
        assert task is not None
        await task
        assert await taken(viewer) == [b"event: reload\ndata: {}\n\n"]
        assert not other._waiting


async def test_a_change_is_rendered_once_for_all_who_look(desk: Desk) -> None:
    hub = Hub(History(desk.app.store), desk.clock)
    with hub.viewer(sample.TENANT) as one, hub.viewer(sample.TENANT) as other:
        record = new_record(desk.clock.now())
        hub.follow([Change(number, sample.TENANT, "p", record, True) for number in range(10)])
        task = hub._tenants[sample.TENANT].telling
        assert task is not None
        await task
        (first,), (second,) = await taken(one), await taken(other)
        assert first is second
    assert hub.viewers() == 0


async def test_nobody_looks_nothing_is_kept(desk: Desk) -> None:
    hub = Hub(History(desk.app.store), desk.clock)
    hub.follow([Change(1, sample.TENANT, "p", new_record(0.0), True)])
    assert hub._tenants == {}


async def test_the_history_of_everybody_is_bounded(desk: Desk) -> None:
    history = History(desk.app.store, most=100)
    history._live = True
    for number in range(1000):
        record = new_record(1000.0 + number)
        history._follow([Change(number, "t", f"person {number % 10}", record if number % 20 < 10 else None, True)])
    kept = sum(len(steps) for steps in history._steps.values())
    assert kept <= 110
    assert all(history.of("t", f"person {number}")[-1].at >= 1980 for number in range(10))
