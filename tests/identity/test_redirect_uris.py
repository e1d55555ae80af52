"""Which redirect URIs an app may register. How they are matched is in test_authorize.py."""

import pytest

from presenced.identity.identity import Identity

from .forger import TENANT


@pytest.mark.parametrize(
    ("kind", "uri", "words"),
    [
        ("web", "http://site.example/", "must be https"),
        ("web", "http://localhost.evil.example/", "must be https"),
        ("web", "my://auth", "must be https"),
        ("web", "https://site.example/#x", "no fragment"),
        ("web", "https://site.example/#", "no fragment"),
        ("web", "https://*.site.example/", "no wildcard"),
        ("web", "https://user@site.example/", "no user name"),
        ("web", "https:///x", "names no host"),
        ("web", "site.example", "must be a URL"),
        ("web", "", "must be a URL"),
        ("web", "https://site.example/é", "must be a URL"),
        ("web", "https://site.example/\r\nx", "must be a URL"),
        ("web", "https://site.example\\x", "must be a URL"),
        ("web", "https://site.example/" + "x" * 300, "at most 256"),
        ("web", "https://site.example:99999/", "must be a URL"),
        ("spa", "my://auth", "must be https"),
        ("native", "javascript:alert(1)", "private scheme"),
        ("native", "javascript://x", "private scheme"),
        ("native", "data:text/html,x", "private scheme"),
        ("native", "file:///etc/passwd", "private scheme"),
        ("native", "my:auth", "private scheme"),
        ("native", "urn:ietf:wg:oauth:2.0:oob", "private scheme"),
    ],
)
async def test_what_may_not_be_registered(identity: Identity, kind: str, uri: str, words: str) -> None:
    field = "spa_redirect_uris" if kind == "spa" else "redirect_uris"
    with pytest.raises(ValueError, match=words):
        await identity.apps.add(TENANT, "An app", sign_in=kind == "native", **{field: [uri]})  # type: ignore[arg-type]


async def test_their_number_is_bounded(identity: Identity) -> None:
    many = [f"https://site.example/{number}" for number in range(257)]
    with pytest.raises(ValueError, match="at most 256"):
        await identity.apps.add(TENANT, "An app", redirect_uris=many)
