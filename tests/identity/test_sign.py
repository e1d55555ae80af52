"""Claims for other servers, signed by the local issuer."""

import pytest

from presenced.identity.caller import NotAuthenticated
from presenced.identity.identity import Identity
from presenced.identity.jws import Jws
from presenced.identity.keys import LONGEST_LIFETIME

from .forger import APP, START, TENANT


def test_claims_get_their_times(identity: Identity) -> None:
    jws = Jws.parse(identity.issuer.sign({"aud": APP, "iat": 1}, 1000, begun=300))
    start = int(START) - 300
    assert jws.claims == {"aud": APP, "iat": start, "nbf": start, "exp": start + 1000}
    assert jws.kid == identity.issuer.kid == identity.keys.current.kid
    assert jws.signed_by(identity.keys.current.key, ["RS256"])


def test_never_for_graph(identity: Identity) -> None:
    with pytest.raises(ValueError, match="mint_access_token"):
        identity.issuer.sign({"aud": "https://graph.microsoft.com"}, 60)


@pytest.mark.parametrize("lifetime", [0, LONGEST_LIFETIME + 1])
def test_no_longer_than_the_keys_are_kept(identity: Identity, lifetime: int) -> None:
    with pytest.raises(ValueError, match="A token lives"):
        identity.issuer.sign({"aud": APP}, lifetime)


async def test_it_opens_nothing_here(identity: Identity) -> None:
    claims = {"aud": APP, "iss": f"urn:presenced:{TENANT}", "tid": TENANT, "appid": APP, "oid": APP, "roles": ["x"]}
    with pytest.raises(NotAuthenticated):
        await identity.verifier.verify(identity.issuer.sign(claims, 60))
