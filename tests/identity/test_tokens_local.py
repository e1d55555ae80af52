"""Tokens of this server's own issuer: every known attack on a JWT, one by one, and what an honest token says."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.jwk import RSAKey

from presenced.identity.apps import App
from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.identity import Identity
from presenced.identity.keys import LONGEST_LIFETIME
from presenced.identity.tokens import REMEMBERED
from presenced.presence.record import Profile

from .callers import timeless
from .forger import ADELE, ADELE_NAME, START, TENANT, Forger, SetClock, b64

OTHER_TENANT = "99999999-2222-4333-8444-555555555555"
MALFORMED = "IDX14100: JWT is not well formed"
INVALID = "Access token validation failure. Invalid"


async def refused(identity: Identity, token: str, because: str) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        await identity.verifier.verify(token)
    assert str(refusal.value).startswith(because), refusal.value
    assert identity.verifier.cached(token) is None


async def test_an_app_s_token_speaks_for_the_app(identity: Identity, app: App) -> None:
    token, lifetime = identity.issuer.mint_access_token(app, TENANT, None, app.application_permissions)
    assert lifetime == 3600
    expected = Caller(TENANT, app.id, None, frozenset({"Presence.Read.All", "Presence.ReadWrite.All"}))
    caller = await identity.verifier.verify(token)
    assert timeless(caller) == expected
    assert identity.verifier.cached(token) == caller


async def test_a_person_s_token_speaks_for_the_person(identity: Identity, app: App) -> None:
    user = (ADELE, Profile(ADELE_NAME, "Adele Vance"))
    token, _ = identity.issuer.mint_access_token(app, TENANT, user, ["Presence.Read"])
    assert timeless(await identity.verifier.verify(token)) == Caller(
        TENANT, app.id, ADELE, frozenset({"Presence.Read"})
    )


async def test_the_forger_s_own_token_is_good(identity: Identity, forger: Forger) -> None:
    """Else the tests below would prove nothing."""
    expected = Caller(TENANT, forger.app.id, None, frozenset({"Presence.Read.All"}))
    assert timeless(await identity.verifier.verify(forger.token())) == expected


async def test_a_person_s_app_roles_are_not_application_permissions(identity: Identity, forger: Forger) -> None:
    token = forger.token(forger.claims(scp="Presence.Read", roles=["Presence.ReadWrite.All"], oid=ADELE.upper()))
    assert timeless(await identity.verifier.verify(token)) == Caller(
        TENANT, forger.app.id, ADELE, frozenset({"Presence.Read"})
    )


@pytest.mark.parametrize("empty", ["", " "])
async def test_no_token(identity: Identity, empty: str) -> None:
    await refused(identity, empty, "Access token is empty.")


@pytest.mark.parametrize("text", ["x", "..", "a.b.c", "....", "e30.e30.e30", "\ud800.a.b", "é.é.é", "[" * 9000])
async def test_what_is_no_token(identity: Identity, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        await identity.verifier.verify(text)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 0, ["RS256"], ["none"], {}])
async def test_algorithm_none(identity: Identity, forger: Forger, alg: Any) -> None:
    header = forger.header(alg=alg)
    head, body = b64(json.dumps(header).encode()), b64(json.dumps(forger.claims()).encode())
    await refused(identity, f"{head}.{body}.", INVALID)
    await refused(identity, forger.token(header=header), INVALID)


async def test_no_algorithm(identity: Identity, forger: Forger) -> None:
    await refused(identity, forger.token(header={"typ": "JWT", "kid": forger.signing.kid}), INVALID)


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "der", "jwk", "n"])
async def test_the_public_key_as_a_shared_secret(identity: Identity, forger: Forger, alg: str, form: str) -> None:
    public = forger.signing.key.public_key
    jwk = identity.keys.public_jwks()["keys"][0]
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = {
        "pem": public.public_bytes(serialization.Encoding.PEM, spki),
        "der": public.public_bytes(serialization.Encoding.DER, spki),
        "jwk": json.dumps(jwk).encode(),
        "n": jwk["n"].encode(),
    }[form]
    signed = f"{b64(json.dumps(forger.header(alg=alg)).encode())}.{b64(json.dumps(forger.claims()).encode())}"
    digest = getattr(hashlib, alg.replace("HS", "sha"))
    await refused(identity, f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}", INVALID)


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256"])
async def test_another_algorithm(identity: Identity, forger: Forger, alg: str) -> None:
    await refused(identity, forger.token(header=forger.header(alg=alg)), INVALID)


async def test_ps256_with_the_right_key(identity: Identity, forger: Forger) -> None:
    assert forger.signing.key.private_key is not None
    key = RSAKey.import_key(forger.signing.key.private_key)
    token = jws.serialize_compact(forger.header(alg="PS256"), json.dumps(forger.claims()), key, algorithms=["PS256"])
    await refused(identity, token, INVALID)


@pytest.mark.parametrize(
    "issuer",
    [
        None,
        "",
        0,
        "urn:presenced:",
        f"urn:presenced:{OTHER_TENANT}",
        f"urn:presenced:{TENANT.upper()}x",
        f"urn:presenced:{TENANT}/",
        f" urn:presenced:{TENANT}",
        f"https://sts.windows.net/{TENANT}/",
        [f"urn:presenced:{TENANT}"],
    ],
)
async def test_wrong_issuer(identity: Identity, forger: Forger, issuer: Any) -> None:
    await refused(identity, forger.token(forger.claims(iss=issuer)), INVALID)


@pytest.mark.parametrize(
    "audience",
    [
        None,
        "",
        "https://graph.microsoft.com/",
        "HTTPS://graph.microsoft.com",
        "00000002-0000-0000-c000-000000000000",
        ["https://graph.microsoft.com"],
        {"https://graph.microsoft.com": 1},
    ],
)
async def test_wrong_audience(identity: Identity, forger: Forger, audience: Any) -> None:
    await refused(identity, forger.token(forger.claims(aud=audience)), f"{INVALID} audience.")


@pytest.mark.parametrize("tenant", [OTHER_TENANT, TENANT.upper()[:-1] + "A", "", None, [TENANT]])
async def test_wrong_tenant(identity: Identity, forger: Forger, tenant: Any) -> None:
    await refused(identity, forger.token(forger.claims(tid=tenant)), f"{INVALID} tenant.")


async def test_a_tenant_that_is_not_known_here(identity: Identity, forger: Forger) -> None:
    claims = forger.claims(tid=OTHER_TENANT, iss=f"urn:presenced:{OTHER_TENANT}")
    await refused(identity, forger.token(claims), f"{INVALID} tenant.")
    await identity.tenants.add(OTHER_TENANT)
    assert (await identity.verifier.verify(forger.token(claims))).tenant == OTHER_TENANT


async def test_the_tenant_of_personal_accounts(identity: Identity, forger: Forger) -> None:
    personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
    await refused(
        identity, forger.token(forger.claims(tid=personal, iss=f"urn:presenced:{personal}")), f"{INVALID} tenant."
    )


async def test_expired_to_the_second(identity: Identity, forger: Forger, clock: SetClock) -> None:
    token = forger.token()
    clock.instant = START + 3599.9
    assert await identity.verifier.verify(token)
    clock.instant = START + 3600
    await refused(identity, token, "Lifetime validation failed, the token is expired.")
    await refused(identity, forger.token(), "Lifetime validation failed, the token is expired.")


async def test_not_yet_valid(identity: Identity, forger: Forger, clock: SetClock) -> None:
    token = forger.token(forger.claims(nbf=START + 60))
    await refused(identity, token, "Access token has expired or is not yet valid.")
    clock.instant = START + 60
    assert await identity.verifier.verify(token)
    clock.instant = START + 59  # a clock that was set back
    assert identity.verifier.cached(token) is None


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "tid", "appid", "oid", "roles"])
async def test_a_missing_claim(identity: Identity, forger: Forger, claim: str) -> None:
    with pytest.raises(NotAuthenticated):
        await identity.verifier.verify(forger.token(forger.claims(claim)))


async def test_neither_scp_nor_roles(identity: Identity, app: App) -> None:
    token, _ = identity.issuer.mint_access_token(app, TENANT, None, [])
    await refused(identity, token, "Either scp or roles claim need to be present in the token.")


@pytest.mark.parametrize("claims", [{"roles": "Presence.Read.All"}, {"roles": [1]}, {"roles": {}}, {"scp": ["x"]}])
async def test_permissions_of_another_kind(identity: Identity, forger: Forger, claims: dict[str, Any]) -> None:
    await refused(identity, forger.token(forger.claims(**claims)), "Either scp or roles")


@pytest.mark.parametrize("claim", ["appid", "oid"])
@pytest.mark.parametrize("value", ["", "me", 1, None, [], f"{ADELE}\n", f"{{{ADELE}}}"])
async def test_an_id_that_is_no_guid(identity: Identity, forger: Forger, claim: str, value: Any) -> None:
    await refused(identity, forger.token(forger.claims(**{claim: value})), f"{INVALID.removesuffix(' Invalid')} A req")


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1800003600", True, None, [1800003600], {}, -1, 1e300, 10**400, float("inf")])
async def test_an_instant_of_another_kind(identity: Identity, forger: Forger, claim: str, value: Any) -> None:
    await refused(identity, forger.token(forger.claims(**{claim: value})), MALFORMED)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "9" * 5000])
async def test_an_instant_that_is_no_number(identity: Identity, forger: Forger, value: str) -> None:
    claims = json.dumps(forger.claims(exp=1)).replace('"exp": 1', f'"exp": {value}')
    await refused(identity, forger.raw(json.dumps(forger.header()), claims), MALFORMED)


async def test_what_is_no_json_anywhere(identity: Identity, forger: Forger) -> None:
    for constant in ("NaN", "Infinity", "-Infinity"):
        claims = json.dumps(forger.claims())[:-1] + f', "x": {constant}}}'
        await refused(identity, forger.raw(json.dumps(forger.header()), claims), MALFORMED)


@pytest.mark.parametrize("kid", ["another", "", None, 0, ["x"], "../../etc/passwd", "' or 1=1"])
async def test_unknown_key(identity: Identity, forger: Forger, kid: Any) -> None:
    header = forger.header(kid=kid)
    await refused(identity, forger.token(header=header), "Access token validation failure. Unknown signing key.")


async def test_no_key_id(identity: Identity, forger: Forger) -> None:
    header = {"typ": "JWT", "alg": "RS256"}
    await refused(identity, forger.token(header=header), "Access token validation failure. Unknown signing key.")


async def test_signed_by_someone_else(identity: Identity, forger: Forger) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    token = forger.raw(json.dumps(forger.header()), json.dumps(forger.claims()), stranger)
    await refused(identity, token, f"{INVALID} signature.")


async def test_a_key_brought_along(identity: Identity, forger: Forger) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    jwk = RSAKey.import_key(stranger.public_key()).as_dict()
    for brought in (
        {"jwk": jwk},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
    ):
        token = forger.raw(json.dumps(forger.header(**brought)), json.dumps(forger.claims()), stranger)
        await refused(identity, token, f"{INVALID} signature.")


async def test_a_changed_payload(identity: Identity, forger: Forger) -> None:
    head, _, signature = forger.token().split(".")
    changed = b64(json.dumps(forger.claims(roles=["Presence.ReadWrite.All"])).encode())
    await refused(identity, f"{head}.{changed}.{signature}", f"{INVALID} signature.")


async def test_a_changed_header(identity: Identity, forger: Forger) -> None:
    _, body, signature = forger.token().split(".")
    changed = b64(json.dumps(forger.header(typ="at+jwt")).encode())
    await refused(identity, f"{changed}.{body}.{signature}", f"{INVALID} signature.")


async def test_no_signature(identity: Identity, forger: Forger) -> None:
    head, body, _ = forger.token().split(".")
    await refused(identity, f"{head}.{body}.", f"{INVALID} signature.")
    await refused(identity, f"{head}.{body}", MALFORMED)


@pytest.mark.parametrize("spelling", ["{}.", ".{}", "{}.e30", "{}\n", " {}", "{}=", "Bearer {}", "{}\x00"])
async def test_letters_around_a_good_token(identity: Identity, forger: Forger, spelling: str) -> None:
    await refused(identity, spelling.format(forger.token()), MALFORMED)


async def test_another_spelling_of_the_same_signature(identity: Identity, forger: Forger) -> None:
    """The last letter of base64 has spare bits: a reader that ignores them takes several texts for one token."""
    token = forger.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in alphabet:
        if letter != token[-1]:
            with pytest.raises(NotAuthenticated):
                await identity.verifier.verify(token[:-1] + letter)


async def test_longer_than_16_kib(identity: Identity, forger: Forger) -> None:
    long = forger.token(forger.claims(filling="x" * 16 * 1024))
    await refused(identity, long, "IDX10209: Token has length")
    assert await identity.verifier.verify(forger.token(forger.claims(filling="x" * 8 * 1024)))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "exp", ["kid"]])
async def test_critical_extensions(identity: Identity, forger: Forger, crit: Any) -> None:
    await refused(identity, forger.token(header=forger.header(crit=crit, exp=1)), MALFORMED)


@pytest.mark.parametrize("value", [False, True, "false"])
async def test_an_unencoded_payload(identity: Identity, forger: Forger, value: Any) -> None:
    await refused(identity, forger.token(header=forger.header(b64=value)), MALFORMED)
    await refused(identity, forger.token(header=forger.header(b64=value, crit=["b64"])), MALFORMED)


async def test_a_claim_twice(identity: Identity, forger: Forger) -> None:
    claims = json.dumps(forger.claims())[:-1] + ', "roles": ["Presence.ReadWrite.All"]}'
    await refused(identity, forger.raw(json.dumps(forger.header()), claims), MALFORMED)
    header = json.dumps(forger.header())[:-1] + ', "alg": "none"}'
    await refused(identity, forger.raw(header, json.dumps(forger.claims())), MALFORMED)


@pytest.mark.parametrize("claims", ["[]", "null", "1", '"x"', "", "{", '{"a":1}x', "\ufeff{}"])
async def test_claims_that_are_no_object(identity: Identity, forger: Forger, claims: str) -> None:
    await refused(identity, forger.raw(json.dumps(forger.header()), claims), MALFORMED)


async def test_deeply_nested_claims(identity: Identity, forger: Forger) -> None:
    await refused(identity, forger.raw(json.dumps(forger.header()), '{"a":' * 1900), MALFORMED)
    await refused(identity, forger.raw(json.dumps(forger.header()), "[" * 11000), MALFORMED)


async def test_an_id_token_is_no_access_token(identity: Identity, app: App, forger: Forger) -> None:
    user = (ADELE, Profile(ADELE_NAME))
    await refused(identity, identity.issuer.mint_id_token(app, TENANT, user, "https://localhost"), f"{INVALID} issuer.")
    # and if its issuer were ours
    await refused(identity, forger.token(forger.claims(aud=app.id, scp="Presence.Read")), f"{INVALID} audience.")


async def test_the_token_of_a_revoked_key(identity: Identity, forger: Forger) -> None:
    token, fresh = forger.token(), forger.token(forger.claims(uti="another"))
    await identity.verifier.verify(token)
    identity.keys.rotate(revoke=True)
    identity.verifier.forget()
    for each in (token, fresh):
        await refused(identity, each, "Access token validation failure. Unknown signing key.")


async def test_the_token_of_a_retired_key(identity: Identity, forger: Forger, clock: SetClock) -> None:
    """Good until the last token of the key has ended; then even one that claims a longer life is refused."""
    forever = forger.token(forger.claims(exp=START + 10 * LONGEST_LIFETIME))
    identity.keys.rotate()
    clock.instant = START + LONGEST_LIFETIME - 1
    assert await identity.verifier.verify(forever)
    identity.verifier.forget()
    clock.instant = START + LONGEST_LIFETIME
    await refused(identity, forever, "Access token validation failure. Unknown signing key.")


async def test_what_is_remembered_is_bounded(identity: Identity, forger: Forger) -> None:
    remembered = identity.verifier._remembered
    first = forger.token()
    await identity.verifier.verify(first)
    entry = remembered[first]
    for number in range(REMEMBERED - 1):
        remembered[str(number)] = entry
    assert identity.verifier.cached(first)
    another = forger.token(forger.claims(uti="another"))
    await identity.verifier.verify(another)
    assert len(remembered) == REMEMBERED
    assert identity.verifier.cached(first) is None
    assert identity.verifier.cached(another)
