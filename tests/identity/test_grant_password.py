"""password: a token for a person, through an app that may have one."""

import asyncio

import httpx
import msgspec
import pytest
from joserfc.util import urlsafe_b64decode

from presenced.identity.apps import App
from presenced.identity.caller import Caller
from presenced.identity.guesses import ALLOWED, WINDOW
from presenced.identity.identity import Identity

from .callers import timeless
from .endpoint import DEFAULT, ask, claims, refuse
from .forger import ADELE, ADELE_NAME, APP, BASE, START, TENANT, Certificate, SetClock

PASSWORD = "correct horse"
FIELDS = {
    "grant_type": "password",
    "client_id": APP,
    "client_secret": "an app's secret",
    "username": ADELE_NAME,
    "password": PASSWORD,
    "scope": DEFAULT,
}


@pytest.fixture(autouse=True)
async def _adele_has_a_password(identity: Identity, app: App) -> None:
    await identity.passwords.set(TENANT, ADELE, PASSWORD)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in FIELDS.items() if name not in names}


async def test_a_token_for_a_person(client: httpx.AsyncClient, identity: Identity) -> None:
    asked = {"scope": f"openid profile offline_access {DEFAULT}", "client_info": "1", "username": ADELE_NAME.title()}
    answer = await ask(client, FIELDS | asked)
    token, id_token, client_info = (answer.pop(name) for name in ("access_token", "id_token", "client_info"))
    assert answer.pop("refresh_token")
    prefix = "https://graph.microsoft.com"
    assert answer == {
        "token_type": "Bearer",
        "expires_in": 3600,
        "ext_expires_in": 3600,
        "scope": f"openid profile {prefix}/Presence.Read {prefix}/Presence.Read.All {prefix}/User.Read {DEFAULT}",
    }
    permissions = frozenset({"Presence.Read", "Presence.Read.All", "User.Read"})
    assert timeless(await identity.verifier.verify(token)) == Caller(TENANT, APP, ADELE, permissions)
    said = claims(token)
    assert said["scp"] == "Presence.Read Presence.Read.All User.Read"
    assert (said["upn"], said["unique_name"], said["name"]) == (ADELE_NAME, ADELE_NAME, "Adele Vance")
    assert (said["oid"], said["appidacr"]) == (ADELE, "1")
    assert said["sub"] not in (ADELE, APP)
    assert "roles" not in said
    assert msgspec.json.decode(urlsafe_b64decode(client_info.encode())) == {"uid": ADELE, "utid": TENANT}
    said_of_id = claims(id_token)
    assert said_of_id.pop("uti")
    assert said_of_id == {
        "aud": APP,
        "iss": f"{BASE}/{TENANT}/v2.0",
        "iat": int(START),
        "nbf": int(START),
        "exp": int(START) + 3600,
        "name": "Adele Vance",
        "preferred_username": ADELE_NAME,
        "email": "adele.vance@contoso.example",
        "oid": ADELE,
        "sub": said["sub"],
        "tid": TENANT,
        "ver": "2.0",
    }


async def test_only_what_was_asked_for(client: httpx.AsyncClient) -> None:
    answer = await ask(client, FIELDS | {"scope": "presence.read https://graph.microsoft.com/User.Read"})
    assert claims(answer["access_token"])["scp"] == "Presence.Read User.Read"
    assert set(answer) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}
    assert "presence.read" in answer["scope"].split()


async def test_a_nonce_comes_back(client: httpx.AsyncClient) -> None:
    answer = await ask(client, FIELDS | {"scope": "openid User.Read", "nonce": "abc"})
    assert claims(answer["id_token"])["nonce"] == "abc"


async def test_a_permission_the_app_was_not_granted(client: httpx.AsyncClient) -> None:
    for scope in ("Presence.ReadWrite", "https://graph.microsoft.com/Mail.Read", "User.Read Presence.ReadWrite.All"):
        await refuse(client, FIELDS | {"scope": scope}, 65001, "invalid_grant")


async def test_another_resource(client: httpx.AsyncClient) -> None:
    await refuse(client, FIELDS | {"scope": "api://something/.default"}, 500011, "invalid_resource")


@pytest.mark.parametrize("name", ["username", "password", "scope", "client_id"])
async def test_a_missing_parameter(client: httpx.AsyncClient, name: str) -> None:
    body = await refuse(client, without(name), 900144, "invalid_request")
    assert f"'{name}'" in body["error_description"]


async def test_a_wrong_password_and_a_person_who_is_not_there_are_answered_alike(client: httpx.AsyncClient) -> None:
    answers = [
        await refuse(client, FIELDS | wrong, 50126, "invalid_grant")
        for wrong in ({"password": "wrong"}, {"username": "nobody@contoso.example"}, {"username": "x" * 5000})
    ]
    assert len({answer["error_description"].partition(" Trace ID")[0] for answer in answers}) == 1


async def test_a_person_without_a_password(client: httpx.AsyncClient, identity: Identity) -> None:
    await identity.passwords.set(TENANT, ADELE, None)
    await refuse(client, FIELDS, 50126, "invalid_grant")


async def test_an_app_with_a_secret_must_give_it(client: httpx.AsyncClient) -> None:
    await refuse(client, without("client_secret"), 7000218, "invalid_client", 401)
    await refuse(client, FIELDS | {"client_secret": "wrong"}, 7000215, "invalid_client", 401)


async def test_an_app_with_a_certificate_must_use_it(client: httpx.AsyncClient, identity: Identity) -> None:
    app, _ = await identity.apps.add(TENANT, "Two", delegated=["User.Read"], certificates=[Certificate().der])
    await refuse(client, without("client_secret") | {"client_id": app.id}, 7000218, "invalid_client", 401)


async def test_a_public_app(client: httpx.AsyncClient, identity: Identity) -> None:
    for secret in (None, "it has one as well"):
        app, _ = await identity.apps.add(TENANT, "Public", delegated=["User.Read"], sign_in=True, secret=secret)
        answer = await ask(client, without("client_secret") | {"client_id": app.id})
        assert claims(answer["access_token"])["appidacr"] == "0"
        wrong = FIELDS | {"client_id": app.id, "client_secret": "wrong"}
        await refuse(client, wrong, 7000215, "invalid_client", 401)


async def test_an_app_without_delegated_permissions(client: httpx.AsyncClient, identity: Identity) -> None:
    app, _ = await identity.apps.add(TENANT, "Service", application=["Presence.Read.All"], sign_in=True)
    answer = await ask(client, without("client_secret") | {"client_id": app.id})
    assert "scp" not in claims(answer["access_token"])
    assert "roles" not in claims(answer["access_token"])


async def test_guessing_is_limited(client: httpx.AsyncClient, clock: SetClock, identity: Identity) -> None:
    wrong = FIELDS | {"password": "wrong"}
    for _ in range(ALLOWED):
        await refuse(client, wrong, 50126, "invalid_grant")
    # locked by every spelling, also by the id; and what is no guess neither counts nor pushes the count out
    for number in range(30):
        odd = {"username": f"invented{number}@contoso.example", "password": "x" * 1025}
        await refuse(client, FIELDS | odd, 50126, "invalid_grant")
    for name in (ADELE_NAME, f" {ADELE_NAME.upper()} ", ADELE, ADELE.upper()):
        for password in ("wrong", PASSWORD):
            await refuse(client, FIELDS | {"username": name, "password": password}, 50053, "invalid_grant")
    await refuse(client, FIELDS | {"username": "someone.else@contoso.example"}, 50126, "invalid_grant")
    clock.instant += WINDOW
    assert (await client.post(f"/{TENANT}/oauth2/v2.0/token", data=FIELDS)).status_code == 200


async def test_invented_names_push_nobody_out(client: httpx.AsyncClient, identity: Identity) -> None:
    for _ in range(ALLOWED):
        await refuse(client, FIELDS | {"password": "wrong"}, 50126, "invalid_grant")
    for number in range(20_000):
        identity.guesses_at_nobody.begin(TENANT, f"invented{number}")
    await refuse(client, FIELDS, 50053, "invalid_grant")


async def test_guessing_at_once_is_limited_too(client: httpx.AsyncClient) -> None:
    path = f"/{TENANT}/oauth2/v2.0/token"
    wrong = FIELDS | {"password": "wrong"}
    answers = await asyncio.gather(*(client.post(path, data=wrong) for _ in range(2 * ALLOWED)))
    numbers = sorted(answer.json()["error_codes"][0] for answer in answers)
    assert numbers == [50053] * ALLOWED + [50126] * ALLOWED


async def test_a_right_password_ends_the_count(client: httpx.AsyncClient) -> None:
    wrong = FIELDS | {"password": "wrong"}
    for _ in range(2):
        for _ in range(ALLOWED - 1):
            await refuse(client, wrong, 50126, "invalid_grant")
        await ask(client, FIELDS)


async def test_guesses_are_kept_for_a_bounded_number_of_names(identity: Identity) -> None:
    for number in range(20_000):
        assert identity.guesses.begin(TENANT, str(number))
    assert len(identity.guesses._counts) == 10_000
