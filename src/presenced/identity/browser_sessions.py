"""BrowserSessions: who has signed in with a browser, so that the next app need not ask for the password again.

The browser has a random id in a cookie, the server the rest, in memory: a session ends with the process, on logout,
after a day, and for a person whose password changes. A second cookie, whose value each form repeats, shows that a form
is from one of this server's own pages (double submit), and so does what the browser says of where it was sent from.
"""

import hashlib
import hmac
import re
import secrets

import msgspec
from cachetools import TTLCache
from starlette.requests import Request
from starlette.responses import Response

from presenced.clock import Clock
from presenced.identity.base_urls import BaseUrls

LIFETIME = 86400.0
_MOST = 10_000
_MOST_PEOPLE = 5
_SESSION, _FORM = "presenced-session", "presenced-form"
_VALUE = re.compile(r"[\w-]{43}", re.ASCII)


class SignedIn(msgspec.Struct, frozen=True):
    """A person in a session; ``stamp`` is that of their password then."""

    tenant: str
    person: str
    stamp: str


class BrowserSessions:
    """All sessions."""

    def __init__(self, clock: Clock, base_urls: BaseUrls) -> None:
        self._base_urls = base_urls
        self._sessions: TTLCache[bytes, tuple[SignedIn, ...]] = TTLCache(_MOST, LIFETIME, timer=clock.now)

    def clear(self) -> None:
        """Sign everybody out of every browser."""
        self._sessions.clear()

    def people(self, request: Request) -> tuple[SignedIn, ...]:
        """Who has signed in with this browser, the last one first."""
        return self._sessions.get(_key(self._value(request, _SESSION)), ())

    def add(self, request: Request, response: Response, new: SignedIn) -> None:
        """Somebody has signed in with this browser. The session gets a new id, so that nobody can have chosen it."""
        others = [one for one in self.people(request) if (one.tenant, one.person) != (new.tenant, new.person)]
        self._sessions.pop(_key(self._value(request, _SESSION)), None)
        value = secrets.token_urlsafe(32)
        self._sessions[_key(value)] = (new, *others[: _MOST_PEOPLE - 1])
        self._set(request, response, _SESSION, value)

    def end(self, request: Request, response: Response) -> None:
        """Nobody has signed in with this browser any more."""
        self._sessions.pop(_key(self._value(request, _SESSION)), None)
        self._set(request, response, _SESSION, "")

    def forget(self, tenant: str, person: str) -> None:
        """A person is signed in with no browser any more."""
        for key, people in list(self._sessions.items()):
            left = tuple(one for one in people if (one.tenant, one.person) != (tenant, person))
            if left != people:
                self._sessions[key] = left

    def form_value(self, request: Request) -> str:
        """What a form on the page for this request is to repeat."""
        value = self._value(request, _FORM)
        return value if _VALUE.fullmatch(value) else secrets.token_urlsafe(32)

    def set_form_value(self, request: Request, response: Response, value: str) -> None:
        """Give the browser that value in a cookie."""
        self._set(request, response, _FORM, value)

    def is_own_form(self, request: Request, value: str) -> bool:
        """Whether a form that was sent with this value is from a page of this server's."""
        # Not the Origin header: with a page's Referrer-Policy no-referrer it is "null".
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        given = self._value(request, _FORM)
        return bool(_VALUE.fullmatch(given)) and hmac.compare_digest(given.encode(), value.encode())

    def _value(self, request: Request, name: str) -> str:
        return request.cookies.get(self._name(request, name), "")

    def _set(self, request: Request, response: Response, name: str, value: str) -> None:
        # Lax rather than Strict: people come here from apps at other sites.
        response.set_cookie(
            self._name(request, name),
            value,
            max_age=None if value else 0,
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="lax",
        )

    def _name(self, request: Request, name: str) -> str:
        # With this prefix a browser takes the cookie from this host alone (RFC 6265bis), and only over TLS.
        return f"__Host-{name}" if self._secure(request) else name

    def _secure(self, request: Request) -> bool:
        return self._base_urls.of(request.scope).startswith("https:")


def _key(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
