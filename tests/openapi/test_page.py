"""The page at /docs, as a person meets it: in a real browser, with every network but this server's cut off."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright
from tests.running import Server

from presenced.emulator import sample

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE = 60_000.0
"""Milliseconds."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "scripts/test installs chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visit:
    """An open page, and what went wrong on it: requests to elsewhere, errors, and what its policy forbade."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.wrong: list[str] = []
        self.own = urlsplit(server.http).netloc
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.route("**/*", self._pass)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self._listen(message.type, message.text))
        self.page.goto(f"{server.http}/docs")
        expect(self.page.locator("#operations-Presence-getPresencesByUserId")).to_be_visible(timeout=PATIENCE)

    def _pass(self, route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme == "data" or parts.netloc == self.own:
            route.continue_()
        else:
            self.wrong.append(f"asked {request.url}")
            route.abort()

    def _listen(self, kind: str, text: str) -> None:
        if kind == "error" or "Content Security Policy" in text:
            self.wrong.append(text)

    def authorize(self, scheme: str, **fields: str) -> None:
        """Fill in one of the ways to authorize, and press its button."""
        self.page.locator(".scheme-container .authorize").click()
        box = self.page.locator(".auth-container").filter(has=self.page.locator("h4, h6", has_text=scheme)).first
        for label, text in fields.items():
            box.get_by_label(label.replace("_", "-") if label == "auth_bearer" else label, exact=False).first.fill(text)
        box.locator("button.authorize").click()
        expect(box.locator("button", has_text="Logout")).to_be_visible(timeout=PATIENCE)
        self.page.locator(".auth-btn-wrapper .btn-done").first.click()

    def read_presences(self) -> tuple[str, str]:
        """Press Execute at getPresencesByUserId with the example that stands there; the status and the body."""
        block = self.page.locator("#operations-Presence-getPresencesByUserId")
        block.locator(".opblock-summary-control").click()
        block.locator("button.execute").click()
        answer = block.locator(".live-responses-table .response").first
        expect(answer).to_be_visible(timeout=PATIENCE)
        return answer.locator(".response-col_status").inner_text(), answer.locator(
            ".response-col_description"
        ).inner_text()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    visit = Visit(browser, server)
    yield visit
    visit.page.close()
    assert visit.wrong == []


def test_an_application_authorizes_and_reads(visit: Visit) -> None:
    visit.authorize("application", client_id=sample.SERVICE_APP, client_secret=sample.SECRET)
    status, body = visit.read_presences()
    assert status.startswith("200")
    assert '"InAMeeting"' in body
    assert '"Away"' in body


def test_a_pasted_token_reads(visit: Visit, server: Server) -> None:
    visit.authorize("token", auth_bearer=server.command("token", "--app", sample.SERVICE_APP).strip())
    status, body = visit.read_presences()
    assert status.startswith("200")
    assert '"InAMeeting"' in body


def test_without_a_token_the_refusal_is_shown(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server)
    status, body = visit.read_presences()
    assert status.startswith("401")
    assert "InvalidAuthenticationToken" in body
    # the browser says of itself that an answer was 401
    assert all("401 (Unauthorized)" in wrong for wrong in visit.wrong)
    visit.page.close()


def test_only_its_own_files_may_run(server: Server) -> None:
    for path in ("/docs", "/docs/", "/docs/start.js"):
        answer = httpx.get(server.http + path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/docs/x", "/docs/assets/../page/index.html", "/docs/assets/%2e%2e/__init__.py"])
def test_nothing_else_is_to_be_had(server: Server, path: str) -> None:
    assert httpx.get(server.http + path).status_code == 404


def test_the_licence_of_what_is_shown_is_there(server: Server) -> None:
    """Swagger UI's licence asks that it comes along."""
    assert "Apache License" in httpx.get(f"{server.http}/docs/assets/LICENSE").text


def test_only_this_servers_own_page_may_ask_for_an_applications_token(server: Server) -> None:
    tenant = server.environment()["AZURE_TENANT_ID"]
    form = {
        "grant_type": "client_credentials",
        "client_id": sample.SERVICE_APP,
        "client_secret": sample.SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    own, port = server.http, server.http.rpartition(":")[2]
    url = f"{own}/{tenant}/oauth2/v2.0/token"
    assert httpx.post(url, data=form, headers={"Origin": own}).status_code == 200
    for origin in ("https://evil.example", "null", f"http://evil.example:{port}", f"{own}.evil.example"):
        for more in ({}, {"Host": f"evil.example:{port}"}):
            answer = httpx.post(url, data=form, headers={"Origin": origin, **more})
            assert answer.status_code == 400, origin
            assert answer.json()["error_codes"] == [9002326]
