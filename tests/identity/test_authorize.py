"""The authorization endpoint and its page: who is asked, where the answer goes, and where it never goes."""

import base64
from urllib.parse import urlencode

import httpx
import pytest

from presenced.identity.apps import App
from presenced.identity.guesses import ALLOWED
from presenced.identity.identity import Identity

from .browser import CHALLENGE, PASSWORD, Browser, Page, authorization, check_page, returned
from .endpoint import claims
from .forger import ADELE, ADELE_NAME, TENANT, SetClock

WEB = "https://site.example/back"
SPA = "https://page.example/"
NATIVE = "http://localhost:43211"


async def test_a_person_signs_in_and_the_app_gets_a_code(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB, login_hint=ADELE_NAME)
    assert page.status_code == 200
    check_page(page)
    assert Page(page).value("username") == ADELE_NAME
    answer = await browser.sign_in(page)
    back = returned(answer, WEB + "?")
    assert set(back) == {"code", "state"}
    assert back["state"] == "a state & more"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("state", ["", "x" * 8000, "%2B+ &=#é\u2028", "<script>", "\r\nSet-Cookie: a=b", None])
async def test_the_state_comes_back_as_it_was(browser: Browser, web: App, state: str | None) -> None:
    answer = await browser.sign_in(await browser.authorize(web, WEB, state=state))
    back = dict(httpx.URL(answer.headers["location"]).params)
    assert back.get("state") == state
    assert "a=b" not in answer.headers.get("set-cookie", "")


async def test_modes_of_answering(browser: Browser, web: App, native: App) -> None:
    page = await browser.authorize(web, WEB, response_mode="fragment", client_info="1")
    assert set(returned(await browser.sign_in(page), WEB, fragment=True)) == {"code", "state", "client_info"}
    # known by now
    posted = await browser.authorize(web, WEB, response_mode="form_post", state='"><script>')
    check_page(posted)
    form = Page(posted).form("code")
    assert form.attributes["action"] == WEB
    assert Page(posted).value("state") == '"><script>'
    assert "form-action 'self' https://site.example;" in posted.headers["content-security-policy"]
    assert "code=" in (await browser.authorize(web, "https://site.example/more?kept=1")).headers["location"]
    for uri, mode in ((WEB, "web_message"), ("myprogram://auth", "form_post")):
        refused = await browser.authorize(native if "my" in uri else web, uri, response_mode=mode)
        assert refused.status_code == 400
        assert "AADSTS90023" in refused.text


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://localhost", "native"),
        ("http://localhost/", "native"),
        ("http://localhost:1", "native"),
        ("http://LOCALHOST:65535/", "native"),
        ("http://127.0.0.1:8000/back", "native"),
        ("http://[::1]:8000", "native"),
        ("myprogram://auth", "native"),
        ("https://site.example/more?kept=1", "web"),
        ("http://localhost:5000/back", "web"),
        ("https://page.example", "spa"),
        ("http://localhost:3000/page", "spa"),
    ],
)
async def test_registered_addresses(browser: Browser, native: App, web: App, spa: App, uri: str, kind: str) -> None:
    page = await browser.authorize({"native": native, "web": web, "spa": spa}[kind], uri)
    assert page.status_code == 200
    assert (await browser.submit(page, "cancel", cancel="1")).headers["location"].startswith(f"{uri}")


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://site.example/back/", "web"),
        ("https://site.example/Back", "web"),
        ("https://site.example/back?x=1", "web"),
        ("https://site.example/back?", "web"),
        ("https://site.example/back#", "web"),
        ("https://site.example/x/../back", "web"),
        ("https://site.example/%62ack", "web"),
        ("https://site.example:8443/back", "web"),
        ("https://site.example.evil.example/back", "web"),
        ("https://evil.example/back", "web"),
        ("https://site.example@evil.example/back", "web"),
        ("https://evil.example\\@site.example/back", "web"),
        ("http://site.example/back", "web"),
        ("https://site.example/back\r\nX: y", "web"),
        ("http\t://site.example/back", "web"),
        (" https://site.example/back", "web"),
        ("//site.example/back", "web"),
        ("/back", "web"),
        ("http://localhost:5001/back", "web"),
        ("javascript:alert(1)", "native"),
        ("data:text/html,x", "native"),
        ("http://localhost.evil.example:43211", "native"),
        ("http://localhost:43211/back", "native"),
        ("http://localhost:99999", "native"),
        ("http://localhost:x", "native"),
        ("http://user@localhost:1", "native"),
        ("http://127.0.0.1:8000/", "native"),
        ("http://127.0.0.2:8000/back", "native"),
        ("https://localhost:1", "native"),
        ("http://localhost:1#x", "native"),
        ("myprogram://auth/", "native"),
        ("myprogram://other", "native"),
        ("MYPROGRAM://auth:1", "native"),
        ("https://page.example:444/", "spa"),
        ("http://localhost:3000/", "spa"),
        ("https://page.example/\u00e9", "spa"),
        ("x" * 60_000, "spa"),
    ],
)
async def test_addresses_that_are_not_registered_get_nothing(
    browser: Browser, native: App, web: App, spa: App, uri: str, kind: str
) -> None:
    app = {"native": native, "web": web, "spa": spa}[kind]
    for more in ({}, {"prompt": "none"}, {"scope": "Presence.Fly"}, {"response_type": "token"}):
        answer = await browser.authorize(app, uri, **more)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "AADSTS50011" in answer.text
        assert "<script>" not in answer.text
        check_page(answer)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_id": None}, 900144),
        ({"client_id": "cccccccc-2222-4333-8444-555555555555"}, 700016),
        ({"client_id": "<script>alert(1)</script>"}, 700016),
        ({"redirect_uri": None}, 900971),
        ({"state": "x" * 8193}, 90013),
    ],
)
async def test_what_only_a_page_can_say(
    browser: Browser, web: App, changes: dict[str, str | None], number: int
) -> None:
    parameters = {"redirect_uri": WEB} | changes
    answer = await browser.authorize(web, **parameters)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert f"AADSTS{number}" in answer.text
    assert "<script>alert" not in answer.text
    check_page(answer)


@pytest.mark.parametrize("query", [b"client_id=%ff", b"&".join(b"a%d=1" % n for n in range(200)), b"state=1&state=2"])
async def test_queries_that_cannot_be_read(client: httpx.AsyncClient, query: bytes) -> None:
    answer = await client.get(f"/{TENANT}/oauth2/v2.0/authorize?{query.decode('latin-1')}")
    assert answer.status_code == 400
    check_page(answer)


@pytest.mark.parametrize("tenant", ["consumers", "22222222-2222-4333-8444-555555555555", "x" * 300])
async def test_other_tenants(browser: Browser, tenant: str) -> None:
    for path in ("oauth2/v2.0/authorize", "oauth2/v2.0/logout"):
        answer = await browser.open(f"/{tenant}/{path}")
        assert answer.status_code == 400
        check_page(answer)
    assert (await browser.client.post(f"/{tenant}/login", data={})).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "x" * 5000}, "invalid_request"),
        ({"scope": "Presence.ReadWrite"}, "invalid_grant"),
        ({"scope": "api://other/.default"}, "invalid_resource"),
        ({"nonce": "x" * 1025}, "invalid_request"),
        ({"prompt": "maybe"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1] + "="}, "invalid_request"),
    ],
)
async def test_what_the_app_is_told(
    browser: Browser, web: App, spa: App, changes: dict[str, str | None], error: str
) -> None:
    for app, uri in ((web, WEB), (spa, SPA)):
        back = returned(await browser.authorize(app, uri, **changes), uri)
        assert back["error"] == error
        assert back["error_description"].startswith("AADSTS")
        assert back["state"] == "a state & more"


async def test_public_clients_need_pkce(browser: Browser, native: App, spa: App, web: App) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    for app, uri in ((native, NATIVE), (spa, SPA)):
        back = returned(await browser.authorize(app, uri, **without), uri)
        assert back["error"] == "invalid_request"
        assert "AADSTS9002325" in back["error_description"]
    assert (await browser.authorize(web, WEB, **without)).status_code == 200


async def test_a_wrong_password_is_asked_for_again(
    browser: Browser, web: App, caplog: pytest.LogCaptureFixture
) -> None:
    page = await browser.authorize(web, WEB)
    again = await browser.sign_in(page, password="wrong <b>")
    assert again.status_code == 400
    check_page(again)
    assert "invalid username or password" in Page(again).error
    assert "wrong &lt;b&gt;" not in again.text
    assert "wrong <b>" not in again.text
    nobody = await browser.sign_in(again, name='"><img src=x>')
    assert Page(nobody).error == Page(again).error
    assert "<img" not in nobody.text
    assert "code" in returned(await browser.sign_in(nobody), WEB)


async def test_guessing_is_limited_as_everywhere(browser: Browser, web: App, clock: SetClock) -> None:
    page = await browser.authorize(web, WEB)
    for _ in range(ALLOWED):
        page = await browser.sign_in(page, password="wrong")
        assert "invalid username" in Page(page).error
    page = await browser.sign_in(page)
    assert "locked" in Page(page).error
    clock.instant += 60
    assert "code" in returned(await browser.sign_in(page), WEB)


async def test_what_people_type_has_bounds(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB)
    for fields in ({"username": "x" * 5000}, {"password": "x" * 2000}, {"username": "\x00\ud7ff"}, {}):
        answer = await browser.submit(page, "password", **({"password": "x"} | fields))
        assert answer.status_code == 400
        check_page(answer)
    assert (await browser.submit(page, "password", username="x" * 70_000)).status_code == 413


async def test_the_names_of_apps_are_escaped(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB)
    assert "A <b>site</b>" in Page(page).text
    assert "<b>" not in page.text


async def test_cancelling_is_told(browser: Browser, web: App) -> None:
    answer = await browser.submit(await browser.authorize(web, WEB), "cancel", cancel="1")
    assert returned(answer, WEB)["error"] == "access_denied"


@pytest.mark.parametrize("damaged", ["", "x", "é", "/w==", "Y2xpZW50X2lkPTEmY2xpZW50X2lkPTI=", "A" * 50_000])
async def test_a_damaged_form_is_refused(browser: Browser, web: App, damaged: str) -> None:
    answer = await browser.submit(await browser.authorize(web, WEB), "password", request=damaged)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    check_page(answer)


async def test_what_a_form_asks_for_is_checked_anew(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB)
    for changes, number in (({"redirect_uri": "https://evil.example/"}, 50011), ({"client_id": "x"}, 700016)):
        forged = base64.urlsafe_b64encode(urlencode(authorization(web, WEB) | changes).encode()).decode()
        answer = await browser.submit(page, "password", request=forged, username=ADELE_NAME, password=PASSWORD)
        assert answer.status_code == 400
        assert f"AADSTS{number}" in answer.text
        assert "location" not in answer.headers


async def test_a_form_from_elsewhere_is_refused(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        browser.client.headers.update(headers)
        answer = await browser.sign_in(page)
        assert answer.status_code == 400
        assert "AADSTS165000" in answer.text
    browser.client.headers.pop("Sec-Fetch-Site")
    cookies = dict(browser.client.cookies)
    for value in (None, "x", "x" * 43, "%C3%A9"):
        browser.client.cookies.clear()
        if value:
            browser.client.cookies.update({next(iter(cookies)): value})
        answer = await browser.sign_in(page)
        assert answer.status_code == 400
        assert "AADSTS165000" in answer.text
        assert "location" not in answer.headers


async def test_the_cookies(browser: Browser, web: App, native: App) -> None:
    page = await browser.authorize(web, WEB)
    cookies = page.headers.get_list("set-cookie") + (await browser.sign_in(page)).headers.get_list("set-cookie")
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {"__Host-presenced-form", "__Host-presenced-session"}
    for cookie in cookies:
        assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
            "httponly",
            "path=/",
            "samesite=lax",
            "secure",
        }
    plain = httpx.AsyncClient(transport=browser.client._transport, base_url="http://localhost:8080")
    (cookie,) = (await Browser(plain).authorize(native, NATIVE)).headers.get_list("set-cookie")
    assert cookie.startswith("presenced-form=")
    assert "secure" not in cookie.lower()
    await plain.aclose()


async def test_who_has_signed_in_is_not_asked_again(browser: Browser, web: App, spa: App, native: App) -> None:
    await browser.code(web, WEB)
    for app, uri in ((web, WEB), (spa, SPA)):
        for more in ({}, {"prompt": "none"}, {"login_hint": ADELE_NAME.upper()}):
            assert "code" in returned(await browser.authorize(app, uri, **more), uri)
        hinted = await browser.authorize(app, uri, login_hint="other@contoso.example", prompt="none")
        assert returned(hinted, uri)["error"] == "login_required"
    # nothing says which program listens at an address of this machine
    silent = await browser.authorize(native, NATIVE, prompt="none")
    assert returned(silent, NATIVE)["error"] == "interaction_required"
    page = await browser.authorize(native, NATIVE)
    assert Page(page).form("continue_as").text().strip() == "Continue as Adele Vance"
    assert "code" in returned(await browser.submit(page, "continue_as", continue_as=ADELE), NATIVE)
    chosen = await browser.authorize(web, WEB, prompt="select_account")
    assert "code" in returned(await browser.submit(chosen, "continue_as", continue_as=ADELE), WEB)


async def test_asked_again_when_the_app_wants_it(browser: Browser, web: App) -> None:
    await browser.code(web, WEB)
    page = await browser.authorize(web, WEB, prompt="login")
    assert not Page(page).html.css("[name=continue_as]")
    forged = await browser.submit(page, "password", continue_as=ADELE)
    assert forged.status_code == 400
    assert "code" in returned(await browser.sign_in(page), WEB)


async def test_nobody_continues_as_who_has_not_signed_in(browser: Browser, web: App) -> None:
    page = await browser.authorize(web, WEB)
    answer = await browser.submit(page, "password", continue_as=ADELE)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_session_ends_with_the_password_it_began_with(browser: Browser, web: App, identity: Identity) -> None:
    code = await browser.code(web, WEB)
    await identity.passwords.set(TENANT, ADELE, "another")
    assert (await browser.authorize(web, WEB)).status_code == 200
    fields = {"grant_type": "authorization_code", "client_id": web.id, "client_secret": "an app's secret", "code": code}
    answer = await browser.client.post(
        f"/{TENANT}/oauth2/v2.0/token", data=fields | {"redirect_uri": WEB, "code_verifier": "v" * 50}
    )
    assert answer.json()["error_codes"] == [50173]


async def test_a_session_ends_after_a_day(browser: Browser, web: App, clock: SetClock) -> None:
    await browser.code(web, WEB)
    clock.instant += 86400
    assert (await browser.authorize(web, WEB)).status_code == 200


async def test_a_new_sign_in_gets_a_new_session(browser: Browser, web: App) -> None:
    browser.client.cookies.set("__Host-presenced-session", "chosen-by-somebody-else", domain="localhost.local")
    await browser.code(web, WEB)
    before = browser.client.cookies.get("__Host-presenced-session", domain="localhost.local")
    await browser.sign_in(await browser.authorize(web, WEB, prompt="login"))
    after = browser.client.cookies.get("__Host-presenced-session", domain="localhost.local")
    assert before
    assert after
    assert before != after
    browser.client.cookies.set("__Host-presenced-session", before, domain="localhost.local")
    assert (await browser.authorize(web, WEB)).status_code == 200


async def test_requests_by_post(browser: Browser, web: App) -> None:
    fields = {"client_id": web.id, "redirect_uri": WEB, "response_type": "code", "scope": "User.Read"}
    page = await browser.client.post(f"/{TENANT}/oauth2/v2.0/authorize", data=fields)
    assert "code" in returned(await browser.sign_in(page), WEB)
    wrong = await browser.client.post(f"/{TENANT}/oauth2/v2.0/authorize", json=fields)
    assert wrong.status_code == 400


async def test_logging_out(browser: Browser, web: App, spa: App) -> None:
    await browser.code(web, WEB)
    answer = await browser.open(f"/{TENANT}/oauth2/v2.0/logout", post_logout_redirect_uri=SPA, state="a b")
    assert answer.headers["location"] == f"{SPA}?state=a%20b"
    assert (await browser.authorize(web, WEB)).status_code == 200


@pytest.mark.parametrize("uri", ["", "https://evil.example/", "javascript:alert(1)", "https://page.example/x", "//x"])
async def test_logging_out_leads_nowhere_else(browser: Browser, web: App, spa: App, uri: str) -> None:
    await browser.code(web, WEB)
    answer = await browser.open(f"/{TENANT}/oauth2/v2.0/logout", post_logout_redirect_uri=uri)
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert Page(answer).title == "You are signed out"
    check_page(answer)
    assert (await browser.authorize(web, WEB)).status_code == 200


async def test_logging_out_of_one_app_leads_to_no_other(browser: Browser, web: App, spa: App) -> None:
    path = f"/{TENANT}/oauth2/v2.0/logout"
    code = await browser.code(web, WEB)
    fields = {
        "grant_type": "authorization_code",
        "client_id": web.id,
        "client_secret": "an app's secret",
        "code": code,
        "redirect_uri": WEB,
        "code_verifier": "v" * 50,
    }
    hint = (await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=fields)).json()["id_token"]
    assert claims(hint)["aud"] == web.id
    for more in ({"client_id": web.id}, {"id_token_hint": hint}):
        answer = await browser.open(path, post_logout_redirect_uri=SPA, **more)
        assert "location" not in answer.headers
        answer = await browser.open(path, post_logout_redirect_uri=WEB, **more)
        assert answer.headers["location"] == WEB
    for wrong in ("x", "a.b.c", hint[:-5] + "AAAAA"):
        answer = await browser.open(path, id_token_hint=wrong, post_logout_redirect_uri=SPA)
        assert answer.status_code in (200, 302)
    nobody = await browser.open(path, client_id="x", post_logout_redirect_uri=SPA)
    assert "location" not in nobody.headers


async def test_the_number_of_sessions_and_codes_is_bounded(identity: Identity) -> None:
    assert identity.codes._codes.maxsize == identity.codes._redeemed.maxsize == 10_000
    assert identity.sessions._sessions.maxsize == 10_000
