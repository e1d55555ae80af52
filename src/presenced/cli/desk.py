"""Desk: what ``presenced listen`` asks of the server whose folder it is told: tokens, names, presence.

The server may stop and start again meanwhile, on other ports: each question looks for it anew.
"""

import contextlib
import time
from typing import Any

import httpx

from presenced.cli.connection import connect_running
from presenced.control import EnvironmentRequest, FindRequest, Impossible, ListRequest, TokenRequest
from presenced.identity.directory import Person
from presenced.listen.own_subscription import Access, call
from presenced.listen.validation import Validation
from presenced.notify.subscription import NoPresence, parse_resource
from presenced.notify_control import About
from presenced.presence.record import guid
from presenced.settings import Settings

_PERMISSION = "Presence.Read.All"
_MOST_NAMES = 10_000
_NAMES_FRESH = 300.0


class Desk:
    """Questions to the running server, as the person and app that listen. Use it in an ``async with``."""

    def __init__(
        self, settings: Settings, tenant: str | None, app: str | None, user: str | None, lifetime: int
    ) -> None:
        # never by a proxy: the server is on this machine
        self.client = httpx.AsyncClient(trust_env=False, timeout=30)
        self._settings = settings
        self._tenant = tenant
        self._app = app
        self._user = user
        self._lifetime = lifetime
        self.user_name = user or ""
        self._reading: tuple[Access, float] | None = None
        self._names: dict[str, tuple[str | None, float]] = {}

    async def __aenter__(self) -> "Desk":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.client.aclose()

    async def find(self, keys: list[str]) -> list[str]:
        """The ids of people by id or userPrincipalName; from now on one speaks for us. Raises Impossible."""
        async with connect_running(self._settings) as connection:
            found = await connection.ask("/users/find", FindRequest(keys, self._tenant), list[Person | None])
            ids = [person.id if person is not None else guid(key) for key, person in zip(keys, found, strict=True)]
            for key, one in zip(keys, ids, strict=True):
                if one is None:
                    raise Impossible(f"There is nobody with the id or name {key}. See: presenced users list")
            if self._user is None:
                known = [person for person in found if person is not None]
                if not known:
                    known += await connection.ask("/users/list", ListRequest(self._tenant, limit=1), list[Person])
                if not known:
                    raise Impossible(
                        "There is nobody in the directory who could subscribe. See: presenced users import"
                    )
                self._user = known[0].id
                self.user_name = known[0].user_principal_name or known[0].id
        return [one for one in ids if one is not None]

    async def access(self) -> Access:
        """The API, with a new token: for a person if there is one, else for an app alone. Raises Impossible."""
        async with connect_running(self._settings) as connection:
            request = TokenRequest(self._app, self._user, [_PERMISSION], self._lifetime, self._tenant)
            answer = await connection.ask("/token", request, dict[str, Any])
            assert connection.server is not None
            access = Access(f"{connection.server.http}/v1.0", str(answer["token"]))
            # good for reading until shortly before its end
            self._reading = access, time.time() + self._lifetime * 0.8
            return access

    async def validation(self, app: str) -> Validation:
        """What checks notifications for this app. Raises Impossible."""
        async with connect_running(self._settings) as connection:
            about = await connection.ask("/about", EnvironmentRequest(self._tenant), About)
            assert connection.server is not None
            keys = f"{connection.server.http}/{about.tenant}/discovery/keys"
            return Validation(self.client, keys, about.tenant, app, about.issuer)

    async def state(self, person: str) -> tuple[str, str]:
        """A person's availability and activity now. Raises NotDone, Impossible."""
        if self._reading is None or self._reading[1] <= time.time():
            await self.access()
        assert self._reading is not None
        presence = await call(self.client, self._reading[0], "GET", f"/communications/presences/{person}")
        return str(presence.get("availability")), str(presence.get("activity"))

    async def name(self, person: str) -> str | None:
        """A person's name, if a server is there to tell."""
        name, until = self._names.get(person, (None, 0.0))
        if until > time.time():
            return name
        with contextlib.suppress(Impossible):
            async with connect_running(self._settings) as connection:
                (found,) = await connection.ask("/users/find", FindRequest([person], self._tenant), list[Person | None])
                name = None if found is None else found.display_name or found.user_principal_name
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        self._names[person] = name, time.time() + _NAMES_FRESH
        return name

    @staticmethod
    def person(resource: str | None) -> str | None:
        """Whose presence a notification's ``resource`` is, in either spelling."""
        try:
            ids = parse_resource(resource or "").ids
        except NoPresence:
            return None
        return ids[0] if ids is not None and len(ids) == 1 else None
