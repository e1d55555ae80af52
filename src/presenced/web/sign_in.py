"""SignIn: people sign in to the board through the local issuer, with an authorization code and PKCE.

The board is an app of every tenant that has no permissions and whose only redirect URI is its own, so that nothing but
the board can do anything with its id. The code is redeemed inside the process; what the browser gets is the board's
session. The attempt is bound to the browser by a cookie, so that nobody can be signed in as somebody else by a link.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cachetools import TTLCache

from presenced.identity.apps import App
from presenced.identity.authorization_codes import verifies
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.identity.person_sign_in import still_signed_in
from presenced.web.access import Denied

APP = "b0a2d000-0000-4000-8000-000000000001"
CALLBACK = "/board/signed-in"
ATTEMPT_LIFE = 600.0
_MOST_ATTEMPTS = 10_000
_MOST_ADDRESSES = 16


class _Attempt(NamedTuple):
    state: str
    verifier: str
    redirect_uri: str


class SignedIn(NamedTuple):
    """Who has signed in; ``stamp`` is that of their password then."""

    tenant: str
    person: str
    stamp: str


class SignIn:
    """Attempts to sign in that are under way."""

    def __init__(self, identity: Identity, clock: Callable[[], float]) -> None:
        self._identity = identity
        self._attempts: TTLCache[str, _Attempt] = TTLCache(_MOST_ATTEMPTS, ATTEMPT_LIFE, timer=clock)
        self._addresses: dict[str, None] = {}

    def begin(self, base_url: str, tenant: str) -> tuple[str, str]:
        """Where to send the browser, and the attempt's cookie. ``base_url`` must be this server's own.

        Raises Denied for a tenant that is not here.
        """
        found = self._identity.tenants.find(tenant or "common")
        if found is None:
            raise Denied(404, "This server has no such tenant.")
        attempt = _Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(48), base_url + CALLBACK)
        self._register(attempt.redirect_uri)
        cookie = secrets.token_urlsafe(32)
        self._attempts[cookie] = attempt
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode({
            "client_id": APP,
            "response_type": "code",
            "redirect_uri": attempt.redirect_uri,
            "response_mode": "query",
            "scope": "openid profile",
            "state": attempt.state,
            "prompt": "select_account",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        })  # fmt: skip
        return f"{base_url}/{quote(found)}/oauth2/v2.0/authorize?{query}", cookie

    async def finish(self, cookie: str, state: str, code: str) -> SignedIn:
        """Who has signed in by the browser with this cookie, as the code says. Raises Denied."""
        attempt = self._attempts.pop(cookie, None)
        if attempt is None or not secrets.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace")):
            raise Denied(400, "This sign-in was not begun here, or too long ago.")
        authorized = self._identity.codes.take(code)
        if (
            authorized is None
            or authorized.app != APP
            or authorized.redirect_uri != attempt.redirect_uri
            or authorized.challenge is None
            or not verifies(attempt.verifier, authorized.challenge)
        ):
            raise Denied(400, "The sign-in page's answer is not valid any more.")
        who = SignedIn(authorized.tenant, authorized.person, authorized.stamp)
        if await self.user(who) is None:
            raise Denied(400, "The password was changed meanwhile.")
        return who

    async def user(self, who: SignedIn) -> User | None:
        """The person who has signed in, if they are still there and their password is the same."""
        return await still_signed_in(self._identity, *who)

    def _register(self, redirect_uri: str) -> None:
        """Let the sign-in page send people back to an address of this server."""
        self._addresses.pop(redirect_uri, None)
        while len(self._addresses) >= _MOST_ADDRESSES:
            del self._addresses[next(iter(self._addresses))]
        self._addresses[redirect_uri] = None
        self._identity.apps.build_in(
            App(APP, "the live board", tenant="", principal=APP, redirect_uris=tuple(self._addresses))
        )
