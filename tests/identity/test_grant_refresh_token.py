"""refresh_token: rotated, bound, bounded, ended; and kept as hashes through a restart."""

from typing import Any

import httpx
import pytest

from presenced.identity.apps import App
from presenced.identity.identity import Identity
from presenced.identity.refresh_tokens import GRACE, IDLE, LONGEST, PAGE, PER_PERSON, RefreshTokens
from presenced.store.base import StoreUnavailable
from presenced.store.memory import MemoryStore

from .browser import SECRET, Browser, redemption
from .endpoint import ask, check_refusal, claims, refuse
from .forger import ADELE, TENANT, SetClock, find_person

WEB = "https://site.example/back"
SPA = "https://page.example/"


@pytest.fixture
async def token(browser: Browser, web: App) -> str:
    return await first(browser, web)


async def first(browser: Browser, web: App) -> str:
    """A refresh token just signed in for."""
    answer = await ask(browser.client, redemption(web, await browser.code(web, WEB), WEB))
    return str(answer["refresh_token"])


def fields(app: App, token: str, **changes: str) -> dict[str, str]:
    secret = {"client_secret": SECRET} if app.secrets else {}
    return {"grant_type": "refresh_token", "client_id": app.id, "refresh_token": token} | secret | changes


async def test_a_new_access_token_and_a_new_refresh_token(client: httpx.AsyncClient, web: App, token: str) -> None:
    answer = await ask(client, fields(web, token, client_info="1"))
    assert claims(answer["access_token"])["scp"] == "User.Read"
    assert claims(answer["access_token"])["oid"] == ADELE
    assert claims(answer["id_token"])["aud"] == web.id
    assert answer["client_info"]
    assert answer["refresh_token"] != token
    other = await ask(client, fields(web, answer["refresh_token"], scope="Presence.Read offline_access"))
    assert claims(other["access_token"])["scp"] == "Presence.Read"
    await refuse(client, fields(web, other["refresh_token"], scope="Presence.ReadWrite"), 65001, "invalid_grant")
    await ask(client, fields(web, other["refresh_token"]))


async def test_a_token_used_again_within_a_minute_is_good(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock
) -> None:
    one = (await ask(client, fields(web, token)))["refresh_token"]
    clock.instant += GRACE - 1
    two = (await ask(client, fields(web, token)))["refresh_token"]
    assert len({token, one, two}) == 3
    clock.instant += 86400
    for each in (one, two):
        await ask(client, fields(web, each))


async def test_a_token_used_again_later_ends_all_that_came_of_it(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock
) -> None:
    following = (await ask(client, fields(web, token)))["refresh_token"]
    clock.instant += GRACE
    await refuse(client, fields(web, token), 50173, "invalid_grant")
    await refuse(client, fields(web, following), 70000, "invalid_grant")


async def test_a_clock_set_back_does_not_prolong_a_spent_token(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock
) -> None:
    await ask(client, fields(web, token))
    clock.instant -= 3600
    await refuse(client, fields(web, token), 50173, "invalid_grant")


async def test_tokens_survive_a_restart(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock, store: MemoryStore
) -> None:
    following = (await ask(client, fields(web, token)))["refresh_token"]
    again = await RefreshTokens.load(store, clock)
    assert len(again) == 1
    assert await again.rotate(following)
    kept = b"".join((await store.documents(RefreshTokens.COLLECTION)).values()).decode()
    for secret in (token, following):
        assert secret.partition(".")[2] not in kept


@pytest.mark.parametrize("wrong", ["", "x", ".", "a.b", "\ud7ff", "x" * 60_000, "é.é"])
async def test_what_is_no_token(client: httpx.AsyncClient, web: App, wrong: str) -> None:
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/token", data=fields(web, wrong))
    number, error = (70000, "invalid_grant") if wrong else (900144, "invalid_request")
    check_refusal(answer, number, error)


async def test_a_damaged_token_ends_nothing(client: httpx.AsyncClient, web: App, token: str) -> None:
    for wrong in (token[:-1], token + "x", token.partition(".")[0], f"{token.partition('.')[0]}.x"):
        await refuse(client, fields(web, wrong), 70000, "invalid_grant")
    await ask(client, fields(web, token))


async def test_a_token_is_for_its_app_and_tenant(
    client: httpx.AsyncClient, web: App, native: App, token: str, identity: Identity
) -> None:
    await refuse(client, fields(native, token), 70000, "invalid_grant")
    other = await identity.tenants.add("22222222-2222-4333-8444-555555555555")
    await identity.apps.add(other, "Twin", delegated=["User.Read"], app_id=web.id, secret=SECRET)
    await refuse(client, fields(web, token), 70000, "invalid_grant", tenant=other)
    await refuse(client, fields(web, token) | {"client_secret": "wrong"}, 7000215, "invalid_client", 401)
    without = {name: value for name, value in fields(web, token).items() if name != "client_secret"}
    await refuse(client, without, 7000218, "invalid_client", 401)
    await refuse(client, fields(web, token), 9002326, "invalid_request", headers={"Origin": "https://page.example"})
    await ask(client, fields(web, token))


async def test_it_lives_ninety_days_from_its_last_use_and_a_year_in_all(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock
) -> None:
    begun = clock.instant
    while clock.instant < begun + LONGEST - IDLE:
        clock.instant += IDLE - 1
        token = (await ask(client, fields(web, token)))["refresh_token"]
    clock.instant = begun + LONGEST
    await refuse(client, fields(web, token), 700082, "invalid_grant")


async def test_it_ends_when_it_is_not_used(
    client: httpx.AsyncClient, web: App, token: str, clock: SetClock, identity: Identity
) -> None:
    clock.instant += IDLE
    await refuse(client, fields(web, token), 700082, "invalid_grant")
    await identity.refresh_tokens.begin(TENANT, web.id, ADELE, "", "", None)
    assert len(identity.refresh_tokens) == 1


async def test_a_pages_token_lives_a_day_and_is_for_its_origin(browser: Browser, spa: App, clock: SetClock) -> None:
    client = browser.client
    origin: dict[str, Any] = {"headers": {"Origin": "https://page.example"}}
    token = (await ask(client, redemption(spa, await browser.code(spa, SPA), SPA), **origin))["refresh_token"]
    await refuse(client, fields(spa, token), 9002327, "invalid_request")
    for other in ("https://evil.example", "null"):
        await refuse(client, fields(spa, token), 9002326, "invalid_request", headers={"Origin": other})
    clock.instant += PAGE - 1
    token = (await ask(client, fields(spa, token), **origin))["refresh_token"]
    clock.instant += 1
    await refuse(client, fields(spa, token), 700084, "invalid_grant", **origin)


async def test_another_password_or_a_deleted_person_ends_it(
    browser: Browser, web: App, token: str, identity: Identity
) -> None:
    await identity.passwords.set(TENANT, ADELE, "another")
    await refuse(browser.client, fields(web, token), 50173, "invalid_grant")
    await identity.passwords.set(TENANT, ADELE, "correct horse")
    await refuse(browser.client, fields(web, token), 70000, "invalid_grant")


async def test_signing_a_person_out_ends_theirs(browser: Browser, web: App, token: str, identity: Identity) -> None:
    more = await first(browser, web)
    assert await identity.refresh_tokens.revoke_all(TENANT, ADELE) == 2
    for each in (token, more):
        await refuse(browser.client, fields(web, each), 70000, "invalid_grant")
    assert await identity.refresh_tokens.revoke_all(TENANT, ADELE) == 0


async def test_their_number_is_bounded(
    browser: Browser, web: App, token: str, identity: Identity, store: MemoryStore
) -> None:
    used = (await ask(browser.client, fields(web, token)))["refresh_token"]
    tokens = [
        (await identity.refresh_tokens.begin(TENANT, web.id, ADELE, "", "", None))[1] for _ in range(PER_PERSON + 5)
    ]
    assert len(identity.refresh_tokens) == PER_PERSON
    assert len(await store.documents(RefreshTokens.COLLECTION)) == PER_PERSON
    await refuse(browser.client, fields(web, used), 70000, "invalid_grant")
    assert await identity.refresh_tokens.rotate(tokens[-1])
    for _ in range(100):  # one spent token used over and over within its minute
        await identity.refresh_tokens.rotate(tokens[-1])
    assert max(map(len, (await store.documents(RefreshTokens.COLLECTION)).values())) < 4000


async def test_a_store_that_fails_spends_no_token(browser: Browser, web: App, clock: SetClock) -> None:
    class Failing(MemoryStore):
        failing = False

        async def put(self, collection: str, key: str, document: bytes | None) -> None:
            if self.failing:
                raise StoreUnavailable("full")
            await super().put(collection, key, document)

    store = Failing()
    identity = await Identity.load(store, clock, find_person, home_tenant=TENANT)
    _, token = await identity.refresh_tokens.begin(TENANT, web.id, ADELE, "", "", None)
    store.failing = True
    with pytest.raises(StoreUnavailable):
        await identity.refresh_tokens.rotate(token)
    store.failing = False
    clock.instant += GRACE
    assert await identity.refresh_tokens.rotate(token)
    await identity.close()
