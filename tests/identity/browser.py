"""A browser, as far as signing in needs one: cookies, forms, and where it is sent. And what apps do around it."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode

from presenced.identity.apps import App

from .forger import ADELE_NAME, TENANT

PASSWORD = "correct horse"
SECRET = "an app's secret"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Page:
    """A page that was shown."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.html = LexborHTMLParser(answer.text)

    @property
    def title(self) -> str:
        return self._text("h1")

    @property
    def text(self) -> str:
        return self._text("main")

    @property
    def error(self) -> str:
        return self._text(".bad")

    def form(self, having: str) -> LexborNode:
        """The form with a field or button of this name."""
        return next(form for form in self.html.css("form") if form.css_first(f"[name={having}]") is not None)

    def value(self, name: str) -> str:
        """What is in a field."""
        field = self.html.css_first(f"input[name={name}]")
        assert field is not None
        return field.attributes["value"] or ""

    def _text(self, selector: str) -> str:
        node = self.html.css_first(selector)
        return "" if node is None else node.text()


class Browser:
    """One person's browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def open(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def submit(self, answer: httpx.Response, having: str, **fields: str) -> httpx.Response:
        """Send the form that has such a field or button, with these fields besides its hidden ones."""
        form = Page(answer).form(having)
        assert form.attributes["method"] == "post"
        hidden = {
            str(field.attributes["name"]): field.attributes.get("value") or ""
            for field in form.css("input[type=hidden]")
        }
        path = form.attributes["action"]
        assert path
        return await self.client.post(path, data=hidden | fields)

    async def authorize(self, app: App, redirect_uri: str, **changes: str | None) -> httpx.Response:
        """Ask for the sign-in page, as an app would send the browser there; None leaves a parameter out."""
        return await self.client.get(
            f"/{TENANT}/oauth2/v2.0/authorize", params=authorization(app, redirect_uri, **changes)
        )

    async def sign_in(self, page: httpx.Response, name: str = ADELE_NAME, password: str = PASSWORD) -> httpx.Response:
        return await self.submit(page, "password", username=name, password=password, sign_in="1")

    async def code(self, app: App, redirect_uri: str, **changes: str | None) -> str:
        """Sign in and get a code."""
        answer = await self.authorize(app, redirect_uri, **changes)
        if answer.status_code == 200:
            answer = await self.sign_in(answer)
        return returned(answer, redirect_uri)["code"]


def authorization(app: App, redirect_uri: str, **changes: str | None) -> dict[str, str]:
    """The parameters of an authorization request."""
    parameters: dict[str, str | None] = {
        "client_id": app.id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": "openid profile offline_access User.Read",
        "state": "a state & more",
        "nonce": "a nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (parameters | changes).items() if value is not None}


def redemption(app: App, code: str, redirect_uri: str, **changes: str | None) -> dict[str, str]:
    """The fields that redeem a code."""
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "client_id": app.id,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": VERIFIER,
        "client_secret": SECRET if app.secrets else None,
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def returned(answer: httpx.Response, redirect_uri: str, *, fragment: bool = False) -> dict[str, str]:
    """What came back to the app, after a check that it is where the browser was sent."""
    assert answer.status_code == 302, answer.text
    location = answer.headers["location"]
    assert location.startswith(redirect_uri)
    parts = urlsplit(location)
    assert bool(parts.fragment) == fragment
    return dict(parse_qsl(parts.fragment if fragment else parts.query, strict_parsing=True))


def check_page(answer: httpx.Response) -> None:
    """Check what every page must have: nothing may frame it, run in it, or be loaded by it."""
    policy = {
        directive.strip().partition(" ")[0]: directive.strip().partition(" ")[2]
        for directive in answer.headers["content-security-policy"].split(";")
    }
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert policy["form-action"].startswith("'self'")
    expected: dict[str, Any] = {
        "x-frame-options": "DENY",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "content-type": "text/html; charset=utf-8",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    page = Page(answer)
    assert page.title
    assert not page.html.css("[src], [href]:not([href^='data:']), [style], [onclick]")
    labelled = {label.attributes.get("for") for label in page.html.css("label")}
    for field in page.html.css("input:not([type=hidden]):not([type=radio])"):
        assert field.attributes["id"] in labelled
