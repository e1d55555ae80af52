"""Whatever is sent as a token, the answer is a caller or NotAuthenticated: never another exception."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presenced.identity.caller import Caller, NotAuthenticated
from presenced.identity.external import ExternalIssuer
from presenced.identity.identity import Identity
from presenced.identity.jwks import Jwks
from presenced.identity.jws import Jws
from presenced.identity.tokens import Verifier
from presenced.store.memory import MemoryStore

from .forger import TENANT, Forger, SetClock, b64, find_person

ISSUER = "https://issuer.example"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
header_names = st.sampled_from(
    ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "cty"]
)
claim_names = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "tid", "oid", "sub", "appid", "azp", "client_id", "scp", "scope", "roles"]
)


class Parts:
    """Made once: a verifier of local tokens and of an external issuer that has the same key."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._load())

    async def _load(self) -> None:
        clock = SetClock()
        identity = await Identity.load(MemoryStore(), clock, find_person, home_tenant=TENANT)
        app, _ = await identity.apps.add(TENANT, "An app", application=["Presence.Read.All"])
        self.forger = Forger(identity, app)
        external = ExternalIssuer(ISSUER, "https://graph.microsoft.com", TENANT, roles_claim="realm.roles")
        self.verifier = Verifier(clock, identity.keys, identity.tenants, [external], ["Presence.Read"])
        jwks = Jwks(external)
        jwks._keys = {self.forger.signing.kid: self.forger.signing.key}
        jwks._fetched_at = jwks._tried_at = jwks._timer()
        self.verifier._external[ISSUER] = (external, jwks)

    def verify(self, token: str) -> Caller | None:
        try:
            return self.loop.run_until_complete(self.verifier.verify(token))
        except NotAuthenticated as refusal:
            str(refusal).encode()
            return None


@pytest.fixture(scope="module")
def parts() -> Any:
    parts = Parts()
    yield parts
    parts.loop.run_until_complete(parts.verifier.close())
    parts.loop.close()


fuzz = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(text=st.text())
def test_any_text(parts: Parts, text: str) -> None:
    assert parts.verify(text) is None


@fuzz
@given(segments=st.lists(st.binary() | anything.map(lambda value: json.dumps(value).encode()), max_size=5))
def test_any_segments(parts: Parts, segments: list[bytes]) -> None:
    assert parts.verify(".".join(b64(segment) for segment in segments)) is None


@fuzz
@given(header=st.dictionaries(header_names, anything))
def test_a_good_token_with_a_strange_header(parts: Parts, header: dict[str, Any]) -> None:
    parts.verify(parts.forger.token(header=parts.forger.header(**header)))
    parts.verify(parts.forger.token(parts.forger.claims(iss=ISSUER), parts.forger.header(**header)))


@fuzz
@given(claims=st.dictionaries(claim_names, anything, min_size=1))
def test_well_signed_strange_claims(parts: Parts, claims: dict[str, Any]) -> None:
    parts.verify(parts.forger.token(parts.forger.claims(**claims)))


@fuzz
@given(claims=st.dictionaries(claim_names | st.just("realm"), anything, min_size=1), without=st.sets(claim_names))
def test_well_signed_strange_claims_of_an_external_issuer(
    parts: Parts, claims: dict[str, Any], without: set[str]
) -> None:
    parts.verify(parts.forger.token(parts.forger.claims(*(without - {"iss"}), **(claims | {"iss": ISSUER}))))


@fuzz
@given(place=st.integers(0, 10_000), letter=st.characters())
def test_a_good_token_with_one_other_letter(parts: Parts, place: int, letter: str) -> None:
    token = parts.forger.token()
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        assert parts.verify(changed) is None


def test_the_fuzz_reaches_both_issuers(parts: Parts) -> None:
    assert parts.verify(parts.forger.token()) is not None
    claims = parts.forger.claims("roles", iss=ISSUER, realm={"roles": ["Presence.Read.All"]})
    assert parts.verify(parts.forger.token(claims)) is not None
    assert Jws.parse(parts.forger.token(claims)).claims == claims
