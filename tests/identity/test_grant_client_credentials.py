"""client_credentials: a token for an app, with a secret; and what the endpoint refuses of any grant."""

import base64

import httpx
import pytest

from presenced.identity.apps import App
from presenced.identity.caller import Caller
from presenced.identity.identity import Identity

from .callers import timeless
from .endpoint import DEFAULT, ask, check_refusal, claims, refuse
from .forger import APP, START, TENANT

FIELDS = {
    "grant_type": "client_credentials",
    "client_id": APP,
    "client_secret": "an app's secret",
    "scope": DEFAULT,
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OTHER_TENANT = "99999999-2222-4333-8444-555555555555"


async def test_a_token_for_an_app(client: httpx.AsyncClient, app: App, identity: Identity) -> None:
    extra = {"client_info": "1", "claims": '{"access_token": {"xms_cc": {"values": ["CP1"]}}}', "unheard_of": ""}
    answer = await ask(client, FIELDS | extra)
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600}
    permissions = frozenset({"Presence.Read.All", "Presence.ReadWrite.All"})
    assert timeless(await identity.verifier.verify(token)) == Caller(TENANT, APP, None, permissions)
    said = claims(token)
    uti = said.pop("uti")
    assert len(uti) == 22
    assert said == {
        "aud": "https://graph.microsoft.com",
        "iss": f"urn:presenced:{TENANT}",
        "iat": int(START),
        "nbf": int(START),
        "exp": int(START) + 3600,
        "app_displayname": "An app",
        "appid": APP,
        "appidacr": "1",
        "idtyp": "app",
        "oid": app.principal,
        "sub": app.principal,
        "roles": ["Presence.Read.All", "Presence.ReadWrite.All"],
        "tid": TENANT,
        "ver": "1.0",
    }


@pytest.mark.parametrize("tenant", [TENANT.upper(), "organizations", "common", "contoso.example"])
async def test_spellings_of_the_tenant(client: httpx.AsyncClient, app: App, identity: Identity, tenant: str) -> None:
    await identity.tenants.add(TENANT, ["contoso.example"])
    assert claims((await ask(client, FIELDS, tenant))["access_token"])["tid"] == TENANT


async def test_msal_node_s_query_and_letters(client: httpx.AsyncClient, app: App) -> None:
    body = f"client_id={APP}&scope={DEFAULT}&grant_type=client_credentials&client_secret=an app's secret"
    body += "&x-client-current-telemetry=5|771,2,,,|,&x-client-VER=2.16.3"
    path = f"/{TENANT}/oauth2/v2.0/token?client-request-id=6c9b1b0e-0000-4000-8000-000000000001"
    answer = await client.post(
        path, content=body, headers=FORM | {"Content-Type": f"{FORM['Content-Type']};charset=utf-8"}
    )
    assert answer.status_code == 200, answer.text


async def test_basic_authentication(client: httpx.AsyncClient, app: App, identity: Identity) -> None:
    fields = {"grant_type": "client_credentials", "scope": DEFAULT}
    await ask(client, fields, auth=(APP, "an app's secret"))
    await ask(client, fields | {"client_id": APP}, auth=(APP, "an%20app%27s+secret"))  # as RFC 6749 has it
    await refuse(client, fields, 7000215, "invalid_client", 401, auth=(APP, "wrong"))
    await refuse(client, fields | {"client_id": TENANT}, 90013, "invalid_request", auth=(APP, "an app's secret"))
    for wrong in ("Basic !", "Basic", "Basic " + base64.b64encode(b"\xff\xff").decode(), "Basic YQ=="):
        await refuse(client, FIELDS, 90013, "invalid_request", headers={"Authorization": wrong})
    await ask(client, FIELDS, headers={"Authorization": "Bearer x"})  # says nothing here


async def test_wrong_secret(client: httpx.AsyncClient, app: App) -> None:
    for secret in ("wrong", app.secrets[0], "an app's secret "):
        body = await refuse(client, FIELDS | {"client_secret": secret}, 7000215, "invalid_client", 401)
        assert secret not in body["error_description"]


async def test_no_secret(client: httpx.AsyncClient, app: App) -> None:
    await refuse(client, FIELDS | {"client_secret": ""}, 7000218, "invalid_client", 401)


async def test_an_app_without_credentials_has_no_secret(client: httpx.AsyncClient, identity: Identity) -> None:
    public, _ = await identity.apps.add(TENANT, "Public", application=["Presence.Read.All"], sign_in=True)
    await refuse(client, FIELDS | {"client_id": public.id, "client_secret": ""}, 7000218, "invalid_client", 401)
    await refuse(client, FIELDS | {"client_id": public.id}, 7000215, "invalid_client", 401)


async def test_unknown_app(client: httpx.AsyncClient, app: App, identity: Identity) -> None:
    await refuse(client, FIELDS | {"client_id": TENANT}, 700016, "unauthorized_client")
    await identity.tenants.add(OTHER_TENANT)
    await refuse(client, FIELDS, 700016, "unauthorized_client", tenant=OTHER_TENANT)


async def test_unknown_tenant(client: httpx.AsyncClient, app: App) -> None:
    for tenant in (OTHER_TENANT, "fabrikam.example"):
        await refuse(client, FIELDS, 90002, "invalid_request", tenant=tenant)


async def test_personal_accounts(client: httpx.AsyncClient, app: App) -> None:
    for tenant in ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"):
        await refuse(client, FIELDS, 9002332, "invalid_request", tenant=tenant)


@pytest.mark.parametrize("name", ["grant_type", "client_id", "scope"])
async def test_a_missing_parameter(client: httpx.AsyncClient, app: App, name: str) -> None:
    without = {field: value for field, value in FIELDS.items() if field != name}
    body = await refuse(client, without, 900144, "invalid_request")
    assert f"'{name}'" in body["error_description"]


@pytest.mark.parametrize(
    "grant", ["implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer", "x\x1b[31m", "CLIENT_CREDENTIALS"]
)
async def test_other_grants(client: httpx.AsyncClient, app: App, grant: str) -> None:
    body = await refuse(client, FIELDS | {"grant_type": grant}, 70003, "unsupported_grant_type")
    assert "\x1b" not in body["error_description"]


@pytest.mark.parametrize(
    ("scope", "number", "error"),
    [
        ("https://graph.microsoft.com/Presence.Read.All", 1002012, "invalid_scope"),
        ("openid", 1002012, "invalid_scope"),
        ("https://vault.azure.net/.default", 500011, "invalid_resource"),
        (f"{DEFAULT} Presence.Read.All", 70011, "invalid_scope"),
        ("   ", 70011, "invalid_scope"),
        (f"{DEFAULT} " * 200, 70011, "invalid_scope"),
    ],
)
async def test_other_scopes(client: httpx.AsyncClient, app: App, scope: str, number: int, error: str) -> None:
    await refuse(client, FIELDS | {"scope": scope}, number, error)


async def test_the_ids_in_a_refusal(client: httpx.AsyncClient, app: App) -> None:
    given = "6C9B1B0E-0000-4000-8000-000000000001"
    wrong = FIELDS | {"client_secret": "wrong"}
    body = await refuse(client, wrong, 7000215, "invalid_client", 401, headers={"client-request-id": given})
    assert body["correlation_id"] == given.lower()
    body = await refuse(client, wrong, 7000215, "invalid_client", 401, params={"client-request-id": given})
    assert body["correlation_id"] == given.lower()
    body = await refuse(client, wrong, 7000215, "invalid_client", 401, headers={"client-request-id": "<b>"})
    assert "<b>" not in body["error_description"]


async def test_a_parameter_twice(client: httpx.AsyncClient, app: App) -> None:
    path = f"/{TENANT}/oauth2/v2.0/token"
    answer = await client.post(path, content=f"client_id={APP}&client_id={APP}", headers=FORM)
    check_refusal(answer, 9000411, "invalid_request")


async def test_a_body_that_is_no_form(client: httpx.AsyncClient, app: App) -> None:
    path = f"/{TENANT}/oauth2/v2.0/token"
    check_refusal(await client.post(path, json=FIELDS), 900144, "invalid_request")
    check_refusal(await client.post(path), 900144, "invalid_request")
    check_refusal(await client.post(path, content=b"client_id=\xff", headers=FORM), 90013, "invalid_request")
    check_refusal(await client.post(path, content=b"client_id=%ff", headers=FORM), 90013, "invalid_request")
    check_refusal(await client.post(path, content=b"a=1&" * 101, headers=FORM), 90013, "invalid_request")


async def test_a_body_that_is_too_long(client: httpx.AsyncClient, app: App) -> None:
    await ask(client, FIELDS | {"filling": "x" * 60_000})
    await refuse(client, FIELDS | {"filling": "x" * 65_536}, 90013, "invalid_request", 413)


async def test_only_post(client: httpx.AsyncClient, app: App) -> None:
    assert (await client.get(f"/{TENANT}/oauth2/v2.0/token", params=FIELDS)).status_code == 405


async def test_secrets_stay_out_of_the_log(
    client: httpx.AsyncClient, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(client, FIELDS)
    await refuse(client, FIELDS | {"client_secret": "nearly the secret"}, 7000215, "invalid_client", 401)
    await refuse(client, FIELDS | {"scope": "a-secret-in-the-wrong-field"}, 1002012, "invalid_scope")
    written = "".join(capsys.readouterr())
    assert "7000215" in written
    assert "secret" not in written
