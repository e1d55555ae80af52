"""The server's clock, moved from the board."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from tests.conftest import JONAS, NADIA
from tests.running import Server, running
from tests.web.browser import Visit, chromium
from tests.web.test_board_events import signed_in


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "data", "--sample", "--control") as server:
        yield server


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"at": 5.0, "advance": 5.0},
        {"frozen": True, "reset": True},
        {"at": -1.0},
        {"at": 1e18},
        {"advance": -1.0},
        {"advance": 1e18},
        {"at": "now"},
        {"advance": None},
        {"nothing": 1},
    ],
)
def test_what_cannot_be(server: Server, body: object) -> None:
    with signed_in(server) as browser:
        before = browser.get("/board/clock").json()
        assert browser.post("/board/clock", json=body).status_code == 400
        after = browser.get("/board/clock").json()
        assert (after["frozen"], abs(after["offset"] - before["offset"]) < 1) == (before["frozen"], True)


def test_strangers_cannot_move_it(server: Server) -> None:
    headers = {"X-Presenced-Board": "1", "Origin": server.http}
    assert httpx.post(f"{server.http}/board/clock", json={"frozen": True}, headers=headers).status_code == 401


def test_a_person_moves_the_clock(server: Server) -> None:
    with server.client() as graph:
        body = {"sessionId": "a", "availability": "Available", "activity": "Available", "expirationDuration": "PT1H"}
        graph.post(f"/users/{JONAS}/presence/setPresence", json=body).raise_for_status()
        with chromium() as browser:
            visit = Visit(browser, server).open()
            page = visit.page
            expect(visit.row("Jonas Weber")).to_contain_text("Available")
            page.get_by_role("button", name="Clock").click()
            page.get_by_role("button", name="Freeze").click()
            expect(page.get_by_text("stands still")).to_be_visible()
            page.get_by_role("button", name="+ 5 min").click()
            expect(page.get_by_text(re.compile("[45] min ahead of real time"))).to_be_visible()
            page.get_by_role("button", name="People").click()
            expect(visit.row("Jonas Weber")).to_contain_text("Available, inactive")
            page.get_by_role("button", name="Clock").click()
            page.get_by_label("Minutes to advance").fill("5")
            page.get_by_role("button", name="Advance", exact=True).click()
            expect(page.get_by_text(re.compile("([6-9]|10) min ahead of real time"))).to_be_visible()
            page.get_by_role("button", name="People").click()
            expect(visit.row("Jonas Weber")).to_contain_text("Away")
            visit.row("Jonas Weber").click()
            steps = visit.detail().locator(".timeline .step")
            expect(steps).to_have_text(["Away", "Available, inactive", "Available", "Offline"])
            page.get_by_role("button", name="Clock").click()
            page.get_by_role("button", name="Back to real time").click()
            expect(page.get_by_text("goes on", exact=True)).to_be_visible()
            visit.close()


def test_after_a_reset_nothing_is_since_a_time_to_come(server: Server) -> None:
    control = f"{server.http}/presenced"
    with signed_in(server) as browser, server.client("--lifetime", "24h") as graph:
        assert browser.get("/board/people").status_code == 200  # from here on the history is kept
        httpx.post(f"{control}/clock/advance", json={"by": "PT20H"}).raise_for_status()
        for person in (JONAS, NADIA):
            body = {"sessionId": "a", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
            graph.post(f"/users/{person}/presence/setPresence", json=body).raise_for_status()
        httpx.post(f"{control}/reset").raise_for_status()
        now = datetime.now(UTC).timestamp()
        rows = browser.get("/board/people").json()
        assert len(rows["people"]) == 12
        assert [row["since"] for row in rows["people"] if row["since"] > now + 5] == []
