"""Somebody who signs in: by filling in the page's form, or with a real Chromium."""

import contextlib
import functools
import shutil
import ssl
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
from playwright.sync_api import BrowserContext, Page, sync_playwright
from selectolax.lexbor import LexborHTMLParser

from presenced.emulator import sample

NAME = "nadia@sample.example"
# A browser in a container has no sandbox of its own; the rest keeps it from the network.
_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Form:
    """Somebody without a browser: fills in forms over HTTPS, and follows no redirection."""

    def __init__(self, ca: str) -> None:
        self.client = httpx.Client(verify=ssl.create_default_context(cafile=ca), timeout=60)

    def sign_in(self, url: str) -> str:
        """Where the sign-in page at ``url`` leads."""
        page = self.client.get(url)
        answer = self._submit(page, "password", username=NAME, password=sample.PASSWORD, sign_in="1")
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def posted(self, url: str, to: str) -> dict[str, str]:
        """What the sign-in page at ``url`` makes a browser post to the app at ``to``."""
        answer = self._submit(self.client.get(url), "password", username=NAME, password=sample.PASSWORD, sign_in="1")
        form = LexborHTMLParser(answer.text).css_first("form")
        assert form is not None
        assert form.attributes["action"] == to
        return {str(field.attributes["name"]): field.attributes["value"] or "" for field in form.css("input")}

    def enter_code(self, url: str, code: str) -> None:
        """Sign in a device."""
        page = self._submit(self.client.get(url), "user_code", user_code=code)
        done = self._submit(page, "password", username=NAME, password=sample.PASSWORD, sign_in="1")
        assert "You are signed in" in done.text, done.text

    def _submit(self, page: httpx.Response, having: str, **fields: str) -> httpx.Response:
        assert page.status_code == 200, page.text
        forms = LexborHTMLParser(page.text).css("form")
        form = next(form for form in forms if form.css_first(f"[name={having}]") is not None)
        hidden = {
            str(field.attributes["name"]): field.attributes["value"] or "" for field in form.css("input[type=hidden]")
        }
        return self.client.post(urljoin(str(page.url), form.attributes["action"]), data=hidden | fields)


@contextlib.contextmanager
def chromium() -> Iterator[BrowserContext]:
    """A new Chromium that has never been anywhere, and does not mind the development certificate."""
    program = shutil.which("chromium")
    assert program, "these tests need Chromium: scripts/packages chromium"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=program, headless=True, args=_OPTIONS, ignore_https_errors=True
        )
        context.set_default_timeout(60_000)
        try:
            yield context
        finally:
            context.close()


def fill_in(page: Page) -> None:
    """Choose a person on the sign-in page, with the keyboard alone, and sign in."""
    page.get_by_label("Nadia Petrova").focus()
    page.keyboard.press("Space")
    page.get_by_label("Password").focus()
    page.keyboard.type(sample.PASSWORD)
    page.keyboard.press("Enter")


class SystemBrowser(webbrowser.BaseBrowser):
    """What ``webbrowser.open`` opens: a Chromium in which somebody signs in. ``seen`` is the last page's text."""

    def __init__(self) -> None:
        super().__init__("presenced-test")
        self.seen = ""
        self.error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self._thread = threading.Thread(target=functools.partial(self._sign_in, url))
        self._thread.start()
        return True

    def wait(self) -> str:
        """The text of the page in the end."""
        assert self._thread is not None
        self._thread.join(120)
        if self.error is not None:
            raise self.error
        return self.seen

    def _sign_in(self, url: str) -> None:
        try:
            with chromium() as context:
                page = context.new_page()
                page.goto(url)
                fill_in(page)
                page.wait_for_url("http://localhost:*/**")
                page.wait_for_load_state()
                self.seen = page.inner_text("body")
        except BaseException as error:
            self.error = error


@contextlib.contextmanager
def system_browser() -> Iterator[SystemBrowser]:
    """Make ``webbrowser.open`` open a SystemBrowser, by the standard library's own registry."""
    browser = SystemBrowser()
    register: Callable[..., Any] = webbrowser.register
    register("presenced-test", None, browser, preferred=True)
    try:
        yield browser
    finally:
        order = webbrowser._tryorder  # type: ignore[attr-defined]
        order.remove("presenced-test")
        webbrowser._browsers.pop("presenced-test")  # type: ignore[attr-defined]
