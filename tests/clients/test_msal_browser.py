"""msal-browser, as published, on a page of its own in a real Chromium: pop-up, redirection, silently, and out again."""

import contextlib
import http.server
import json
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from tests.conftest import NADIA
from tests.running import Server

from presenced.emulator import sample

from .signing_in import NAME, chromium, fill_in

PACKAGE, VERSION = "@azure/msal-browser", "5.30.0"
CACHE = Path(os.environ.get("PRESENCED_CLIENTS_CACHE") or "~/.cache/presenced-clients").expanduser()

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,"></head><body>
<button id="popup">Pop-up</button> <button id="redirect">Redirect</button> <button id="out">Out</button>
<pre id="result"></pre>
<script src="/msal-browser.js"></script>
<script type="module">
const scopes = ["Presence.Read.All"]
const say = (what) => { document.getElementById("result").textContent = JSON.stringify(what) }
const told = (work) => work().then(say, (error) => say({ error: String(error) }))
window.app = await msal.createStandardPublicClientApplication({
  auth: {
    clientId: "CLIENT", authority: "AUTHORITY", knownAuthorities: ["HOST"],
    redirectUri: location.origin + "/redirect.html", postLogoutRedirectUri: location.origin + "/redirect.html",
  },
})
const known = (answer) => ({ token: answer.accessToken, account: answer.account, fromCache: answer.fromCache })
const on = (id, work) => { document.getElementById(id).onclick = () => told(work) }
on("popup", async () => known(await app.loginPopup({ scopes })))
on("redirect", async () => { await app.loginRedirect({ scopes, prompt: "select_account" }); return {} })
on("out", async () => { await app.logoutPopup({ account: app.getAllAccounts()[0] }); return { out: true } })
window.silent = async (more) =>
  known(await app.acquireTokenSilent({ scopes, account: app.getAllAccounts()[0], ...more }))
window.sso = async () => known(await app.ssoSilent({ scopes, loginHint: "NAME" }))
const answer = await app.handleRedirectPromise()
if (answer) say(known(answer))
document.body.dataset.ready = "yes"
</script></body></html>"""

BRIDGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Back</title></head><body>
<script src="/msal-redirect-bridge.js"></script>
<script>msalRedirectBridge.broadcastResponseToMainFrame().catch((error) => { document.title = String(error) })</script>
</body></html>"""


@pytest.fixture(scope="module")
def library() -> Path:
    """The package, from the npm registry, kept for the next time."""
    folder = CACHE / f"msal-browser-{VERSION}"
    library = folder / "node_modules" / PACKAGE / "lib"
    if not (library / "msal-browser.min.js").exists():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"]
        subprocess.run(install, check=True, timeout=300)
    return library


@contextlib.contextmanager
def site(server: Server, library: Path, *, tls: bool) -> Iterator[str]:
    """A site of our own with the page on it, over HTTP as on a developer's machine or over HTTPS; its origin."""
    files: dict[str, tuple[str, bytes]] = {}

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = files.get(self.path.partition("?")[0], ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    origin = f"{'https' if tls else 'http'}://localhost:{site.server_port}"
    client_id = sample.SIGN_IN_APP
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.data / "tls" / "localhost.pem", server.data / "tls" / "localhost.key")
        site.socket = context.wrap_socket(site.socket, server_side=True)
        options = ("--permission", "Presence.Read.All", "--spa-redirect-uri", f"{origin}/redirect.html", "--json")
        client_id = json.loads(server.command("apps", "add", "A page", *options))["id"]
    page = PAGE.replace("CLIENT", client_id).replace("AUTHORITY", f"{server.https}/{sample.TENANT}")
    page = page.replace("HOST", server.https.removeprefix("https://")).replace("NAME", NAME)
    bridge = library / "redirect-bridge" / "msal-redirect-bridge.min.js"
    files |= {
        "/": ("text/html", page.encode()),
        "/redirect.html": ("text/html", BRIDGE.encode()),
        "/msal-browser.js": ("text/javascript", (library / "msal-browser.min.js").read_bytes()),
        "/msal-redirect-bridge.js": ("text/javascript", bridge.read_bytes()),
    }
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield origin
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture(scope="module")
def origin(server: Server, library: Path) -> Iterator[str]:
    with site(server, library, tls=False) as origin:
        yield origin


@pytest.fixture(scope="module")
def secure_origin(server: Server, library: Path) -> Iterator[str]:
    """Of the same site as the server to a browser, which looks at the scheme too: so that its cookies go along."""
    with site(server, library, tls=True) as origin:
        yield origin


@pytest.fixture
def context() -> Iterator[BrowserContext]:
    with chromium() as context:
        yield context


def visit(context: BrowserContext, origin: str) -> Page:
    page = context.new_page()
    page.goto(origin)
    page.wait_for_selector("body[data-ready]")
    return page


def result(page: Page) -> Any:
    """What the page says came of it."""
    page.wait_for_function("document.getElementById('result')?.textContent")
    return page.evaluate("JSON.parse(document.getElementById('result').textContent)")


def sign_in_by_popup(page: Page) -> Any:
    with page.expect_popup() as opened:
        page.click("#popup")
    popup = opened.value
    popup.wait_for_selector("input[name=password]")
    fill_in(popup)
    return result(page)


def check(server: Server, page: Page, answer: Any) -> None:
    """Check an answer of msal-browser's, by asking Graph from the page."""
    assert "error" not in answer, answer
    account = answer["account"]
    assert (account["username"], account["localAccountId"], account["tenantId"]) == (NAME, NADIA, sample.TENANT)
    status = page.evaluate(
        """async ([url, token, id]) => (await fetch(url, {
            method: "POST", body: JSON.stringify({ ids: [id] }),
            headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        })).status""",
        [f"{server.https}/v1.0/communications/getPresencesByUserId", answer["token"], NADIA],
    )
    assert status == 200


def test_a_popup_and_then_silence(server: Server, origin: str, context: BrowserContext) -> None:
    page = visit(context, origin)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    first = sign_in_by_popup(page)
    check(server, page, first)
    cached = page.evaluate("silent({})")
    assert (cached["fromCache"], cached["token"]) == (True, first["token"])
    for _ in range(2):  # by refresh token, which is another one each time
        renewed = page.evaluate("silent({ forceRefresh: true })")
        assert not renewed["fromCache"]
        assert renewed["token"] != first["token"]
        check(server, page, renewed)
    assert not errors


def test_a_hidden_frame(server: Server, secure_origin: str, context: BrowserContext) -> None:
    sign_in_by_popup(visit(context, secure_origin))
    other = visit(context, secure_origin)  # a tab of its own, so nothing in its session storage
    check(server, other, other.evaluate("sso()"))


def test_a_hidden_frame_of_somebody_who_has_not_signed_in(secure_origin: str, context: BrowserContext) -> None:
    page = visit(context, secure_origin)
    refused = page.evaluate("sso().then(() => 'in', (error) => error.errorCode)")
    assert refused == "login_required"


def test_a_redirection(server: Server, origin: str, context: BrowserContext) -> None:
    page = visit(context, origin)
    page.click("#redirect")
    page.wait_for_selector("input[name=password]")
    fill_in(page)
    page.wait_for_url(f"{origin}/**")
    check(server, page, result(page))


def test_cancelling(origin: str, context: BrowserContext) -> None:
    page = visit(context, origin)
    with page.expect_popup() as opened:
        page.click("#popup")
    opened.value.get_by_role("button", name="Cancel").click()
    assert "access_denied" in result(page)["error"]


def test_logging_out(secure_origin: str, context: BrowserContext) -> None:
    page = visit(context, secure_origin)
    sign_in_by_popup(page)
    page.evaluate("document.getElementById('result').textContent = ''")
    with page.expect_popup():
        page.click("#out")
    assert result(page) == {"out": True}
    assert page.evaluate("app.getAllAccounts().length") == 0
    refused = page.evaluate("sso().then(() => 'in', (error) => error.errorCode)")
    assert refused == "login_required"


def test_the_sign_in_page_in_a_browser(server: Server, context: BrowserContext) -> None:
    """Nothing it holds is refused by its own policy, and it has no address but its own."""
    page = context.new_page()
    problems: list[str] = []
    asked: list[str] = []
    page.on("console", lambda line: problems.append(line.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.https}/devicelogin")
    assert page.get_by_label("Code").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "12px"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 23, 27)"
    assert not problems
    assert all(url.startswith((server.https, "data:")) for url in asked)
