"""A person with a real browser in front of the board, every network but this server's cut off."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route, expect, sync_playwright
from tests.running import Server

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip
_OF_THE_NETWORK = ("Failed to load resource", "net::ERR")
PATIENCE = 60_000.0
"""Milliseconds."""

expect.set_options(timeout=PATIENCE)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium, with a user folder of its own."""
    path = shutil.which("chromium")
    assert path is not None, "scripts/test installs chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visit:
    """An open page, and what went wrong on it: requests to elsewhere, errors, and what its policy forbade."""

    def __init__(self, browser: Browser, server: Server, **how: Any) -> None:
        self.server = server
        self.wrong: list[str] = []
        how.setdefault("viewport", {"width": 1280, "height": 800})
        self.context = browser.new_context(**how)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.route("**/*", self._pass)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._listen)

    def open(self, link: str | None = None) -> "Visit":
        """Open the board by a one-time link, and wait for people."""
        self.page.goto(link or self.server.command("board-link").strip())
        expect(self.page.locator(".row").first).to_be_visible()
        expect(self.page.get_by_text("Live", exact=True)).to_be_visible()
        return self

    def row(self, name: str) -> Locator:
        """A person's row in the list."""
        return self.page.locator(".row", has=self.page.locator(".name", has_text=name))

    def detail(self) -> Locator:
        return self.page.locator("aside.detail")

    def choose(self, section: str, name: str) -> None:
        """Click a button in a part of the details."""
        part = self.detail().get_by_role("region", name=section)
        part.get_by_role("button", name=name, exact=True).click()

    def close(self) -> None:
        """Leave, and say what was wrong."""
        self.context.close()
        assert self.wrong == []

    def _pass(self, route: Route, request: Request) -> None:
        if urlsplit(request.url).netloc == urlsplit(self.server.http).netloc:
            route.continue_()
        else:
            self.wrong.append(f"asked {request.url}")
            route.abort()

    def _listen(self, message: ConsoleMessage) -> None:
        # an answer of 401, 403 or none at all is an error to the console, not to the board
        if message.type in ("error", "warning") and not any(text in message.text for text in _OF_THE_NETWORK):
            self.wrong.append(message.text)
