"""An app that proves itself with a certificate, as MSAL does it, and what is not taken for that."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from starlette.applications import Starlette

from presenced.identity.apps import App
from presenced.identity.base_urls import BaseUrls
from presenced.identity.client_authentication import ASSERTION_TYPE
from presenced.identity.endpoints import identity_routes
from presenced.identity.identity import Identity

from .endpoint import DEFAULT, ask, claims, refuse
from .forger import APP, BASE, START, TENANT, Certificate, b64, sign

TOKEN_ENDPOINT = f"{BASE}/{TENANT}/oauth2/v2.0/token"

Fields = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture(autouse=True)
async def _app(identity: Identity, certificate: Certificate) -> App:
    app, _ = await identity.apps.add(
        TENANT,
        "An app",
        application=["Presence.Read.All"],
        app_id=APP,
        certificates=[Certificate().der, certificate.der],
    )
    return app


@pytest.fixture
def fields(certificate: Certificate) -> Fields:
    """A token request with an assertion as MSAL makes it, but for the given changes to its header and claims."""

    def fields(
        header: dict[str, Any] | None = None, signer: Certificate = certificate, **changes: Any
    ) -> dict[str, str]:
        protected = {"typ": "JWT", "alg": "RS256", "x5t": certificate.x5t} | (header or {})
        now = int(START)
        said = {"aud": TOKEN_ENDPOINT, "iss": APP, "sub": APP, "exp": now + 600, "nbf": now, "iat": now, "jti": "1"}
        said = {name: value for name, value in (said | changes).items() if value is not ...}
        return request(sign(json.dumps(protected), json.dumps(said), signer.key))

    return fields


def request(assertion: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": APP,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": DEFAULT,
    }


async def refused(client: httpx.AsyncClient, fields: dict[str, str], because: str, **options: Any) -> None:
    body = await refuse(client, fields, 700027, "invalid_client", 401, **options)
    assert because in body["error_description"]


async def test_an_app_with_its_certificate(client: httpx.AsyncClient, fields: Fields) -> None:
    answer = await ask(client, fields())
    assert claims(answer["access_token"])["appidacr"] == "2"
    await ask(client, fields())  # MSAL sends the same assertion for its whole life


async def test_named_by_sha256(client: httpx.AsyncClient, fields: Fields, certificate: Certificate) -> None:
    thumbprint = b64(hashlib.sha256(certificate.der).digest())
    await ask(client, fields(header={"x5t": "", "x5t#S256": thumbprint}))
    await ask(client, fields(header={"x5t": thumbprint}))


async def test_named_in_base64(client: httpx.AsyncClient, fields: Fields, identity: Identity) -> None:
    """As MSAL for Go does: the alphabet differs from base64url's in two letters."""
    plain = url_safe = ""
    while not {"+", "/"} & set(plain):
        certificate = Certificate()
        plain = base64.b64encode(hashlib.sha256(certificate.der).digest()).decode()
        url_safe = b64(hashlib.sha256(certificate.der).digest())
    await identity.apps.add(TENANT, "An app", app_id=APP, certificates=[certificate.der])
    for name in (plain, plain.rstrip("="), url_safe):
        await ask(client, fields(header={"x5t": "", "x5t#S256": name}, signer=certificate))


async def test_ps256(client: httpx.AsyncClient, certificate: Certificate) -> None:
    said = {"aud": TOKEN_ENDPOINT, "iss": APP, "sub": APP, "exp": int(START) + 600}
    header = {"alg": "PS256", "x5t#S256": b64(hashlib.sha256(certificate.der).digest())}
    registry = jws.JWSRegistry(algorithms=["PS256"], strict_check_header=False)
    key = RSAKey.import_key(certificate.key)
    await ask(client, request(jws.serialize_compact(header, json.dumps(said), key, registry=registry)))


@pytest.mark.parametrize("audience", [f"{BASE}/{TENANT}/v2.0", TOKEN_ENDPOINT])
async def test_audiences(client: httpx.AsyncClient, fields: Fields, audience: str) -> None:
    await ask(client, fields(aud=audience))


async def test_the_tenant_in_the_audience_may_be_spelled_as_asked(client: httpx.AsyncClient, fields: Fields) -> None:
    await ask(client, fields(aud=f"{BASE}/organizations/oauth2/v2.0/token"), tenant="organizations")
    await refused(client, fields(aud=f"{BASE}/organizations/oauth2/v2.0/token"), "audience")


@pytest.mark.parametrize(
    "audience",
    [
        f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
        f"https://localhost:9443/{TENANT}/oauth2/v2.0/token",
        f"http://localhost:8443/{TENANT}/oauth2/v2.0/token",
        TOKEN_ENDPOINT + "/",
        BASE,
        "https://graph.microsoft.com",
        "",
        None,
        [TOKEN_ENDPOINT],
        ...,
    ],
)
async def test_another_audience(client: httpx.AsyncClient, fields: Fields, audience: Any) -> None:
    await refused(client, fields(aud=audience), "audience")


async def test_an_assertion_for_another_server_under_its_name(client: httpx.AsyncClient, fields: Fields) -> None:
    """Whoever got it there sends it on with a Host header to match."""
    elsewhere = fields(aud=f"https://presence.example/{TENANT}/oauth2/v2.0/token")
    await refused(client, elsewhere, "audience", headers={"Host": "presence.example"})


async def test_the_public_url(identity: Identity, fields: Fields) -> None:
    public = dataclasses.replace(identity, base_urls=BaseUrls("https://Presence.example:443/"))
    transport = httpx.ASGITransport(Starlette(routes=identity_routes(public)))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080") as client:
        await ask(client, fields(aud=f"https://presence.example/{TENANT}/oauth2/v2.0/token"))
        await ask(client, fields(aud=f"http://10.0.0.7:8080/{TENANT}/oauth2/v2.0/token"))  # the socket's own address
        await refused(client, fields(), "audience")


async def test_another_s_certificate(client: httpx.AsyncClient, fields: Fields) -> None:
    stranger = Certificate()
    await refused(client, fields(signer=stranger), "signature")
    own = stranger.x5t
    await refused(client, fields(header={"x5t": own}, signer=stranger), "certificate")
    await refused(client, fields(header={"x5t": own, "x5c": ["MIIB"]}, signer=stranger), "certificate")


@pytest.mark.parametrize("header", [{"x5t": ""}, {"x5t": None}, {"x5t": ["x"]}, {"x5t#S256": {}}, {"x5t": "x"}])
async def test_a_certificate_not_named(client: httpx.AsyncClient, fields: Fields, header: dict[str, Any]) -> None:
    await refused(client, fields(header=header), "x5t")


@pytest.mark.parametrize("alg", ["none", "HS256", "RS384", "ES256", None])
async def test_other_algorithms(client: httpx.AsyncClient, fields: Fields, alg: Any) -> None:
    await refused(client, fields(header={"alg": alg}), "signature")


@pytest.mark.parametrize("times", [{"exp": START}, {"exp": START - 1}, {"exp": ...}])
async def test_expired(client: httpx.AsyncClient, fields: Fields, times: dict[str, Any]) -> None:
    await refused(client, fields(**times), "expired")


async def test_other_times(client: httpx.AsyncClient, fields: Fields) -> None:
    await ask(client, fields(exp=START + 86400))
    await refused(client, fields(exp=START + 86401), "24 hours")
    await refused(client, fields(nbf=START + 1), "not yet valid")
    await refused(client, fields(exp="soon"), "well formed")
    await ask(client, fields(nbf=...))


@pytest.mark.parametrize(("valid_from", "valid_until"), [(START - 10, START - 1), (START + 1, START + 10)])
async def test_a_certificate_out_of_its_time(
    client: httpx.AsyncClient, fields: Fields, identity: Identity, valid_from: float, valid_until: float
) -> None:
    old = Certificate(valid_from, valid_until)
    await identity.apps.add(TENANT, "An app", app_id=APP, certificates=[old.der])
    own = old.x5t
    await refused(client, fields(header={"x5t": own}, signer=old), "certificate is expired")


@pytest.mark.parametrize("claim", ["iss", "sub"])
@pytest.mark.parametrize("value", [TENANT, "", None, ..., [APP]])
async def test_for_another_app(client: httpx.AsyncClient, fields: Fields, claim: str, value: Any) -> None:
    await refused(client, fields(**{claim: value}), "client_id")


async def test_one_app_s_certificate_is_not_another_s(
    client: httpx.AsyncClient, fields: Fields, identity: Identity
) -> None:
    other, _ = await identity.apps.add(TENANT, "Other", certificates=[Certificate().der])
    assertion = fields(iss=other.id, sub=other.id) | {"client_id": other.id}
    await refused(client, assertion, "certificate")


async def test_no_assertion(client: httpx.AsyncClient, fields: Fields) -> None:
    for text in ("", "x", "a.b.c", "\ud7ff.a.b"):
        await refused(client, fields() | {"client_assertion": text}, "well formed")
    await refused(client, fields() | {"client_assertion_type": "saml"}, "client_assertion_type")
    without = {name: value for name, value in fields().items() if name != "client_assertion"}
    await refuse(client, without, 7000218, "invalid_client", 401)
