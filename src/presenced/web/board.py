"""Board: the page at / and what it asks under /board, as an ASGI application (docs/board.md).

Two kinds of people look: the owner, by a one-time link, who sees every tenant and may change anyone; and people who
signed in through the local issuer, who see their tenant's presence as colleagues do and change their own. Nothing
goes through Graph: this is a view of the same service, with the rules that Graph's actions have.
"""

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from presenced.clock import Clock
from presenced.identity.identity import Identity
from presenced.notify.notify import Notify
from presenced.presence.record import guid
from presenced.presence.refused import Refused
from presenced.service import Service
from presenced.store.base import Store, StoreUnavailable
from presenced.web import owner, people
from presenced.web.access import Denied, check_origin, check_reader, own_address, protect
from presenced.web.actions import ACTIONS
from presenced.web.exchange import (
    Cookie,
    EventStream,
    failure,
    http_error,
    json,
    number,
    page,
    person_in,
    read,
    refusal,
    static,
)
from presenced.web.history import History
from presenced.web.hub import MOST_VIEWERS, Hub
from presenced.web.people import Page
from presenced.web.people import page as page_of
from presenced.web.sessions import SESSION_LIFE, Links, Session, Sessions
from presenced.web.sign_in import ATTEMPT_LIFE, SignedIn, SignIn
from presenced.web.ticker import Ticker

PAGE = 1000
"""People in one answer."""

log = structlog.get_logger()

Answering = Callable[["Visit"], Awaitable[Any]]


class _Link(msgspec.Struct):
    """The secret of a one-time link."""

    link: str


class Visit:
    """A request by somebody who is known; ``tenant`` is the one it is about."""

    def __init__(self, request: Request, session: Session, tenant: str) -> None:
        self.request = request
        self.session = session
        self.tenant = tenant

    def may_see_all_of(self, person: str) -> bool:
        """Whether more of a person may be seen, and changed, than colleagues see."""
        return self.session.is_owner or person == self.session.person


class Board:
    """The board over these parts. ``clock_control`` and ``request_log`` are the emulator's, where there is one."""

    def __init__(
        self,
        service: Service,
        store: Store,
        identity: Identity,
        notify: Notify,
        clock: Clock,
        clock_control: owner.ClockControl | None = None,
        request_log: owner.RequestLog | None = None,
    ) -> None:
        self.links = Links(time.time)
        self.clock_control = clock_control
        self.request_log = request_log
        self._service = service
        self._store = store
        self._identity = identity
        self._notify = notify
        self._clock = clock
        self._sign_in = SignIn(identity, time.monotonic)
        self._history = History(store)
        self._hub = Hub(self._history, clock)
        self._sessions: Sessions | None = None
        self._ticker = Ticker(self._hub, clock, clock_control)
        self._stopping = False
        store.follow(self._hub.follow)
        self._application = self._routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)

    @staticmethod
    def answers(path: str) -> bool:
        """Whether a path is one of the board's."""
        return path == "/" or path.startswith("/board/")

    def hang_up(self) -> None:
        """End the streams, which would go on for as long as their readers like."""
        self._stopping = True
        self._hub.end()

    def clear(self) -> None:
        """Forget the history: the server was reset."""
        self._history.clear()

    async def stop(self) -> None:
        """End everything that goes on by itself."""
        self.hang_up()
        await self._history.stop()

    # --- who asks --------------------------------------------------------------------------------------------------

    async def begin_session(self, request: Request) -> Response:
        """Take a one-time link's secret for a session."""
        body = await read(request, _Link)
        if not self.links.take(body.link):
            raise Denied(403, "This link was used already or is too old. Print a new one with: presenced board-link")
        response = Response(status_code=204)
        self._session_cookie(request).set(response, await (await self._loaded()).begin(), SESSION_LIFE)
        return response

    async def end_session(self, request: Request) -> Response:
        """Sign out."""
        cookie = self._session_cookie(request)
        await (await self._loaded()).end(cookie.of(request))
        response = Response(status_code=204)
        cookie.set(response, "", 0)
        return response

    async def sign_in(self, request: Request) -> Response:
        """Send the browser to the sign-in page."""
        check_reader(request)
        address, attempt = self._sign_in.begin(self._address(request), request.query_params.get("tenant", ""))
        response = RedirectResponse(address, 303)
        self._attempt_cookie(request).set(response, attempt, ATTEMPT_LIFE)
        return response

    async def signed_in(self, request: Request) -> Response:
        """What the sign-in page sends the browser back with."""
        cookie, query = self._attempt_cookie(request), request.query_params
        response = RedirectResponse("/", 303)
        if "code" in query:
            who = await self._sign_in.finish(cookie.of(request), query.get("state", ""), query["code"])
            self._session_cookie(request).set(response, await (await self._loaded()).begin(*who), SESSION_LIFE)
        cookie.set(response, "", 0)
        return response

    async def session(self, visit: Visit) -> Any:
        """Who is looking, and at what they may."""
        session, name = visit.session, None
        if session.person is not None:
            (record,) = await self._store.read(visit.tenant, [session.person])
            name = None if record is None else record.profile.display_name or record.profile.user_principal_name
        tenants = self._identity.tenants.list() if session.is_owner else []
        return {
            "role": "owner" if session.is_owner else "person",
            "tenant": visit.tenant,
            "person": session.person,
            "name": name,
            "tenants": [{"id": one.id, "domains": one.domains} for one in tenants],
            "clock": session.is_owner and self.clock_control is not None,
            "log": session.is_owner and self.request_log is not None,
        }

    # --- people ----------------------------------------------------------------------------------------------------

    async def people(self, visit: Visit) -> Any:
        """A page of a tenant's people, in the order of their ids."""
        query = visit.request.query_params
        limit = number(query.get("limit", str(PAGE)), 1, PAGE)
        return await self.page(visit.tenant, query.get("after", ""), limit)

    async def person(self, visit: Visit) -> Any:
        """A person: in full, or the row that colleagues see."""
        person = person_in(visit.request)
        stamp = self._hub.stamp
        (record,) = await self._service.known(visit.tenant, [person])
        if record is None:
            raise Denied(404, "There is nobody with this id.")
        now = self._clock.now()
        if visit.may_see_all_of(person):
            shown: Any = people.full(self._history, visit.tenant, person, record, now)
        else:
            shown = {"row": people.row(self._history, visit.tenant, person, record, now)}
        return {"stamp": stamp, "now": now, "person": shown, "mayChange": visit.may_see_all_of(person)}

    async def act(self, visit: Visit) -> Response:
        """Change a person's presence by one of Graph's actions."""
        person = person_in(visit.request)
        action = ACTIONS.get(visit.request.path_params["action"])
        if action is None:
            raise Denied(404, f"There is no such action. These are: {', '.join(ACTIONS)}.")
        if not visit.may_see_all_of(person):
            raise Denied(403, "You can change your own presence only.")
        asked = await read(visit.request, action.form)
        await self._service.record(visit.tenant, person)  # the board adds nobody
        await self._service.change(visit.tenant, person, lambda record, now: action.rule(record, asked, now))
        return Response(status_code=204)

    async def events(self, visit: Visit) -> Response:
        """The stream of a tenant's changes."""
        return EventStream(self._stream(visit, self.told(visit.tenant)))

    async def _stream(self, visit: Visit, told: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
        cookie = self._session_cookie(visit.request).of(visit.request)
        sessions = await self._loaded()
        async with contextlib.aclosing(told):
            async for sent in told:
                # whose session has ended is told nothing more, whatever waits
                session = sessions.find(cookie)
                if session is None or not await self._still(session):
                    return
                yield sent

    # --- the owner's -------------------------------------------------------------------------------------------------

    async def notifications(self, visit: Visit) -> Any:
        """Subscriptions and deliveries."""
        _owner_only(visit)
        return await owner.told(self._notify, self._store, visit.tenant)

    async def clock(self, visit: Visit) -> Any:
        """What the clock says, after it was moved if that is asked."""
        _owner_only(visit)
        if self.clock_control is None:
            raise Denied(404, "The clock can be moved only where the server was started with --control.")
        if visit.request.method != "POST":
            return self.clock_control.state()
        state = await owner.change_clock(self.clock_control, await read(visit.request, owner.ClockChange))
        self._hub.reload()
        return state

    async def log(self, visit: Visit) -> Any:
        """The last requests."""
        _owner_only(visit)
        if self.request_log is None:
            raise Denied(404, "There is a request log only where the server was started with --control.")
        return {"requests": self.request_log.latest(visit.tenant, owner.MOST_SHOWN)}

    async def page(self, asked_tenant: str, after: str, limit: int = PAGE) -> Page:
        """A page of people; an empty ``asked_tenant`` is the home tenant. Raises Denied."""
        tenant = self._known_tenant(asked_tenant)
        self._read_history()
        # the stamp before anything is read, so that what is told meanwhile counts as newer
        return await page_of(
            self._service, self._store, self._history, self._clock, self._hub.stamp, tenant, after, limit
        )

    def told(self, asked_tenant: str) -> AsyncGenerator[bytes, None]:
        """The stream of a tenant's changes. Raises Denied if too many look already."""
        tenant = self._known_tenant(asked_tenant)
        if self._hub.viewers() >= MOST_VIEWERS or self._stopping:
            raise Denied(503, "Too many look at the board just now.")
        self._read_history()
        return self._ticker.events(tenant)

    # --- the way of every request ------------------------------------------------------------------------------------

    def _routes(self) -> Starlette:
        def at(path: str, answering: Callable[[Request], Awaitable[Response]], *methods: str) -> Route:
            return Route(path, self._guarded(answering), methods=list(methods))

        def known(path: str, answering: Answering, *methods: str) -> Route:
            return Route(path, self._guarded(self._known(answering)), methods=list(methods))

        routes = [
            at("/", page, "GET"),
            at("/board/static/{name}", static, "GET"),
            at("/board/session", self.begin_session, "POST"),
            at("/board/session", self.end_session, "DELETE"),
            at("/board/sign-in", self.sign_in, "GET"),
            at("/board/signed-in", self.signed_in, "GET"),
            known("/board/session", self.session, "GET"),
            known("/board/people", self.people, "GET"),
            known("/board/people/{person}", self.person, "GET"),
            known("/board/people/{person}/{action}", self.act, "POST"),
            known("/board/events", self.events, "GET"),
            known("/board/subscriptions", self.notifications, "GET"),
            known("/board/clock", self.clock, "GET", "POST"),
            known("/board/log", self.log, "GET"),
        ]
        application = Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: http_error,
                Exception: failure,
            },
        )
        application.router.redirect_slashes = False
        return application

    def _guarded(self, answering: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                address = self._address(request)
                if request.method in ("POST", "DELETE"):
                    check_origin(request, address)
                return protect(await answering(request))
            except Denied as denied:
                return refusal(denied.status, denied.message)
            except Refused as refused:
                return refusal(404 if refused.code == "NotFound" else 400, refused.message)
            except StoreUnavailable:
                log.error("the store is unavailable", path=request.url.path)
                return refusal(503, "The store cannot keep or read anything just now. Please try again.")

        return endpoint

    def _known(self, answering: Answering) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            check_reader(request)
            session = await self._who(request)
            if session is None:
                raise Denied(401, "Sign in first.")
            result = await answering(Visit(request, session, self._tenant(request, session)))
            if isinstance(result, Response):
                return result
            return json(result)

        return answer

    async def _who(self, request: Request) -> Session | None:
        session = (await self._loaded()).find(self._session_cookie(request).of(request))
        if session is None or not await self._still(session):
            return None
        self._read_history()
        return session

    def _read_history(self) -> None:
        """Begin with the past, for whoever looks first; until it is read, it says less."""
        if not self._stopping:
            self._history.begin(self._hub.reload)

    async def _still(self, session: Session) -> bool:
        """Whether the session's person is still there and has the password they had."""
        if session.tenant is None or session.person is None:
            return True
        return await self._sign_in.user(SignedIn(session.tenant, session.person, session.stamp)) is not None

    def _tenant(self, request: Request, session: Session) -> str:
        asked = request.query_params.get("tenant")
        if session.tenant is not None:
            if asked not in (None, "", session.tenant):
                raise Denied(403, "You can look at your own tenant only.")
            return session.tenant
        return self._known_tenant(asked)

    def _known_tenant(self, asked: str | None) -> str:
        tenant = guid(asked) if asked else self._identity.tenants.home
        if tenant is None or not self._identity.tenants.known(tenant):
            raise Denied(404, "This server has no such tenant.")
        return tenant

    async def _loaded(self) -> Sessions:
        if self._sessions is None:
            loaded = await Sessions.load(self._store, time.time)
            self._sessions = self._sessions or loaded  # another request may have been first
        return self._sessions

    def _address(self, request: Request) -> str:
        return own_address(request, self._identity.base_urls)

    def _session_cookie(self, request: Request) -> Cookie:
        return Cookie("presenced-board", self._address(request))

    def _attempt_cookie(self, request: Request) -> Cookie:
        return Cookie("presenced-board-sign-in", self._address(request))


def _owner_only(visit: Visit) -> None:
    if not visit.session.is_owner:
        raise Denied(403, "Only the owner of the server can see this: open the board by a one-time link.")
