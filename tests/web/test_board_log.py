"""The last requests, on the board."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from tests.conftest import NADIA
from tests.running import Server, running
from tests.web.browser import Visit, chromium
from tests.web.test_board_events import signed_in

MARKUP = "/v1.0/<img src=x onerror=alert(1)>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "data", "--sample", "--control") as server:
        yield server


def test_only_the_owner_sees_requests(server: Server) -> None:
    with server.client() as graph:
        graph.get(f"/users/{NADIA}/presence").raise_for_status()
    with signed_in(server) as browser:
        (shown,) = browser.get("/board/log").json()["requests"]
        assert (shown["operation"], shown["status"]) == ("getPresence", 200)
        other = {"tenant": "99999999-0000-4000-8000-000000000000"}
        answer = browser.get("/board/log", params=other)
        assert answer.status_code == 404 or answer.json() == {"requests": []}
    assert httpx.get(f"{server.http}/board/log").status_code == 401


def test_a_person_looks_at_the_requests(server: Server) -> None:
    with server.client() as graph, chromium() as browser:
        graph.get(f"/users/{NADIA}/presence").raise_for_status()
        visit = Visit(browser, server).open()
        visit.page.get_by_role("button", name="Requests").click()
        rows = visit.page.locator("tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text(f"GET /v1.0/users/{NADIA}/presence")
        expect(rows.first).to_contain_text("200")
        body = {"effect": {"status": 429}}
        httpx.post(f"{server.http}/presenced/faults", json=body).raise_for_status()
        assert graph.get("/users").status_code == 429
        httpx.get(f"{server.http}{MARKUP}")
        assert graph.get(MARKUP.removeprefix("/v1.0")).status_code == 400
        expect(rows).to_have_count(3)  # by itself, newest first; what no tenant asked is nobody's
        expect(rows.nth(0)).to_contain_text("onerror")
        expect(rows.nth(1)).to_contain_text("429")
        expect(visit.page.locator("main img")).to_have_count(0)
        visit.close()
