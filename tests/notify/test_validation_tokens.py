"""validationTokens, checked as a receiver does: by the keys that are served, and claim by claim."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from tests.conftest import Desk

from presenced.emulator import sample
from presenced.notify import validation_tokens
from presenced.notify.validation_tokens import ValidationTokens

APP = sample.SERVICE_APP
TENANT = sample.TENANT
OTHER_TENANT = "11111111-2222-4333-8444-555555555555"
CHANGE_TRACKING = "0bf30f3b-4a52-48df-9a82-234910c4a086"
LIFE = 86_700


@pytest.fixture
async def receiver(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app), base_url="https://localhost:8443") as client:
        yield client


@pytest.fixture
def tokens(desk: Desk) -> ValidationTokens:
    return ValidationTokens(desk.app.identity.issuer, desk.clock)


async def check(receiver: httpx.AsyncClient, token: str, document: str = "/common") -> jwt.Token:
    """Signature and key, through the document and the keys it names."""
    configuration = (await receiver.get(f"{document}/.well-known/openid-configuration")).json()
    keys = (await receiver.get(configuration["jwks_uri"])).json()
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"])
    assert decoded.header["kid"] in {key["kid"] for key in keys["keys"]}
    return decoded


async def claims(receiver: httpx.AsyncClient, token: str) -> dict[str, Any]:
    return (await check(receiver, token)).claims


@pytest.mark.parametrize("document", ["/common", "/common/v2.0", f"/{TENANT}", f"/{TENANT}/v2.0"])
async def test_the_served_keys_verify_it(
    desk: Desk, receiver: httpx.AsyncClient, tokens: ValidationTokens, document: str
) -> None:
    decoded = await check(receiver, tokens.token(TENANT, APP), document)
    assert decoded.header == {"typ": "JWT", "alg": "RS256", "kid": desk.app.identity.keys.current.kid}


async def test_claims(desk: Desk, receiver: httpx.AsyncClient, tokens: ValidationTokens) -> None:
    found = await claims(receiver, tokens.token(TENANT, APP))
    start = int(desk.clock.now()) - 300
    assert found.pop("uti")
    principal = found.pop("oid")
    assert found.pop("sub") == principal
    assert found == {
        "aud": APP,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "idp": f"https://sts.windows.net/{TENANT}/",
        "appid": CHANGE_TRACKING,
        "appidacr": "2",
        "azp": CHANGE_TRACKING,
        "azpacr": "2",
        "tid": TENANT,
        "ver": "1.0",
        "iat": start,
        "nbf": start,
        "exp": start + LIFE,
    }
    other = await claims(receiver, tokens.token(TENANT, sample.SIGN_IN_APP))
    assert other["oid"] == principal
    assert (await claims(receiver, tokens.token(OTHER_TENANT, APP)))["oid"] != principal


@pytest.mark.parametrize(
    ("issuer_format", "base_url", "issuer", "version"),
    [
        ("https://sts.windows.net/{tid}/", None, f"https://sts.windows.net/{TENANT}/", "1.0"),
        ("{base}/{tid}/v2.0", "https://p.example", f"https://p.example/{TENANT}/v2.0", "2.0"),
        ("{base}/{tid}/", "https://p.example/", f"https://p.example/{TENANT}/", "1.0"),
        (
            "https://login.microsoftonline.com/{tid}/v2.0",
            "https://p.example",
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "2.0",
        ),
    ],
)
async def test_forms_of_the_issuer(
    desk: Desk, receiver: httpx.AsyncClient, issuer_format: str, base_url: str | None, issuer: str, version: str
) -> None:
    tokens = ValidationTokens(desk.app.identity.issuer, desk.clock, issuer_format, base_url)
    found = await claims(receiver, tokens.token(TENANT, APP))
    assert (found["iss"], found["ver"]) == (issuer, version)


@pytest.mark.parametrize(
    ("issuer_format", "message"),
    [
        ("https://sts.windows.net/", "must have {tid}"),
        ("", "must have {tid}"),
        ("https://sts.windows.net/{0}/", "must have {tid}"),
        ("https://x.example/{tenantid}/{tid}", "must have {tid}"),
        ("https://x.example/{tid}}", "must have {tid}"),
        ("{base}/{tid}/v2.0", "public URL"),
    ],
)
def test_forms_that_do_not_fit(desk: Desk, issuer_format: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ValidationTokens(desk.app.identity.issuer, desk.clock, issuer_format)


def test_one_for_each_tenant_and_app(tokens: ValidationTokens) -> None:
    pairs = [(TENANT, APP), (OTHER_TENANT, APP), (TENANT, APP), (TENANT, sample.SIGN_IN_APP), (OTHER_TENANT, APP)]
    made = tokens.all(pairs)
    assert made == [tokens.token(*pair) for pair in (pairs[0], pairs[1], pairs[3])]
    assert len(set(made)) == 3
    assert tokens.all([]) == []


def test_a_token_is_used_again_for_half_its_life(desk: Desk, tokens: ValidationTokens) -> None:
    first = tokens.token(TENANT, APP)
    desk.clock.advance(LIFE / 2 - 1)
    assert tokens.token(TENANT, APP) == first
    desk.clock.advance(1)
    second = tokens.token(TENANT, APP)
    assert second != first
    assert tokens.token(TENANT, APP) == second


async def test_a_clock_set_back(desk: Desk, receiver: httpx.AsyncClient, tokens: ValidationTokens) -> None:
    first = tokens.token(TENANT, APP)
    desk.clock.advance(-3600)
    second = tokens.token(TENANT, APP)
    assert second != first
    assert (await claims(receiver, second))["nbf"] <= desk.clock.now()


@pytest.mark.parametrize("revoke", [False, True])
async def test_a_new_key(desk: Desk, receiver: httpx.AsyncClient, tokens: ValidationTokens, revoke: bool) -> None:
    first = tokens.token(TENANT, APP)
    desk.app.identity.keys.rotate(revoke=revoke)
    second = tokens.token(TENANT, APP)
    assert (await check(receiver, second)).header["kid"] == desk.app.identity.keys.current.kid
    if revoke:
        with pytest.raises(InvalidKeyIdError):
            await check(receiver, first)
    else:
        await check(receiver, first)  # one on its way still verifies


def test_how_many_are_kept(tokens: ValidationTokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation_tokens, "MOST_KEPT", 3)
    first = [tokens.token(TENANT, f"app {number}") for number in range(3)]
    assert tokens.token(TENANT, "app 0") == first[0]
    tokens.token(TENANT, "app 3")
    assert tokens.token(TENANT, "app 0") == first[0], "used lately"
    assert tokens.token(TENANT, "app 1") != first[1], "the one that made room"


async def test_it_opens_nothing_here(desk: Desk, tokens: ValidationTokens) -> None:
    client = desk.bare({"Authorization": f"Bearer {tokens.token(TENANT, APP)}"})
    assert (await client.get("/me")).status_code == 401
