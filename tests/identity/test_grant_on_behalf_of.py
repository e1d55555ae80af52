"""on-behalf-of: an app that was called with a person's token calls Graph as that person."""

from typing import Any

import httpx
import pytest

from presenced.identity.apps import App
from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.identity import Identity

from .browser import PASSWORD, SECRET
from .callers import timeless
from .endpoint import DEFAULT, ask, claims, refuse
from .forger import ADELE, ADELE_NAME, BASE, TENANT, Forger, SetClock

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(autouse=True)
async def _adele_has_a_password(identity: Identity) -> None:
    await identity.passwords.set(TENANT, ADELE, PASSWORD)


@pytest.fixture
async def middle(identity: Identity) -> App:
    """An app that is called, and calls Graph."""
    app, _ = await identity.apps.add(TENANT, "Middle", delegated=["Presence.Read", "User.Read"], secret=SECRET)
    return app


async def signed_in(client: httpx.AsyncClient, app: App, scope: str) -> Any:
    fields = {"grant_type": "password", "client_id": app.id, "username": ADELE_NAME, "password": PASSWORD}
    return await ask(client, fields | {"scope": scope} | ({"client_secret": SECRET} if app.secrets else {}))


def fields(app: App, assertion: str, **changes: str) -> dict[str, str]:
    return {
        "grant_type": GRANT,
        "requested_token_use": "on_behalf_of",
        "client_id": app.id,
        "client_secret": SECRET,
        "assertion": assertion,
        "scope": DEFAULT,
    } | changes


@pytest.fixture
async def assertion(client: httpx.AsyncClient, native: App, middle: App) -> str:
    answer = await signed_in(client, native, f"api://{middle.id}/access_as_user")
    return str(answer["access_token"])


@pytest.mark.parametrize(
    "spelling", ["api://{}/access_as_user", "api://{}/.default", "{}/.default", "openid {}/.default"]
)
async def test_a_token_for_another_app(
    client: httpx.AsyncClient, native: App, middle: App, identity: Identity, spelling: str
) -> None:
    answer = await signed_in(client, native, spelling.format(middle.id.upper()))
    said = claims(answer["access_token"])
    assert said["aud"] == middle.id
    assert (said["scp"], said["azp"], said["oid"], said["tid"]) == ("access_as_user", native.id, ADELE, TENANT)
    assert (said["iss"], said["ver"]) == (f"{BASE}/{TENANT}/v2.0", "2.0")
    assert f"api://{middle.id}/access_as_user" in answer["scope"]
    with pytest.raises(NotAuthenticated):
        await identity.verifier.verify(answer["access_token"])


async def test_graph_as_the_person(client: httpx.AsyncClient, middle: App, assertion: str, identity: Identity) -> None:
    answer = await ask(client, fields(middle, assertion, scope=f"openid profile offline_access {DEFAULT}"))
    caller = timeless(await identity.verifier.verify(answer["access_token"]))
    assert caller == Caller(TENANT, middle.id, ADELE, frozenset({"Presence.Read", "User.Read"}))
    assert claims(answer["id_token"])["aud"] == middle.id
    refresh = {"grant_type": "refresh_token", "client_id": middle.id, "client_secret": SECRET}
    again = await ask(client, refresh | {"refresh_token": answer["refresh_token"]})
    assert claims(again["access_token"])["oid"] == ADELE


async def test_another_app_in_turn(client: httpx.AsyncClient, middle: App, assertion: str, identity: Identity) -> None:
    last, _ = await identity.apps.add(TENANT, "Last", delegated=["User.Read"], secret=SECRET)
    answer = await ask(client, fields(middle, assertion, scope=f"api://{last.id}/.default"))
    assert claims((await ask(client, fields(last, answer["access_token"])))["access_token"])["oid"] == ADELE


async def test_what_is_no_token_for_this_app(
    client: httpx.AsyncClient, middle: App, native: App, assertion: str, identity: Identity, forger: Forger
) -> None:
    for_graph = await signed_in(client, native, f"openid {DEFAULT}")
    own_id_token = (await signed_in(client, middle, f"openid {DEFAULT}"))["id_token"]
    assert claims(own_id_token)["aud"] == middle.id
    validation = identity.issuer.sign({"aud": middle.id, "tid": TENANT, "azp": native.id, "oid": ADELE}, 3600)
    other, _ = await identity.apps.add(TENANT, "Other", delegated=["User.Read"], secret=SECRET)
    forged = forger.token(
        {"aud": middle.id, "tid": "22222222-2222-4333-8444-555555555555", "azp": native.id, "oid": ADELE, "scp": "x"}
        | {"exp": 2_000_000_000}
    )
    for app, wrong, number in (
        (middle, for_graph["access_token"], 500131),
        (middle, for_graph["id_token"], 500131),
        (other, assertion, 500131),
        (middle, own_id_token, 50013),
        (middle, validation, 50013),
        (middle, forged, 50013),
        (middle, assertion[:-10] + "AAAAAAAAAA", 50013),
        (middle, "x", 50013),
        (middle, "x" * 60_000, 50013),
        (middle, "a.b.c", 50013),
    ):
        await refuse(client, fields(app, wrong), number, "invalid_grant")


async def test_a_token_that_has_ended(client: httpx.AsyncClient, middle: App, assertion: str, clock: SetClock) -> None:
    clock.instant += 3600
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/token", data=fields(middle, assertion))
    assert answer.json()["error_codes"] == [500133]


@pytest.mark.parametrize(
    ("changes", "number", "error", "status"),
    [
        ({"client_secret": ""}, 7000218, "invalid_client", 401),
        ({"client_secret": "wrong"}, 7000215, "invalid_client", 401),
        ({"requested_token_use": ""}, 900144, "invalid_request", 400),
        ({"requested_token_use": "x"}, 90023, "invalid_request", 400),
        ({"assertion": ""}, 900144, "invalid_request", 400),
        ({"scope": ""}, 900144, "invalid_request", 400),
        ({"scope": "Presence.ReadWrite"}, 65001, "invalid_grant", 400),
    ],
)
async def test_what_is_refused(
    client: httpx.AsyncClient,
    middle: App,
    assertion: str,
    changes: dict[str, str],
    number: int,
    error: str,
    status: int,
) -> None:
    await refuse(client, fields(middle, assertion) | changes, number, error, status)


async def test_a_public_client_cannot(client: httpx.AsyncClient, native: App, assertion: str) -> None:
    without = {name: value for name, value in fields(native, assertion).items() if name != "client_secret"}
    await refuse(client, without, 7000218, "invalid_client", 401)


async def test_scopes_of_apps_that_cannot_be_called(
    client: httpx.AsyncClient, native: App, middle: App, identity: Identity
) -> None:
    base = {"grant_type": "password", "client_id": native.id, "username": ADELE_NAME, "password": PASSWORD}
    for scope, number, error in (
        (f"api://{native.id}/.default", 500011, "invalid_resource"),  # public: it could not keep the token to itself
        (f"api://{middle.id}/Fly", 70011, "invalid_scope"),
        (f"api://{middle.id}/", 70011, "invalid_scope"),
        (f"api://{middle.id}/.default api://{middle.id}/access_as_user", 70011, "invalid_scope"),
        (f"api://{middle.id}/.default User.Read", 28000, "invalid_scope"),
        (f"api://{middle.id}/.default {DEFAULT}", 28000, "invalid_scope"),
    ):
        await refuse(client, base | {"scope": scope}, number, error)
    credentials = {"grant_type": "client_credentials", "client_id": middle.id, "client_secret": SECRET}
    await refuse(client, credentials | {"scope": f"api://{middle.id}/.default"}, 500011, "invalid_resource")


async def test_a_person_who_was_deleted(
    client: httpx.AsyncClient, middle: App, identity: Identity, forger: Forger
) -> None:
    gone = forger.token(
        {"aud": middle.id, "tid": TENANT, "azp": middle.id, "oid": "dddddddd-2222-4333-8444-555555555555", "scp": "x"}
        | {"exp": 2_000_000_000}
    )
    await refuse(client, fields(middle, gone), 50173, "invalid_grant")
