"""Control: what the owner of a data folder may ask of it, as an ASGI application for the commands in cli/.

A running server offers it on a Unix socket in the folder that only the owner can open; a command on a folder without a
server builds the same application and asks it without a socket. It is never on a network port.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from presenced.apps_control import AppRequest, AppShown, add_app, show_app
from presenced.calendar.calendars import Calendars, Summary
from presenced.calendar.content_lines import NotACalendar
from presenced.emulator import sample
from presenced.emulator.emulator import Emulator
from presenced.emulator.seed import Seed
from presenced.identity.apps import App
from presenced.identity.directory import Directory, Person, PersonChange
from presenced.identity.identity import Identity
from presenced.identity.keys import LONGEST_LIFETIME
from presenced.identity.permissions import APPLICATION, DELEGATED
from presenced.notify.notify import Notify
from presenced.notify_control import (
    About,
    DeliveriesRequest,
    EndpointShown,
    SubscriptionShown,
    list_deliveries,
    list_subscriptions,
)
from presenced.presence.record import Profile, guid
from presenced.presence.refused import Refused
from presenced.store.base import Store

T = TypeVar("T")


class Impossible(Exception):
    """What was asked cannot be done. The message says why and what to do."""


class ImportRow(PersonChange, rename="camel"):
    """A person to import, by id, or else by userPrincipalName."""

    id: str | None = None


class ImportRequest(msgspec.Struct):
    """Some of a file's rows; ``first`` is the number of the first, for messages."""

    rows: list[ImportRow]
    first: int = 1
    tenant: str | None = None


class ImportResult(msgspec.Struct):
    """How many people are new, how many were known, and what is wrong with the rows that were not taken."""

    added: int = 0
    updated: int = 0
    wrong: list[str] = []


class TokenRequest(msgspec.Struct):
    """Whom a token shall speak for; ``lifetime`` in seconds."""

    app: str | None = None
    user: str | None = None
    permissions: list[str] = []
    lifetime: int = 3600
    tenant: str | None = None


class CalendarImport(msgspec.Struct):
    """A person's calendar: iCalendar text, and the name of the file or the address it is from."""

    user: str
    text: bytes
    source: str
    tenant: str | None = None


class PersonRequest(msgspec.Struct):
    """Who is meant, by id or userPrincipalName."""

    user: str
    tenant: str | None = None


class Environment(msgspec.Struct):
    """What a client needs besides addresses; ``secret`` only if everybody knows it."""

    tenant: str
    app: str | None
    secret: str | None


class Control:
    """The owner's requests, each a coroutine from a request structure to an answer."""

    def __init__(
        self,
        identity: Identity,
        directory: Directory,
        calendars: Calendars,
        notify: Notify,
        store: Store,
        new_board_link: Callable[[], str],
        seed_of: Callable[[float], Awaitable[Seed]],
        emulator: Emulator | None = None,
        more: Sequence[BaseRoute] = (),
    ) -> None:
        self._seed_of = seed_of
        self._more = more
        self._new_board_link = new_board_link
        self._identity = identity
        self._directory = directory
        self._calendars = calendars
        self._notify = notify
        self._store = store
        self._emulator = emulator
        self._tenants = identity.tenants
        self._apps = identity.apps

    def application(self) -> Starlette:
        """The ASGI application."""

        def answer(form: type[T], work: Callable[[T], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
            async def endpoint(request: Request) -> Response:
                try:
                    result = await work(msgspec.json.decode(await request.body(), type=form))
                except (Impossible, ValueError) as error:
                    return Response(str(error), 400)
                except Refused as refused:
                    return Response(refused.message, 400)
                return Response(msgspec.json.encode(result), media_type="application/json")

            return endpoint

        return Starlette(
            routes=[
                Route("/token", answer(TokenRequest, self.token), methods=["POST"]),
                Route("/users/import", answer(ImportRequest, self.import_users), methods=["POST"]),
                Route("/users/list", answer(ListRequest, self.list_users), methods=["POST"]),
                Route("/users/sign-out", answer(PersonRequest, self.sign_out), methods=["POST"]),
                Route("/users/find", answer(FindRequest, self.find_users), methods=["POST"]),
                Route("/calendar/import", answer(CalendarImport, self.import_calendar), methods=["POST"]),
                Route("/calendar/remove", answer(PersonRequest, self.remove_calendar), methods=["POST"]),
                Route("/apps/add", answer(AppRequest, self.add_app), methods=["POST"]),
                Route("/apps/list", answer(ListRequest, self.list_apps), methods=["POST"]),
                Route("/keys/rotate", answer(RotateRequest, self.rotate_keys), methods=["POST"]),
                Route("/subscriptions/list", answer(ListRequest, self.list_subscriptions), methods=["POST"]),
                Route("/deliveries/list", answer(DeliveriesRequest, self.list_deliveries), methods=["POST"]),
                Route("/board/link", answer(BoardLinkRequest, self.board_link), methods=["POST"]),
                *self._more,
                *([Mount("/presenced", self._emulator.owner)] if self._emulator is not None else []),
                Route("/export", answer(EnvironmentRequest, self.export), methods=["POST"]),
                Route("/about", answer(EnvironmentRequest, self.about), methods=["POST"]),
                Route("/environment", answer(EnvironmentRequest, self.environment), methods=["POST"]),
            ]
        )

    async def token(self, request: "TokenRequest") -> dict[str, Any]:
        """A bearer token of the local issuer."""
        if not 1 <= request.lifetime <= LONGEST_LIFETIME:
            raise Impossible(f"A token lives from 1 second to {LONGEST_LIFETIME} seconds.")
        app = self._app_for(request)
        user = None
        if request.user is not None:
            person = await self._person(app.tenant, request.user)
            user = person.id, _profile(person)
        granted = app.application_permissions if user is None else app.delegated_permissions
        known = APPLICATION if user is None else DELEGATED
        if request.permissions:
            _check_permissions(request.permissions, known)
            granted = tuple(request.permissions)
        if not granted:
            kind = "application" if user is None else "delegated"
            raise Impossible(f"The app {app.name} has no {kind} permissions. Name some with --permission.")
        token, lifetime = self._identity.issuer.mint_access_token(app, app.tenant, user, granted, request.lifetime)
        return {"token": token, "expires_in": lifetime}

    async def import_users(self, request: ImportRequest) -> ImportResult:
        """Add or change people."""
        tenant = await self._tenant(request.tenant, add=True)
        result = ImportResult()
        # all at once: the store then keeps them in a few commits, not in one each
        outcomes = await asyncio.gather(*(self._import(tenant, row) for row in request.rows), return_exceptions=True)
        for number, outcome in enumerate(outcomes, request.first):
            if isinstance(outcome, Refused):
                result.wrong.append(f"row {number}: {outcome.message}")
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                result.added += outcome
                result.updated += not outcome
        return result

    async def list_users(self, request: "ListRequest") -> list[Person]:
        """A page of people, in the order of their ids."""
        return await self._directory.page(await self._tenant(request.tenant), request.after, request.limit)

    async def find_users(self, request: "FindRequest") -> list[Person | None]:
        """The people with these ids or userPrincipalNames, None for those nobody knows."""
        tenant = await self._tenant(request.tenant)
        return [await self._directory.find(tenant, key) for key in request.keys]

    async def sign_out(self, request: PersonRequest) -> int:
        """End what keeps a person signed in to apps; how many sign-ins there were."""
        tenant = await self._tenant(request.tenant)
        person = await self._person(tenant, request.user)
        self._identity.sessions.forget(tenant, person.id)
        await self._identity.passwords.sign_out(tenant, person.id)
        return await self._identity.refresh_tokens.revoke_all(tenant, person.id)

    async def list_subscriptions(self, request: "ListRequest") -> list[SubscriptionShown]:
        """Who is subscribed in a tenant."""
        return list_subscriptions(self._notify, await self._tenant(request.tenant))

    async def list_deliveries(self, request: DeliveriesRequest) -> list[EndpointShown]:
        """What has become of deliveries, by endpoint."""
        return await list_deliveries(self._notify, self._store)

    async def board_link(self, request: "BoardLinkRequest") -> "BoardLink":
        """A new one-time link to the board of a running server."""
        return BoardLink(self._new_board_link())

    async def about(self, request: "EnvironmentRequest") -> About:
        """What notifications to a tenant's apps are checked by."""
        tenant = await self._tenant(request.tenant)
        return About(tenant, self._notify.tokens.issuer(tenant))

    async def import_calendar(self, request: CalendarImport) -> Summary:
        """Make a calendar a person's."""
        tenant = await self._tenant(request.tenant)
        person = await self._person(tenant, request.user)
        try:
            return await self._calendars.put(tenant, person.id, request.text, request.source)
        except NotACalendar as error:
            raise Impossible(f"{request.source}: {error}") from error

    async def remove_calendar(self, request: PersonRequest) -> bool:
        """Forget a person's calendar, and whether there was one."""
        tenant = await self._tenant(request.tenant)
        person = await self._person(tenant, request.user)
        return await self._calendars.remove(tenant, person.id)

    async def export(self, request: "EnvironmentRequest") -> Seed:
        """What the folder holds, as a seed."""
        if self._emulator is not None:
            return await self._emulator.seeds.export()
        try:
            return await self._seed_of(self._identity.clock.now())
        except NotACalendar as error:
            raise Impossible(str(error)) from error

    async def add_app(self, request: AppRequest) -> AppShown:
        """Register an app. Its secret is in the answer and nowhere else."""
        _check_permissions(request.permissions, DELEGATED if request.for_people else APPLICATION)
        return await add_app(self._apps, await self._tenant(request.tenant, add=True), request)

    async def list_apps(self, request: "ListRequest") -> list[AppShown]:
        """All apps of a tenant, without their secrets."""
        return [show_app(app) for app in self._apps.list(await self._tenant(request.tenant))]

    async def rotate_keys(self, request: "RotateRequest") -> dict[str, Any]:
        """Sign with a new key from now on; with ``revoke``, refuse what older ones signed."""
        key = self._identity.keys.rotate(revoke=request.revoke)
        if request.revoke:
            self._identity.verifier.forget()
        return {"kid": key.kid}

    async def environment(self, request: "EnvironmentRequest") -> Environment:
        """The tenant, and an app for application use."""
        tenant = await self._tenant(request.tenant)
        if request.app is not None:
            app = self._apps.get(tenant, request.app)
            if app is None:
                raise Impossible(f"There is no app {request.app}. See: presenced apps list")
        else:
            app = next((app for app in self._apps.list(tenant) if app.application_permissions), None)
        return Environment(tenant, app.id if app else None, self._known_secret(app) if app else None)

    def _known_secret(self, app: App) -> str | None:
        """The secret of an app that is none, since documentation or the server's seed says it."""
        if sample.has_known_secret(self._apps, app):
            return sample.SECRET
        said = None if self._emulator is None else self._emulator.seeds.secret(app.tenant, app.id)
        return said if said is not None and self._apps.verify_secret(app, said) else None

    def _app_for(self, request: TokenRequest) -> App:
        if request.app is not None:
            for tenant in self._tenants.list():
                if request.tenant in (None, tenant.id) and (app := self._apps.get(tenant.id, request.app)):
                    return app
            raise Impossible(f"There is no app {request.app}. See: presenced apps list")
        tenant_id = guid(request.tenant) if request.tenant else self._tenants.home
        apps = self._apps.list(tenant_id or "")
        for app in apps:
            if app.delegated_permissions if request.user is not None else app.application_permissions:
                return app
        if not apps:
            raise Impossible(
                "There is no app yet. Make one with: presenced apps add NAME --permission Presence.Read.All"
            )
        return apps[0]

    async def _import(self, tenant: str, row: ImportRow) -> bool:
        name = row.user_principal_name if isinstance(row.user_principal_name, str) else None
        change = PersonChange(row.user_principal_name, row.display_name, row.mail, row.job_title)
        if row.id is not None:
            person = guid(row.id)
            if person is None:
                raise Refused("Request_BadRequest", f"the id {row.id!r} is not a GUID")
            return await self._directory.put(tenant, person, change)
        if name is None:
            raise Refused("Request_BadRequest", "neither an id nor a userPrincipalName")
        known = await self._directory.find(tenant, name)
        if known is None:
            await self._directory.add(tenant, None, change)
            return True
        return await self._directory.put(tenant, known.id, change)

    async def _person(self, tenant: str, key: str) -> Person:
        person = await self._directory.find(tenant, key)
        if person is None:
            raise Impossible(f"There is nobody with the id or name {key}. See: presenced users list")
        return person

    async def _tenant(self, asked: str | None, *, add: bool = False) -> str:
        if asked is None:
            return self._tenants.home
        tenant = guid(asked)
        if tenant is None:
            raise Impossible(f"{asked!r} is not the id of a tenant (a GUID).")
        if not self._tenants.known(tenant):
            if not add:
                raise Impossible(f"There is no tenant {tenant} in this folder.")
            await self._tenants.add(tenant)
        return tenant


class ListRequest(msgspec.Struct):
    """Which part of a list: up to ``limit`` entries after the id ``after``."""

    tenant: str | None = None
    after: str = ""
    limit: int = 1000


class FindRequest(msgspec.Struct):
    """People by id or userPrincipalName."""

    keys: list[str]
    tenant: str | None = None


class RotateRequest(msgspec.Struct):
    """Whether tokens signed with older keys are refused from now on."""

    revoke: bool = False


class BoardLinkRequest(msgspec.Struct):
    """Nothing to choose."""


class BoardLink(msgspec.Struct):
    """The secret of a one-time link to the board."""

    secret: str


class EnvironmentRequest(msgspec.Struct):
    """For which tenant and app."""

    tenant: str | None = None
    app: str | None = None


def _check_permissions(asked: list[str], known: tuple[str, ...]) -> None:
    for permission in asked:
        if permission not in known:
            raise Impossible(f"{permission} is not a permission presenced knows here. These are: {', '.join(known)}")


def _profile(person: Person) -> Profile:
    return Profile(person.user_principal_name, person.display_name, person.mail, person.job_title)
