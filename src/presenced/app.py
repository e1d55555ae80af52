"""App: puts the parts together. The only file besides the commands that knows them all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from presenced.calendar.calendars import Calendars
from presenced.clock import Clock, SettableClock, SystemClock
from presenced.control import Control, Impossible
from presenced.emulator import sample, seed_start
from presenced.emulator.access import Guard
from presenced.emulator.application import PREFIX
from presenced.emulator.baseline import Baseline
from presenced.emulator.emulator import Emulator
from presenced.emulator.export import export
from presenced.emulator.recorder import Recorder
from presenced.emulator.seed_file import SeedWrong, read_file
from presenced.emulator.seeds import Seeds
from presenced.emulator.time_control import TimeControl
from presenced.emulator.traffic import Traffic
from presenced.folder import DataFolder
from presenced.graph.call import Answer
from presenced.graph.errors import envelope
from presenced.graph.exchange import GraphExchange
from presenced.graph.headers import ERROR_JSON, answer_headers, client_request_id, new_request_id, request_headers
from presenced.graph.interception import InterceptedExchange
from presenced.graph.operation import Parts
from presenced.graph.operations import OPERATIONS
from presenced.graph.paths import VERSIONS
from presenced.graph.server import GraphServer
from presenced.graph.throttle import Budgets
from presenced.identity.directory import Directory
from presenced.identity.endpoints import identity_routes
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.identity.loopback import is_loopback
from presenced.identity.permissions import APPLICATION, DELEGATED
from presenced.identity.sign_in_endpoints import sign_in_routes
from presenced.notify.addresses import Rules
from presenced.notify.notify import Notify
from presenced.openapi.pages import openapi_routes
from presenced.presence.record import Profile
from presenced.service import Service
from presenced.settings import Settings
from presenced.store.base import Store
from presenced.store.sqlite import SqliteStore
from presenced.view import View
from presenced.web.board import Board
from presenced.web.owner_routes import owner_routes

_GRAPH_PREFIXES = tuple(f"/{version}" for version in VERSIONS)


class App:
    """A presence server as an ASGI application: Graph under /v1.0 and /beta, the local issuer under /{tenant},
    the live board at / and /board.

    ``control`` is the owner's application, never to be put on a network port.
    """

    def __init__(
        self,
        store: Store,
        identity: Identity,
        directory: Directory,
        notify: Notify,
        settings: Settings,
        clock: Clock,
        baseline: Baseline | None = None,
        put_in: bool = False,
    ) -> None:
        self.store = store
        self.put_in = put_in
        """Whether the folder was new and holds the seed or the sample since this start."""
        self.identity = identity
        self.notify = notify
        self.calendars = Calendars(store, clock)
        self.service = Service(store, View(), clock, add_unknown=settings.add_unknown, refill=self.calendars.refill)
        budgets = Budgets(settings.throttle_presence, clock, subscriptions=settings.throttle_subscriptions)
        self.emulator = self._emulator(settings, clock, budgets, baseline, put_in)
        self.board = Board(
            self.service,
            store,
            identity,
            notify,
            clock,
            None if self.emulator is None else self.emulator.time,
            None if self.emulator is None else self.emulator.traffic,
        )
        self.control: ASGIApp = Control(
            identity,
            directory,
            self.calendars,
            notify,
            store,
            self.board.links.new,
            partial(export, store, identity, self.calendars),
            self.emulator,
            owner_routes(self.board),
        ).application()
        parts = Parts(
            self.service,
            directory,
            identity.passwords,
            self.calendars,
            notify,
            omit_unknown=settings.unknown_ids == "omit",
            done=Answer(int(settings.action_status)),
        )
        exchange = GraphExchange if self.emulator is None else partial(InterceptedExchange, self.emulator.traffic)
        self._graph: ASGIApp = GraphServer(
            parts,
            identity.verifier,
            identity.base_urls,
            budgets,
            clock,
            settings.most_body,
            exchange,
        )
        self._rest = _with_request_ids(_identity_application(identity, clock))
        if self.emulator is not None:
            self._controlled = _with_request_ids(self.emulator.network)
            traffic = self.emulator.traffic
            log = traffic.requests
            self.emulator.seeds.forget.append(self.board.clear)

            def generation() -> int:
                return traffic.generation

            self._graph = Recorder(self._graph, log, clock, generation=generation)
            self._rest = Recorder(self._rest, log, clock, identity.tenants.find, generation=generation)

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, folder: DataFolder, settings: Settings, clock: Clock | None = None) -> AsyncIterator["App"]:
        """The application over an opened folder, until the end of the block.

        Raises StoreUnavailable, KeysUnusable, and Impossible for settings that cannot be.
        """
        clock = clock or (SettableClock() if settings.control else SystemClock())
        baseline = await _baseline(settings, clock)
        store = await SqliteStore.open(folder.database)
        try:
            directory = Directory(store, clock)
            new = not await store.documents("tenants") or await seed_start.is_under_way(store)
            if new and baseline is not None:
                await seed_start.begin(store)
            try:
                identity = await Identity.load(
                    store,
                    clock,
                    _finder(directory),
                    keys_path=folder.keys,
                    home_tenant=_home(settings, baseline) if new else None,
                    public_url=settings.public_url,
                    external=settings.issuers,
                    known_permissions={*APPLICATION, *DELEGATED},
                    suggest=sample.suggest,
                )
            except ValueError as error:
                raise Impossible(str(error)) from error
            try:
                if new and baseline is not None:
                    await seed_start.finish(store, identity, baseline, clock)
                put_in = new and baseline is not None
                if settings.sample:
                    baseline = await sample.fill(store, identity, clock)
                    put_in = new  # nobody else can have been in a new folder before the sample
                notify = await _load_notify(store, identity, settings, clock)
                try:
                    yield cls(store, identity, directory, notify, settings, clock, baseline, put_in)
                finally:
                    await notify.client.close()
            finally:
                await identity.close()
        finally:
            await store.close()

    async def start(self) -> None:
        """Let time pass, and tell subscribers."""
        await self.notify.notifier.start()
        await self.service.start()

    def hang_up(self) -> None:
        """End what would go on for as long as clients like: the board's streams, and who waits for traffic."""
        self.board.hang_up()
        if self.emulator is not None:
            self.emulator.traffic.hang_up()

    async def stop(self) -> None:
        """Stop what ``start`` began; what is not told yet is told after the next start."""
        await self.board.stop()
        await self.service.stop()
        await self.notify.notifier.stop()

    def _emulator(
        self, settings: Settings, clock: Clock, budgets: Budgets, baseline: Baseline | None, put_in: bool
    ) -> Emulator | None:
        """The control API, if the settings allow it and the clock can be set; ``put_in``: the store is the baseline."""
        if not settings.control or not isinstance(clock, SettableClock):
            return None

        def error_body(request: Request, code: str, message: str) -> bytes:
            ids = (request.scope.get("presenced.request_id", ""), request.scope.get("presenced.client_request_id", ""))
            return envelope(code, message, *ids, clock.now())

        names = [operation.name for operation in OPERATIONS]
        traffic = Traffic(clock, self.store, self.service, self.identity.tenants, names)
        self.notify.notifier.intercept(traffic)
        time = TimeControl(clock, self.store, self.service, self.notify.notifier)
        seeds = Seeds(
            self.store,
            self.identity,
            self.calendars,
            clock,
            time,
            self.notify.notifier,
            [budgets.clear, traffic.clear],
            baseline,
            put_in=put_in,
            with_sample=settings.sample,
        )
        behind_proxy = settings.public_url is not None and not is_for_this_machine(settings)
        guard = Guard(settings.admin_token, behind_proxy=behind_proxy)
        return Emulator(time, seeds, traffic, error_body, guard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path[:5].lower() in _GRAPH_PREFIXES and path[5:6] in ("", "/"):
            await self._graph(scope, receive, send)
        elif Board.answers(path):
            await self.board(scope, receive, send)
        elif self.emulator is not None and (path == PREFIX or path.startswith(PREFIX + "/")):
            await self._controlled(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


async def _baseline(settings: Settings, clock: Clock) -> Baseline | None:
    """The seed file of the settings, made ready. Raises Impossible."""
    if settings.seed is None:
        return None
    if settings.sample:
        raise Impossible("A server begins with a seed or with the sample. Give one of --seed and --sample.")
    try:
        seed, text, form = await asyncio.to_thread(read_file, settings.seed)
        try:
            real = clock.real() if isinstance(clock, SettableClock) else clock.now()
            return await Baseline.of(seed, real)
        except SeedWrong as wrong:
            raise wrong.located(text, form) from None
    except SeedWrong as wrong:
        raise Impossible(f"The seed {settings.seed} cannot be used: {wrong}") from wrong


def _home(settings: Settings, baseline: Baseline | None) -> str | None:
    """The home tenant of a new folder; None: made up."""
    return sample.TENANT if settings.sample else None if baseline is None else baseline.home


def is_for_this_machine(settings: Settings) -> bool:
    """Whether only this machine reaches the server: it listens on loopback, and is no proxy's back end either."""
    public = settings.public_url is None or is_loopback(urlsplit(settings.public_url).hostname or "")
    return public and is_loopback(settings.host)


async def _load_notify(store: Store, identity: Identity, settings: Settings, clock: Clock) -> Notify:
    try:
        return await Notify.load(
            store,
            clock,
            identity.issuer,
            # whoever can ask a server that only this machine reaches is on this machine, and may call it anyway
            Rules(settings.notify_allow, allow_loopback=is_for_this_machine(settings)),
            ca=settings.notify_ca,
            spelling="observed" if settings.notify_spelling == "observed" else "documented",
            token_issuer=settings.notify_issuer,
            base_url=settings.public_url,
            extensions=settings.extensions,
        )
    except (ValueError, OSError) as error:
        raise Impossible(f"Notifications cannot be sent with these settings: {error}") from error


def _finder(directory: Directory) -> Callable[[str, str], Awaitable[User | None]]:
    async def find(tenant: str, name: str) -> User | None:
        person = await directory.find(tenant, name)
        if person is None:
            return None
        return person.id, Profile(person.user_principal_name, person.display_name, person.mail, person.job_title)

    return find


def _identity_application(identity: Identity, clock: Clock) -> ASGIApp:
    """The local issuer, and the API's description. What is at none of their paths is told so in Graph's envelope."""

    def refusal(status: int, code: str, message: str, headers: Any = None) -> Callable[[Request, Exception], Response]:
        def handle(request: Request, error: Exception) -> Response:
            # _with_request_ids has put these into the request; the answer's headers repeat them
            ids = request.scope["presenced.request_id"], request.scope["presenced.client_request_id"]
            return Response(
                envelope(code, message, *ids, clock.now()),
                status,
                getattr(error, "headers", None) if isinstance(error, HTTPException) else None,
                ERROR_JSON,
            )

        return handle

    application = Starlette(
        routes=[
            *identity_routes(identity),
            *sign_in_routes(identity),
            *openapi_routes(identity.base_urls),
        ],
        exception_handlers={
            404: refusal(404, "NotFound", "There is nothing at this path; Graph's begin with /v1.0 or /beta."),
            405: refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."),
            Exception: refusal(500, "InternalServerError", "presenced failed at this; its log says how."),
        },
    )
    application.router.redirect_slashes = False
    return application


def _with_request_ids(application: ASGIApp) -> ASGIApp:
    """Give every answer the headers that Graph's have."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        request_id = new_request_id()
        client_id = client_request_id(request_headers(scope["headers"]), request_id)
        scope["presenced.request_id"], scope["presenced.client_request_id"] = request_id, client_id

        async def send_with_ids(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                more = [pair for pair in answer_headers(request_id, client_id, None, 0) if pair[0] not in own]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await application(scope, receive, send_with_ids)

    return wrapped
