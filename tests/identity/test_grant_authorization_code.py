"""authorization_code: a code is good once, soon, and only for who asked for it."""

from typing import Any

import httpx
import msgspec
import pytest

from presenced.identity.apps import App
from presenced.identity.authorization_codes import LIFETIME
from presenced.identity.caller import Caller
from presenced.identity.identity import Identity

from .browser import SECRET, VERIFIER, Browser, redemption
from .callers import timeless
from .endpoint import ask, claims, refuse
from .forger import ADELE, TENANT, SetClock

WEB = "https://site.example/back"
SPA = "https://page.example/"
NATIVE = "http://localhost:43211"
PAGE: dict[str, Any] = {"headers": {"Origin": "https://page.example"}}


async def test_a_server_redeems_a_code(browser: Browser, web: App, identity: Identity) -> None:
    code = await browser.code(web, WEB)
    answer = await ask(browser.client, redemption(web, code, WEB, client_info="1"))
    caller = timeless(await identity.verifier.verify(answer["access_token"]))
    assert caller == Caller(TENANT, web.id, ADELE, frozenset({"User.Read"}))
    assert answer["scope"] == "openid profile https://graph.microsoft.com/User.Read User.Read"
    said = claims(answer["id_token"])
    assert (said["nonce"], said["aud"], said["oid"]) == ("a nonce", web.id, ADELE)
    assert claims(answer["access_token"])["appidacr"] == "1"
    assert answer["refresh_token"]
    assert answer["client_info"]


async def test_a_program_redeems_a_code_without_a_secret(browser: Browser, native: App) -> None:
    answer = await ask(browser.client, redemption(native, await browser.code(native, NATIVE), NATIVE))
    assert claims(answer["access_token"])["appidacr"] == "0"


async def test_a_page_redeems_a_code_by_fetch(browser: Browser, spa: App) -> None:
    fields = redemption(spa, await browser.code(spa, SPA), SPA)
    answer = await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=fields, **PAGE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["refresh_token"]
    preflight = await browser.client.options(
        f"/{TENANT}/oauth2/v2.0/token",
        headers={"Origin": "https://page.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"


async def test_other_permissions_than_at_the_page(browser: Browser, web: App) -> None:
    code = await browser.code(web, WEB)
    answer = await ask(browser.client, redemption(web, code, WEB, scope="Presence.Read"))
    assert claims(answer["access_token"])["scp"] == "Presence.Read"
    assert answer["refresh_token"]  # as asked for at the page
    assert answer["id_token"]
    code = await browser.code(web, WEB, scope="User.Read")
    answer = await ask(browser.client, redemption(web, code, WEB, scope="Presence.Read"))
    assert set(answer) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}
    code = await browser.code(web, WEB)
    await refuse(browser.client, redemption(web, code, WEB, scope="Presence.ReadWrite"), 65001, "invalid_grant")


async def test_a_code_is_good_once_and_ends_what_came_of_it(browser: Browser, web: App) -> None:
    fields = redemption(web, await browser.code(web, WEB), WEB)
    token = (await ask(browser.client, fields))["refresh_token"]
    await refuse(browser.client, fields, 54005, "invalid_grant")
    again = {"grant_type": "refresh_token", "client_id": web.id, "client_secret": SECRET, "refresh_token": token}
    await refuse(browser.client, again, 70000, "invalid_grant")


async def test_a_failed_try_uses_the_code_up(browser: Browser, web: App) -> None:
    code = await browser.code(web, WEB)
    await refuse(browser.client, redemption(web, code, WEB, code_verifier="w" * 50), 501481, "invalid_grant")
    await refuse(browser.client, redemption(web, code, WEB), 54005, "invalid_grant")


async def test_a_code_lives_five_minutes(browser: Browser, web: App, clock: SetClock) -> None:
    fields = redemption(web, await browser.code(web, WEB), WEB)
    clock.instant += LIFETIME
    await refuse(browser.client, fields, 70000, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "number", "status", "error"),
    [
        ({"code": None}, 900144, 400, "invalid_request"),
        ({"code": "x"}, 70000, 400, "invalid_grant"),
        ({"code": "\ud7ff\x00" * 1000}, 70000, 400, "invalid_grant"),
        ({"redirect_uri": None}, 500112, 400, "invalid_grant"),
        ({"redirect_uri": WEB + "/"}, 500112, 400, "invalid_grant"),
        ({"redirect_uri": "https://site.example/more?kept=1"}, 500112, 400, "invalid_grant"),
        ({"code_verifier": None}, 501481, 400, "invalid_grant"),
        ({"code_verifier": ""}, 501481, 400, "invalid_grant"),
        ({"code_verifier": VERIFIER + "v"}, 501481, 400, "invalid_grant"),
        ({"code_verifier": "é" * 50}, 501481, 400, "invalid_grant"),
        ({"code_verifier": "v" * 5000}, 501481, 400, "invalid_grant"),
        ({"client_secret": None}, 7000218, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 7000215, 401, "invalid_client"),
        ({"client_id": None}, 900144, 400, "invalid_request"),
        ({"client_id": "x"}, 700016, 400, "unauthorized_client"),
    ],
)
async def test_what_is_refused(
    browser: Browser, web: App, changes: dict[str, str | None], number: int, status: int, error: str
) -> None:
    fields = redemption(web, await browser.code(web, WEB), WEB)
    fields = {name: value for name, value in (fields | changes).items() if value is not None}
    await refuse(browser.client, fields, number, error, status)


async def test_a_code_is_for_the_app_it_was_made_for(browser: Browser, web: App, native: App, app: App) -> None:
    code = await browser.code(web, WEB)
    await refuse(browser.client, redemption(native, code, WEB), 70000, "invalid_grant")
    code = await browser.code(web, WEB)
    await refuse(browser.client, redemption(app, code, WEB), 70000, "invalid_grant")


async def test_a_verifier_that_nobody_announced_is_wrong(browser: Browser, web: App) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    code = await browser.code(web, WEB, **without)
    await ask(browser.client, redemption(web, code, WEB, code_verifier=None))
    code = await browser.code(web, WEB, **without)
    await ask(browser.client, redemption(web, code, WEB, code_verifier=""))  # as MSAL for Go
    code = await browser.code(web, WEB, **without)
    await refuse(browser.client, redemption(web, code, WEB), 501481, "invalid_grant")


async def test_pages_and_servers_do_not_redeem_each_others_codes(
    browser: Browser, web: App, native: App, spa: App
) -> None:
    for app, uri in ((web, WEB), (native, NATIVE)):
        fields = redemption(app, await browser.code(app, uri, prompt="login"), uri)
        body = await refuse(browser.client, fields, 9002326, "invalid_request", **PAGE)
        assert "https://page.example" in body["error_description"]
    fields = redemption(spa, await browser.code(spa, SPA), SPA)
    await refuse(browser.client, fields, 9002327, "invalid_request")
    for origin in ("https://evil.example", "null", "https://page.example.evil.example", "http://page.example", ""):
        fields = redemption(spa, await browser.code(spa, SPA), SPA)
        await refuse(browser.client, fields, 9002326, "invalid_request", headers={"Origin": origin})


async def test_an_address_of_both_kinds(browser: Browser, identity: Identity) -> None:
    both, _ = await identity.apps.add(
        TENANT, "Both", delegated=["User.Read"], sign_in=True, redirect_uris=["http://localhost"],
        spa_redirect_uris=["http://localhost"],
    )  # fmt: skip
    uri = "http://localhost:3000"
    await ask(browser.client, redemption(both, await browser.code(both, uri), uri))
    fields = redemption(both, await browser.code(both, uri, prompt="login"), uri)
    await ask(browser.client, fields, headers={"Origin": uri})
    fields = redemption(both, await browser.code(both, uri, prompt="login"), uri)
    await refuse(browser.client, fields, 9002326, "invalid_request", headers={"Origin": "http://localhost:3001"})


async def test_other_grants_are_not_for_pages(client: httpx.AsyncClient, app: App) -> None:
    for grant in ("password", "client_credentials", "device_code"):
        await refuse(client, {"grant_type": grant, "client_id": app.id}, 9002326, "invalid_request", **PAGE)
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data={"client_id": app.id, "scope": "x"}, **PAGE)
    assert answer.json()["error_codes"] == [9002326]


async def test_another_tenants_code(browser: Browser, web: App, identity: Identity) -> None:
    other = await identity.tenants.add("22222222-2222-4333-8444-555555555555")
    twin, _ = await identity.apps.add(other, "Twin", delegated=["User.Read"], app_id=web.id, secret=SECRET)
    fields = redemption(twin, await browser.code(web, WEB), WEB)
    await refuse(browser.client, fields, 70000, "invalid_grant", tenant=other)


async def test_a_person_who_was_deleted(browser: Browser, web: App, identity: Identity) -> None:
    fields = redemption(web, await browser.code(web, WEB), WEB)
    await identity.passwords.set(TENANT, ADELE, None)
    await refuse(browser.client, fields, 50173, "invalid_grant")


async def test_a_person_pushes_out_nobodys_codes_but_their_own(browser: Browser, web: App, identity: Identity) -> None:
    mine = await browser.code(web, WEB)
    stands_for = identity.codes._codes[next(iter(identity.codes._codes))]
    other = msgspec.structs.replace(stands_for, person="somebody else")
    theirs = [identity.codes.issue(other) for _ in range(20_000)]
    assert [identity.codes.take(code) is not None for code in theirs] == [False] * 19_984 + [True] * 16
    assert (await ask(browser.client, redemption(web, mine, WEB)))["access_token"]
