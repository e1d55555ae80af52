"""device_code: a code on the device, a person elsewhere, and a device that polls."""

from typing import Any

import httpx
import pytest

from presenced.identity.apps import App
from presenced.identity.device_codes import INTERVAL, LIFETIME
from presenced.identity.guesses import ALLOWED, WINDOW
from presenced.identity.identity import Identity

from .browser import SECRET, Browser, Page, check_page
from .endpoint import ask, check_refusal, claims, refuse
from .forger import ADELE, BASE, TENANT, SetClock

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


async def begin(client: httpx.AsyncClient, app: App, **changes: str) -> Any:
    fields = {"client_id": app.id, "scope": "openid profile offline_access User.Read"} | changes
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def poll(app: App, begun: Any, **changes: str) -> dict[str, str]:
    fields = {"grant_type": GRANT, "client_id": app.id, "device_code": begun["device_code"]}
    return fields | ({"client_secret": SECRET} if app.secrets else {}) | changes


async def enter(browser: Browser, code: str) -> httpx.Response:
    """The page after the code was typed."""
    page = await browser.open("/devicelogin")
    check_page(page)
    return await browser.submit(page, "user_code", user_code=code)


async def test_a_person_signs_in_a_device(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    assert set(begun) == {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"}
    assert (begun["verification_uri"], begun["expires_in"], begun["interval"]) == (f"{BASE}/devicelogin", 900, 5)
    assert begun["user_code"] in begun["message"]
    await refuse(browser.client, poll(native, begun), 70016, "authorization_pending")
    page = await enter(browser, f" {begun['user_code'][:4].lower()}-{begun['user_code'][4:]} ")
    check_page(page)
    assert "A program" in Page(page).text
    done = await browser.sign_in(page)
    assert Page(done).title == "You are signed in"
    clock.instant += INTERVAL
    answer = await ask(browser.client, poll(native, begun, client_info="1"))
    assert claims(answer["access_token"])["oid"] == ADELE
    assert claims(answer["id_token"])["aud"] == native.id
    assert answer["refresh_token"]
    assert answer["client_info"]
    clock.instant += INTERVAL
    await refuse(browser.client, poll(native, begun), 70018, "bad_verification_code")


async def test_begun_without_saying_what_the_body_is(client: httpx.AsyncClient, native: App) -> None:
    """As azure-identity for Java does."""
    body = f"client_id={native.id}&scope=User.Read".encode()
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", content=body)
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 200, answer.text
    assert answer.json()["user_code"]
    as_json = {"Content-Type": "application/json"}
    refused = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", content=body, headers=as_json)
    check_refusal(refused, 900144, "invalid_request", 400)


async def test_both_spellings_of_msal(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    fields = {"grant_type": "device_code", "client_id": native.id, "code": begun["device_code"]}
    await refuse(browser.client, fields, 70016, "authorization_pending")
    await browser.sign_in(await enter(browser, begun["user_code"]))
    clock.instant += INTERVAL
    await ask(browser.client, fields)


async def test_who_has_signed_in_only_confirms(browser: Browser, native: App, clock: SetClock) -> None:
    await browser.sign_in(await enter(browser, (await begin(browser.client, native))["user_code"]))
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    await refuse(browser.client, poll(native, begun), 70016, "authorization_pending")
    done = await browser.submit(page, "continue_as", continue_as=ADELE)
    assert Page(done).title == "You are signed in"
    clock.instant += INTERVAL
    await ask(browser.client, poll(native, begun))


async def test_polling_too_fast(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    await refuse(browser.client, poll(native, begun), 70016, "authorization_pending")
    for _ in range(3):
        await refuse(browser.client, poll(native, begun), 70016, "slow_down")
    clock.instant += INTERVAL
    answer = await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=poll(native, begun))
    assert answer.json()["error"] == "authorization_pending"
    clock.instant -= 3600  # a clock set back is not the device's haste
    await_again = await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=poll(native, begun))
    assert await_again.json()["error"] == "authorization_pending"


async def test_a_person_declines(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    answer = await browser.submit(page, "cancel", cancel="1")
    assert Page(answer).title == "Not signed in"
    await refuse(browser.client, poll(native, begun), 65004, "authorization_declined")
    clock.instant += INTERVAL
    late = await browser.sign_in(page)
    assert late.status_code == 400


async def test_the_codes_expire(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    clock.instant += LIFETIME
    late = await browser.sign_in(page)
    assert "AADSTS70018" in late.text
    answer = await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=poll(native, begun))
    assert (answer.json()["error"], answer.json()["error_codes"]) == ("expired_token", [70020])
    clock.instant += 3600
    await begin(browser.client, native)
    answer = await browser.client.post(f"/{TENANT}/oauth2/v2.0/token", data=poll(native, begun))
    assert answer.json()["error"] == "bad_verification_code"


async def test_a_code_is_decided_once(browser: Browser, native: App, identity: Identity) -> None:
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    await browser.sign_in(page)
    again = await browser.submit(page, "cancel", cancel="1")
    assert again.status_code == 400
    assert (await enter(browser, begun["user_code"])).status_code == 400


async def test_guessing_codes_is_limited(browser: Browser, native: App, clock: SetClock) -> None:
    begun = await begin(browser.client, native)
    for number in range(ALLOWED):
        answer = await enter(browser, f"BBBB{number}")
        assert answer.status_code == 400
        assert "code is wrong" in Page(answer).error
    for code in ("BBBBBBBBB", begun["user_code"]):
        assert "too many times" in Page(await enter(browser, code)).error
    clock.instant += WINDOW
    assert Page(await enter(browser, begun["user_code"])).title == "Sign in"


@pytest.mark.parametrize("code", ["", "x" * 50_000, "<script>alert(1)</script>", "\x00", "é" * 9])
async def test_what_is_no_code(browser: Browser, code: str) -> None:
    answer = await enter(browser, code)
    assert answer.status_code == 400
    check_page(answer)
    assert "<script>alert" not in answer.text


async def test_forms_from_elsewhere(browser: Browser, native: App) -> None:
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    browser.client.cookies.clear()
    for answer in (
        await browser.sign_in(page),
        await browser.client.post("/devicelogin", data={"user_code": begun["user_code"]}),
    ):
        assert answer.status_code == 400
        assert "AADSTS165000" in answer.text
    await refuse(browser.client, poll(native, begun), 70016, "authorization_pending")


async def test_a_wrong_password_is_asked_for_again(browser: Browser, native: App) -> None:
    begun = await begin(browser.client, native)
    page = await browser.sign_in(await enter(browser, begun["user_code"]), password="wrong")
    assert "invalid username" in Page(page).error
    await refuse(browser.client, poll(native, begun), 70016, "authorization_pending")
    assert Page(await browser.sign_in(page)).title == "You are signed in"


async def test_a_device_of_another_tenant(browser: Browser, native: App, identity: Identity) -> None:
    other = await identity.tenants.add("22222222-2222-4333-8444-555555555555")
    begun = await begin(browser.client, native)
    page = await enter(browser, begun["user_code"])
    hidden = {"form_value": Page(page).value("form_value"), "user_code": begun["user_code"]}
    answer = await browser.client.post(f"/{other}/login", data=hidden | {"username": "x", "password": "x"})
    assert answer.status_code == 400
    assert "AADSTS70018" in answer.text
    await identity.apps.add(other, "Twin", delegated=["User.Read"], app_id=native.id, sign_in=True)
    await refuse(browser.client, poll(native, begun), 70018, "bad_verification_code", tenant=other)


async def test_an_app_with_a_secret_must_give_it(browser: Browser, web: App, native: App) -> None:
    begun = await begin(browser.client, web)
    without = {name: value for name, value in poll(web, begun).items() if name != "client_secret"}
    await refuse(browser.client, without, 7000218, "invalid_client", 401)
    await refuse(browser.client, poll(native, begun), 70018, "bad_verification_code")
    await refuse(browser.client, poll(web, begun), 70016, "authorization_pending")


@pytest.mark.parametrize(
    ("changes", "number", "error"),
    [
        ({"client_id": ""}, 900144, "invalid_request"),
        ({"client_id": "x"}, 700016, "unauthorized_client"),
        ({"scope": ""}, 900144, "invalid_request"),
        ({"scope": "Presence.ReadWrite"}, 65001, "invalid_grant"),
        ({"scope": "api://x/.default"}, 500011, "invalid_resource"),
        ({"scope": "x" * 5000}, 70011, "invalid_scope"),
    ],
)
async def test_what_is_refused_at_the_beginning(
    client: httpx.AsyncClient, native: App, changes: dict[str, str], number: int, error: str
) -> None:
    fields = {"client_id": native.id, "scope": "User.Read"} | changes
    check_refusal(await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data=fields), number, error)


@pytest.mark.parametrize(
    ("code", "number", "error"), [("", 900144, "invalid_request"), ("x" * 50_000, 70018, "bad_verification_code")]
)
async def test_what_is_no_device_code(
    client: httpx.AsyncClient, native: App, code: str, number: int, error: str
) -> None:
    fields = {"grant_type": GRANT, "client_id": native.id, "device_code": code}
    await refuse(client, fields, number, error)


async def test_a_flood_of_one_app_keeps_nobody_from_the_others(
    client: httpx.AsyncClient, native: App, identity: Identity, clock: SetClock
) -> None:
    flooded = {"client_id": native.id, "scope": "User.Read"}
    for _ in range(1000):
        assert identity.device_codes.begin(TENANT, native.id, "User.Read")
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data=flooded)
    check_refusal(answer, 90033, "temporarily_unavailable", 503)
    assert identity.device_codes.begin(TENANT, "another", "User.Read")
    clock.instant += 86400
    assert (await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data=flooded)).status_code == 200


async def test_their_number_is_bounded(client: httpx.AsyncClient, native: App, identity: Identity) -> None:
    for number in range(10_000):
        assert identity.device_codes.begin(TENANT, f"app {number % 100}", "User.Read")
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/devicecode", data={"client_id": native.id, "scope": "User.Read"})
    check_refusal(answer, 90033, "temporarily_unavailable", 503)


async def test_a_password_changed_meanwhile(browser: Browser, native: App, identity: Identity) -> None:
    begun = await begin(browser.client, native)
    await browser.sign_in(await enter(browser, begun["user_code"]))
    await identity.passwords.set(TENANT, ADELE, "another")
    await refuse(browser.client, poll(native, begun), 50173, "invalid_grant")
