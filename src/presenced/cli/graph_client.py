"""Graph client: Graph's API over HTTP, as any client calls it, for the commands that read and set presence.

The limits are Graph's: 650 ids in a call of getPresencesByUserId, 20 requests in a batch, and after 429 the wait that
``Retry-After`` asks for. What a server says is shown as text and never obeyed; the token goes to it alone.
"""

import asyncio
import base64
import itertools
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any
from urllib.parse import quote, urlsplit

import click
import httpx
import msgspec

from presenced.cli.terminal import printable
from presenced.control import Impossible
from presenced.presence.record import guid

MOST_IDS = 650
_IN_A_BATCH = 20
_BATCHES_AT_ONCE = 4
_MOST_ANSWER = 64 << 20
_MOST_TRIES = 6
_LONGEST_WAIT = 300.0
_WAIT_UNSAID = 5.0
"""Seconds, after a 429 without Retry-After."""

_SELECT = "$select=id,displayName,userPrincipalName,jobTitle"


class Refused(Impossible):
    """Graph said no. ``status`` and ``code`` are those of its error."""

    def __init__(self, message: str, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Unreachable(Impossible):
    """There was no answer."""


class Somebody(msgspec.Struct, rename="camel"):
    """A user, as far as the commands show them."""

    id: str
    display_name: str | None = None
    user_principal_name: str | None = None
    job_title: str | None = None

    @property
    def name(self) -> str:
        """What to call them."""
        return self.display_name or self.user_principal_name or self.id


def _say_waiting(seconds: float, reason: str) -> None:
    click.echo(f"{reason}: trying again in {seconds:.0f} s.", err=True)


class GraphClient:
    """Calls with ``token`` below ``base`` (with its version). ``waiting`` is told of each wait: seconds, and why.

    ``is_folder``: the API is a data folder's, and the token an app's.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base: str,
        token: str,
        *,
        is_folder: bool = False,
        waiting: Callable[[float, str], None] = _say_waiting,
    ) -> None:
        self.is_folder = is_folder
        self._client = client
        self.base = base
        self.waiting = waiting
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    async def presences(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The presence of people by their ids, as Graph has it. Raises Impossible."""
        found: dict[str, dict[str, Any]] = {}
        for first in range(0, len(ids), MOST_IDS):
            body = {"ids": list(ids[first : first + MOST_IDS])}
            answer = await self.call("POST", "/communications/getPresencesByUserId", body, "Presence.Read.All")
            for presence in _objects(answer):
                found[str(presence.get("id", "")).lower()] = presence
        return found

    async def people(self, keys: Iterable[str]) -> dict[str, Somebody]:
        """Those of these ids and userPrincipalNames that are somebody's, by key. Raises Impossible."""
        every = list(keys)
        groups = [every[first : first + _IN_A_BATCH] for first in range(0, len(every), _IN_A_BATCH)]
        # the first alone: if it is refused, so are the others
        found = await self._batch(groups[0]) if groups else {}
        for first in range(1, len(groups), _BATCHES_AT_ONCE):
            some = groups[first : first + _BATCHES_AT_ONCE]
            for part in await asyncio.gather(*(self._batch(group) for group in some), return_exceptions=True):
                if isinstance(part, BaseException):
                    raise part
                found |= part
        return found

    async def everybody(self) -> AsyncIterator[list[Somebody]]:
        """All users, page by page. Raises Impossible."""
        address: str | None = f"/users?{_SELECT}&$top=999"
        seen: set[str] = set()
        while address is not None:
            if address in seen:
                raise Refused(f"{self.base} names the same next page again.", 0)
            seen.add(address)
            answer = await self.call("GET", address, None, "User.Read.All")
            yield [_somebody(one) for one in _objects(answer)]
            following = answer.get("@odata.nextLink")
            address = None if following is None else self._own(str(following))

    async def call(self, method: str, path: str, body: object = None, needs: str = "") -> dict[str, Any]:
        """One call; ``path`` begins with / below the base. ``needs``: the permission to name after a 403.

        Raises Refused, Unreachable.
        """
        for tries in itertools.count(1):
            status, headers, content = await self._send(method, path, body)
            if status in (429, 503, 504) and tries < _MOST_TRIES:
                seconds = _retry_after(headers.get("retry-after"))
                if seconds <= _LONGEST_WAIT:
                    reason = "Too many requests" if status == 429 else f"The server answered {status}"
                    self.waiting(seconds, reason)
                    await asyncio.sleep(seconds)
                    continue
            if 200 <= status < 300:
                return self._object(content)
            raise self._refusal(status, headers, content, needs)
        raise AssertionError("the loop ends by itself")

    def app_id(self) -> str | None:
        """The id of the app that the token was given to, if it is one that can be read. It is not verified."""
        try:
            payload = self._token.split(".")[1]
            claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return guid(str(claims.get("appid") or claims.get("azp")))
        except (IndexError, ValueError, AttributeError, RecursionError):
            return None

    async def _send(self, method: str, path: str, body: object) -> tuple[int, httpx.Headers, bytes]:
        content = None if body is None else msgspec.json.encode(body)
        headers = self._headers if content is None else self._headers | {"Content-Type": "application/json"}
        try:
            async with self._client.stream(method, self.base + path, content=content, headers=headers) as answer:
                taken = bytearray()
                async for part in answer.aiter_bytes():
                    taken += part
                    if len(taken) > _MOST_ANSWER:
                        raise Refused(f"The answer of {self.base} is larger than {_MOST_ANSWER >> 20} MiB.", 0)
                return answer.status_code, answer.headers, bytes(taken)
        except httpx.TimeoutException:
            raise Unreachable(f"{self.base} did not answer in time.") from None
        except httpx.HTTPError as error:
            raise Unreachable(_no_answer(self.base, error)) from None

    async def _batch(self, keys: list[str]) -> dict[str, Somebody]:
        """Those of up to 20 keys that are somebody's, with $batch; what was throttled is asked again."""
        found: dict[str, Somebody] = {}
        left = dict(enumerate(keys))
        for tries in itertools.count(1):
            requests = [
                {"id": str(number), "method": "GET", "url": f"/users/{quote(key, safe='@')}?{_SELECT}"}
                for number, key in left.items()
            ]
            answer = await self.call("POST", "/$batch", {"requests": requests}, "User.Read.All")
            seconds = 0.0
            for part in _objects(answer, "responses"):
                number, status, body = _part(part)
                if number not in left:
                    continue
                if status == 200:
                    found[left.pop(number)] = _somebody(body)
                elif status in (429, 503, 504) and tries < _MOST_TRIES:
                    headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
                    seconds = max(seconds, _retry_after(headers.get("retry-after")))
                elif status in (400, 404):
                    del left[number]
                else:
                    raise self._refusal(status, httpx.Headers(), msgspec.json.encode(body), "User.Read.All")
            if not seconds:
                return found
            self.waiting(seconds, "Too many requests")
            await asyncio.sleep(min(seconds, _LONGEST_WAIT))
        raise AssertionError("the loop ends by itself")

    def _own(self, link: str) -> str:
        """A link to a next page, below the base. Raises Refused for another server's, which shall not get the token."""
        ours, theirs = urlsplit(self.base), urlsplit(link)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc) or not link.startswith(f"{self.base}/"):
            raise Refused(f"{self.base} names a next page that is not its own.", 0)
        return link.removeprefix(self.base)

    def _object(self, content: bytes) -> dict[str, Any]:
        if not content:
            return {}
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Refused(
                f"{self.base} does not answer as Graph does. Is the address right? "
                "Graph's own is https://graph.microsoft.com/v1.0",
                0,
            ) from None

    def _refusal(self, status: int, headers: httpx.Headers, content: bytes, needs: str) -> Refused:
        code, message = _error(content)
        if code is None:
            return Refused(
                f"{self.base} answered {status}, and not as Graph does. Is the address right? "
                "Graph's own is https://graph.microsoft.com/v1.0",
                status,
            )
        said = printable(" ".join(f"{code}: {message}".split()) if message else code, 1000)
        if status == 401 and code == "InvalidAuthenticationToken":
            advice = " Get a new token: PRESENCED_TOKEN, or --token - and the token on standard input."
            return Refused(f"The token was refused ({said}).{advice}", status, code)
        if status == 403:
            needed = headers.get("presenced-needs-permission") or needs
            more = f" The token needs {printable(needed)}." if needed else ""
            return Refused(f"Not allowed ({said}).{more}", status, code)
        return Refused(f"Refused ({said})", status, code)


def trusting(ca: str | None) -> ssl.SSLContext:
    """Who is trusted: SSL_CERT_FILE, else the usual authorities, and those in the file ``ca``. Raises Impossible."""
    try:
        context = httpx.create_ssl_context()
        if ca is not None:
            context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not PEM"
        raise Impossible(f"The certificates of {ca or 'SSL_CERT_FILE'} cannot be used: {reason}.") from error
    return context


def _objects(answer: dict[str, Any], member: str = "value") -> list[dict[str, Any]]:
    """The objects in a collection, without what is none."""
    found = answer.get(member)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _somebody(body: dict[str, Any]) -> Somebody:
    try:
        return msgspec.convert(body, Somebody)
    except msgspec.ValidationError as error:
        raise Refused(f"A user in the answer is not as Graph has them: {printable(str(error))}", 0) from None


def _part(part: dict[str, Any]) -> tuple[int, int, dict[str, Any]]:
    """The number, status and body of an answer in a batch."""
    number, status, body = str(part.get("id", "")), part.get("status"), part.get("body")
    if not (number.isascii() and number.isdigit() and isinstance(status, int)):
        raise Refused("The answer to a batch is not as Graph has it.", 0)
    return int(number), status, body if isinstance(body, dict) else {}


def _error(content: bytes) -> tuple[str | None, str]:
    """The code and message of Graph's error envelope; no code if it is none."""
    try:
        error = msgspec.json.decode(content, type=dict[str, dict[str, Any]])["error"]
        return str(error["code"]), str(error.get("message") or "")
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError, RecursionError):
        return None, ""


def _retry_after(said: str | None) -> float:
    """Seconds to wait by a Retry-After header: a number of them, or a date."""
    if said is None:
        return _WAIT_UNSAID
    text = said.strip()
    if text.isascii() and text.isdigit():
        return max(float(text[:9]), 1.0)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time(), 1.0)
    except (ValueError, TypeError):
        return _WAIT_UNSAID


def _no_answer(base: str, error: Exception) -> str:
    reason = printable((str(error) or type(error).__name__).splitlines()[0])
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return (
            f"The certificate of {base} is not trusted ({reason}). "
            "Name its authority with --ca FILE; a presenced says its own with: presenced env"
        )
    return f"{base} does not answer: {reason}"
