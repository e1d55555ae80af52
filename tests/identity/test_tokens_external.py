"""Tokens of an external OpenID provider: a real one on loopback, with discovery and keys."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from joserfc.jwk import RSAKey

from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.external import ExternalIssuer, IssuerUnavailable
from presenced.identity.identity import Identity
from presenced.identity.tokens import Verifier

from .callers import timeless
from .forger import ADELE, START, TENANT, Forger, SetClock, b64
from .provider import AUDIENCE, Provider

KNOWN = ("Presence.Read", "Presence.Read.All", "Presence.ReadWrite", "Presence.ReadWrite.All")
OTHER_TENANT = "99999999-2222-4333-8444-555555555555"

Configure = Callable[..., Verifier]


@pytest.fixture
async def configure(provider: Provider, identity: Identity, clock: SetClock) -> AsyncIterator[Configure]:
    verifiers = []

    def configure(*others: ExternalIssuer, **changes: Any) -> Verifier:
        settings = {"issuer": provider.issuer, "audience": AUDIENCE, "tenant": TENANT} | changes
        issuers = [ExternalIssuer(**settings), *others]
        verifiers.append(Verifier(clock, identity.keys, identity.tenants, issuers, KNOWN))
        return verifiers[-1]

    yield configure
    for verifier in verifiers:
        await verifier.close()


async def refused(verifier: Verifier, token: str, because: str) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        await verifier.verify(token)
    assert because in str(refusal.value), refusal.value


async def test_a_person_s_token(provider: Provider, configure: Configure) -> None:
    expected = Caller(TENANT, "some-client", ADELE, frozenset({"Presence.Read"}))
    verifier = configure()
    token = provider.token()
    caller = await verifier.verify(token)
    assert timeless(caller) == expected
    assert verifier.cached(token) == caller
    assert provider.asked == {"discovery": 1, "keys": 1}


async def test_keys_without_discovery(provider: Provider, configure: Configure) -> None:
    assert await configure(jwks_uri=f"{provider.issuer}/keys").verify(provider.token())
    assert provider.asked == {"keys": 1}


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_rsa_algorithms(provider: Provider, configure: Configure, alg: str) -> None:
    assert await configure().verify(provider.token(alg=alg))


@pytest.mark.parametrize(("alg", "curve"), [("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521")])
async def test_elliptic_curves(provider: Provider, configure: Configure, alg: str, curve: str) -> None:
    provider.add("curve", curve)
    assert await configure().verify(provider.token(kid="curve", alg=alg))


async def test_a_key_of_another_kind_than_the_algorithm(provider: Provider, configure: Configure) -> None:
    provider.add("curve", "P-256")
    verifier = configure()
    for alg, kid in (("ES256", "first"), ("RS256", "curve"), ("ES384", "curve")):
        other = provider.token(kid="curve", alg="ES256", typ="x") if kid == "curve" else provider.token()
        _, body, signature = other.split(".")
        head = b64(f'{{"alg":"{alg}","kid":"{kid}"}}'.encode())
        await refused(verifier, f"{head}.{body}.{signature}", "Invalid signature")


@pytest.mark.parametrize("alg", ["HS256", "none", "EdDSA", "ES256K"])
async def test_other_algorithms_do_not_even_cause_a_fetch(provider: Provider, configure: Configure, alg: str) -> None:
    head = b64(f'{{"alg":"{alg}","kid":"first"}}'.encode())
    _, body, signature = provider.token().split(".")
    await refused(configure(), f"{head}.{body}.{signature}", "Invalid signature")
    assert not provider.asked


async def test_a_key_with_its_own_algorithm(provider: Provider, configure: Configure) -> None:
    provider.extra_keys = [provider.keys["first"].as_dict(private=False) | {"alg": "PS256"}]
    await refused(configure(), provider.token(), "Invalid signature")


async def test_a_symmetric_key_is_ignored(provider: Provider, configure: Configure) -> None:
    provider.extra_keys = [{"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]
    provider.keys["shared"] = provider.keys["first"]
    token = provider.token(kid="shared")
    del provider.keys["shared"]
    await refused(configure(), token, "Unknown signing key")


@pytest.mark.parametrize(
    "strange",
    [
        {"kty": "RSA", "kid": "strange", "n": "AQAB", "e": "AQAB"},  # too short
        {"kty": "RSA", "kid": "strange", "n": "", "e": ""},
        {"kty": "RSA", "kid": "strange", "n": 1, "e": None},
        {"kty": "RSA", "kid": ["strange"], "n": "x", "e": "AQAB"},
        {"kty": "EC", "kid": "strange", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "kid": "strange", "crv": {}, "x": [], "y": 0},
        {"kty": "AKP", "kid": "strange", "alg": "ML-DSA-44", "pub": "AAAA"},
        {"kty": ["RSA"], "kid": "strange"},
        {"kid": "strange"},
        {},
        [],
        None,
        "RSA",
    ],
)
async def test_strange_keys_leave_the_good_ones(provider: Provider, configure: Configure, strange: Any) -> None:
    provider.extra_keys = [strange]
    assert await configure().verify(provider.token())


@pytest.mark.filterwarnings("ignore:Key size should be")
async def test_a_short_rsa_key_does_not_verify(provider: Provider, configure: Configure) -> None:
    provider.keys["short"] = RSAKey.generate_key(1024, {"kid": "short"})
    await refused(configure(), provider.token(kid="short"), "Unknown signing key")


async def test_an_encryption_key_does_not_verify(provider: Provider, configure: Configure) -> None:
    provider.extra_keys = [provider.keys["first"].as_dict(private=False) | {"use": "enc", "kid": "enc"}]
    provider.keys["enc"] = provider.keys["first"]
    token = provider.token(kid="enc")
    del provider.keys["enc"]
    await refused(configure(), token, "Unknown signing key")


async def test_only_the_first_100_keys(provider: Provider, configure: Configure) -> None:
    provider.extra_keys = [{"kty": "oct"}] * 99
    assert await configure().verify(provider.token())
    provider.extra_keys = [{"kty": "oct"}] * 100
    with pytest.raises(IssuerUnavailable):
        await configure().verify(provider.token())


async def test_another_issuer(provider: Provider, configure: Configure) -> None:
    for issuer in (f"{provider.issuer}/", provider.issuer.upper(), "https://issuer.example", None):
        await refused(configure(), provider.token(provider.claims(iss=issuer)), "Invalid issuer")


async def test_a_key_of_another_issuer(
    provider: Provider, configure: Configure, identity: Identity, forger: Forger
) -> None:
    verifier = configure()
    # signed by this server, in the name of the provider; and the other way round
    await refused(verifier, forger.token(provider.claims()), "Unknown signing key")
    await refused(verifier, provider.token(forger.claims()), "Unknown signing key")
    other = Provider()
    await other.start()
    try:
        both = configure(ExternalIssuer(other.issuer, AUDIENCE, TENANT))
        await refused(both, other.token(provider.claims()), "Invalid signature")  # the same kid, another key
        other.keys = {"second": other.keys["first"]}
        await refused(both, other.token(provider.claims(), kid="second"), "Unknown signing key")
    finally:
        await other.stop()


async def test_audiences(provider: Provider, configure: Configure) -> None:
    verifier = configure(audience=["api://one", "api://two"])
    assert await verifier.verify(provider.token(provider.claims(aud="api://two")))
    assert await verifier.verify(provider.token(provider.claims(aud=["account", "api://one"])))
    for audience in ("api://three", "api://one ", "api:", [], [["api://one"]], {"api://one": 1}, None, 1):
        await refused(verifier, provider.token(provider.claims(aud=audience)), "Invalid audience")


async def test_60_seconds_of_leeway(provider: Provider, configure: Configure, clock: SetClock) -> None:
    verifier = configure()
    token = provider.token(provider.claims(nbf=START + 60))
    assert await verifier.verify(token)
    await refused(verifier, provider.token(provider.claims(nbf=START + 61)), "not yet valid")
    clock.instant = START + 659
    assert await verifier.verify(provider.token())
    clock.instant = START + 660
    assert verifier.cached(token) is None
    await refused(verifier, token, "the token is expired")


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "azp", "sub", "scp"])
async def test_a_missing_claim(provider: Provider, configure: Configure, claim: str) -> None:
    with pytest.raises(NotAuthenticated):
        await configure().verify(provider.token(provider.claims(claim)))


async def test_the_tenant_is_the_configured_one(provider: Provider, configure: Configure) -> None:
    verifier = configure()
    assert await verifier.verify(provider.token(provider.claims(tid=TENANT.upper())))
    for tenant in (OTHER_TENANT, "", None, "x"):
        await refused(verifier, provider.token(provider.claims(tid=tenant)), "Invalid tenant")


async def test_the_tenant_of_the_token(provider: Provider, configure: Configure) -> None:
    verifier = configure(tenant=None)
    assert (await verifier.verify(provider.token(provider.claims(tid=OTHER_TENANT)))).tenant == OTHER_TENANT
    await refused(verifier, provider.token(), "which tenant")
    personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
    await refused(verifier, provider.token(provider.claims(tid=personal.upper())), "Invalid tenant")


async def test_a_user_who_is_no_guid(provider: Provider, configure: Configure) -> None:
    verifier = configure()
    for user in ({"sub": "alice"}, {"oid": "alice"}, {"oid": None}, {"oid": [ADELE]}):
        await refused(verifier, provider.token(provider.claims(**user)), "not a GUID")
    oid = "cccccccc-2222-4333-8444-555555555555"
    assert (await verifier.verify(provider.token(provider.claims(oid=oid.upper())))).user == oid


@pytest.mark.parametrize("claim", ["azp", "appid", "client_id"])
async def test_the_app(provider: Provider, configure: Configure, claim: str) -> None:
    app = "AAAAAAAA-2222-4333-8444-555555555555"
    token = provider.token(provider.claims("azp", **{claim: app}) | {claim: app})
    assert (await configure().verify(token)).app == app.lower()


@pytest.mark.parametrize("app", ["", " \n", "a\x00b", "\ud800", 1, None, ["x"]])
async def test_an_app_without_a_printable_name(provider: Provider, configure: Configure, app: Any) -> None:
    await refused(configure(), provider.token(provider.claims(azp=app)), "which application")


async def test_an_entra_app_s_roles(provider: Provider, configure: Configure) -> None:
    token = provider.token(provider.claims("scp", roles=["Presence.Read.All"]))
    assert timeless(await configure().verify(token)) == Caller(
        TENANT, "some-client", None, frozenset({"Presence.Read.All"})
    )


async def test_a_keycloak_app_s_roles(provider: Provider, configure: Configure) -> None:
    """Keycloak's service accounts have a scope too, of words that are no permissions."""
    claims = provider.claims("scp", scope="email profile", realm_access={"roles": ["Presence.Read.All", "offline"]})
    caller = await configure(roles_claim="realm_access.roles").verify(provider.token(claims))
    assert timeless(caller) == Caller(TENANT, "some-client", None, frozenset({"Presence.Read.All", "offline"}))
    await refused(configure(), provider.token(claims), "Either scp or roles")
    await refused(configure(roles_claim="realm_access.x.y"), provider.token(claims), "Either scp or roles")


async def test_a_keycloak_person_s_scope(provider: Provider, configure: Configure) -> None:
    claims = provider.claims("scp", scope="email Presence.Read", realm_access={"roles": ["Presence.ReadWrite.All"]})
    caller = await configure(roles_claim="realm_access.roles").verify(provider.token(claims))
    assert caller.user == ADELE
    assert "Presence.ReadWrite.All" not in caller.permissions


@pytest.mark.parametrize("claims", [{"scp": 1}, {"scp": None}, {"scp": [1]}, {"roles": 1}, {"scope": {}}])
async def test_permissions_of_another_kind(provider: Provider, configure: Configure, claims: dict[str, Any]) -> None:
    await refused(configure(), provider.token(provider.claims("scp") | claims), "permissions in the token")


async def test_scp_as_a_list(provider: Provider, configure: Configure) -> None:
    caller = await configure().verify(provider.token(provider.claims(scp=["Presence.Read"])))
    assert caller.permissions == {"Presence.Read"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://issuer.example"},
        {"issuer": "issuer.example"},
        {"issuer": "ftp://localhost"},
        {"issuer": "https://"},
        {"issuer": "https://[::1"},
        {"jwks_uri": "http://issuer.example/keys"},
        {"tenant": "contoso"},
        {"roles": "x"},
    ],
)
def test_wrong_configuration(wrong: dict[str, Any]) -> None:
    settings = {"issuer": "https://issuer.example", "audience": "api://x", "tenant": TENANT}
    assert msgspec.convert(settings, ExternalIssuer)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings | wrong, ExternalIssuer)
