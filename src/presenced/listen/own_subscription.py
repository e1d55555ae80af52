"""Own subscription: the one that ``presenced listen`` makes for itself, keeps alive, and takes away again.

It is made over Graph's API as any other client would. Graph's rules: a subscription lives for an hour, and its token
for its own time; PATCH renews both, ``reauthorize`` the second only. Every write brings a new token, so that nothing
stops when one ends. One that an earlier listener left behind may be replaced, never another's (client_state.py).
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from presenced.listen.client_state import ClientState
from presenced.listen.receiver import Received
from presenced.listen.resource_data import ResourceKey

LIFE = 3600.0
"""Seconds, the longest that Graph allows."""


class Access(NamedTuple):
    """Where the API is (with its version), and a token for it."""

    url: str
    token: str


class NotDone(Exception):
    """The API refused, or cannot be reached. The message says why; ``status`` is 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class OwnSubscription:
    """One subscription to ``ids``, told at ``url``. ``access`` gets a new token each time it is asked.

    ``client_state`` is open as long as the subscription may be there.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        access: Callable[[], Awaitable[Access]],
        url: str,
        ids: list[str],
        key: ResourceKey | None,
        client_state: ClientState,
    ) -> None:
        self._client = client
        self._access = access
        self._url = url
        self._ids = ids
        self._key = key
        self._client_state = client_state
        self.id: str | None = None
        self.may_exist = False
        """Also when the server was asked for it and did not answer."""
        self.app = ""
        self.renew_at = 0.0

    def sent(self, item: Received) -> bool:
        """Whether a notification is of this subscription: only the server knows its clientState."""
        known = secrets.compare_digest(
            (item.client_state or "").encode("utf-8", "replace"), self._client_state.secret.encode()
        )
        return known and (self.id is None or item.subscription_id == self.id)

    async def create(self) -> None:
        """Make it. Raises NotDone."""
        listed = ",".join(f"'{person}'" for person in self._ids)
        body: dict[str, Any] = {
            "changeType": "updated",
            "notificationUrl": self._url,
            "lifecycleNotificationUrl": self._url,
            "resource": f"/communications/presences?$filter=id in ({listed})",
            "expirationDateTime": _in(LIFE),
            "clientState": self._client_state.secret,
        }
        if self._key is not None:
            body |= {
                "includeResourceData": True,
                "encryptionCertificate": self._key.certificate,
                "encryptionCertificateId": self._key.id,
            }
        self.may_exist = True
        try:
            made = await self._call("POST", "/subscriptions", body)
        except NotDone as error:
            self.may_exist = not 400 <= error.status < 500
            raise
        self.id, self.app = str(made["id"]), str(made["applicationId"])
        self._lives_on()

    async def delete_abandoned(self) -> int:
        """Delete what earlier listeners on this folder left behind, of this user and app. How many. Raises NotDone."""
        secrets_left = self._client_state.abandoned()
        if not secrets_left:
            return 0
        deleted = 0
        for listed in (await self._call("GET", "/subscriptions", None))["value"]:
            path = f"/subscriptions/{listed['id']}"
            try:
                one = await self._call("GET", path, None)  # a list does not show clientState
                if one["clientState"] in secrets_left:
                    await self._call("DELETE", path, None)
                    deleted += 1
            except NotDone as error:
                if error.status != 404:
                    raise
        return deleted

    async def renew(self) -> bool:
        """Let it live on; False if it was gone and another was made. Raises NotDone."""
        try:
            await self._call("PATCH", f"/subscriptions/{self.id}", {"expirationDateTime": _in(LIFE)})
        except NotDone as error:
            if error.status != 404:
                raise
            await self.create()
            return False
        self._lives_on()
        return True

    async def reauthorize(self) -> None:
        """Authorise it with a new token. Raises NotDone."""
        await self._call("POST", f"/subscriptions/{self.id}/reauthorize", None)

    async def delete(self) -> None:
        """Take it away, if it was made. Raises NotDone."""
        if self.id is None:
            return
        try:
            await self._call("DELETE", f"/subscriptions/{self.id}", None)
        except NotDone as error:
            if error.status != 404:
                raise
        self.id = None
        self.may_exist = False

    def _lives_on(self) -> None:
        self.renew_at = time.time() + LIFE / 2
        self._client_state.renewed()

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        access = await self._access()
        return await call(self._client, access, method, path, body)


async def call(
    client: httpx.AsyncClient, access: Access, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Call the API; an empty answer is {}. Raises NotDone."""
    headers = {"Authorization": f"Bearer {access.token}"}
    try:
        answer = await client.request(method, access.url + path, json=body, headers=headers)
        content = answer.json() if answer.content else {}
        if answer.is_success:
            return dict(content)
        message = str(content["error"]["message"] or content["error"]["code"])
    except httpx.HTTPError as error:
        raise NotDone(f"The server does not answer: {error or type(error).__name__}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotDone("The server's answer cannot be read.") from error
    raise NotDone(message, answer.status_code)


def _in(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
