"""Recorder: an ASGI application that keeps what is asked of another and what that answers, and cuts connections.

Of Graph's requests the exchange notes in the scope who asked for what and what went wrong (graph/interception.py); of
sign-in's, tenant, app and operation are read from the address and the form here.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from presenced.clock import Clock
from presenced.emulator import secrets
from presenced.emulator.instants import iso
from presenced.emulator.log_entries import RequestEntry
from presenced.emulator.match import READS
from presenced.emulator.rings import Rings
from presenced.presence.record import guid

log = structlog.get_logger()

NOTED = "presenced.noted"
_CUT = "presenced.cut"
"""Names of the scope's notes and of the message that closes the connection, as graph/ and http_server.py have them."""

_GONE = "The client closed the connection before it was answered."
_WAS_CUT = "The connection was cut."
_FAILED = "The server failed at this; its log says how."

SIGN_IN = (
    "token", "devicecode", "authorize", "logout", "login", "devicelogin", "instance", "openid-configuration", "keys",
    "userrealm",
)  # fmt: skip
"""The operations of sign-in, by which its requests are named: the last word of their addresses."""

_UNSEEN = ("/docs", "/openapi")
_SHOWN_TYPES = ("application/json", "application/xml")


class _Body:
    """A body, as far as it is kept."""

    def __init__(self) -> None:
        self.size = 0
        self._kept = bytearray()

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if (room := secrets.MOST_READ - len(self._kept)) > 0:
            self._kept += part[:room]

    def text(self, encoding: str, mask: Callable[..., str]) -> str:
        """What of it may be kept."""
        plain = secrets.unzipped(bytes(self._kept), encoding.lower())
        if plain is None:
            return f"({self.size} bytes that cannot be read)"
        whole = self.size == len(self._kept) and len(plain) < secrets.MOST_READ
        return mask(plain, self.size, whole=whole)


class Recorder:
    """``application`` with its requests kept in ``log``. ``find_tenant`` knows the tenants in sign-in's paths."""

    def __init__(
        self,
        application: ASGIApp,
        log: Rings[RequestEntry],
        clock: Clock,
        find_tenant: Callable[[str], str | None] | None = None,
        *,
        generation: Callable[[], int],
    ) -> None:
        self.generation = generation
        self._application = application
        self._log = log
        self._clock = clock
        self._find_tenant = find_tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._find_tenant is not None and scope["path"].startswith(_UNSEEN):
            await self._application(scope, receive, send)
            return
        await _Exchange(self, scope, receive, send).run(self._application)

    def keep(self, scope: Scope, at: float, **seen: Any) -> None:
        """Keep a request with its answer."""
        path = scope["raw_path"].decode("latin-1")
        sign_in = self._find_tenant is not None
        if query := scope["query_string"].decode("latin-1"):
            path = f"{path}?{secrets.masked_query(query, only_open=sign_in)}"
        form = seen.pop("form")
        who = self._signing_in(scope, form) if sign_in else _calling(scope)
        entry = RequestEntry(
            number=self._log.next_number(), at=iso(at), method=scope["method"], path=path[:8192], **who, **seen
        )
        self._log.add(entry, _size(entry))

    def _signing_in(self, scope: Scope, form: bytes) -> dict[str, Any]:
        assert self._find_tenant is not None
        names = [unquote(name) for name in scope["path"].strip("/").split("/")]
        operation = next((name for name in reversed(names) if name.lower() in SIGN_IN), None)
        text = (form or scope["query_string"]).decode("utf-8", "replace")
        fields = dict(parse_qsl(text)) if len(text) <= 64 * 1024 else {}
        return {
            "tenant": self._find_tenant(names[0]) if len(names) > 1 else None,
            "app": guid(fields.get("client_id", "")),
            "user": None,
            "operation": operation and operation.lower(),
        }


class _Exchange:
    """One request on its way to the application, and the answer on its way back."""

    def __init__(self, recorder: Recorder, scope: Scope, receive: Receive, send: Send) -> None:
        self._recorder = recorder
        self._scope = scope
        self._receive, self._send = receive, send
        self._at = recorder._clock.now()
        self._began = time.monotonic()
        self._asked, self._answered = _Body(), _Body()
        self._start: Message = {"status": None, "headers": []}
        self._held: Message | None = None
        self._kept = False
        self._generation = recorder.generation()
        self._noted: dict[str, Any] = {}
        scope[NOTED] = self._noted

    async def run(self, application: ASGIApp) -> None:
        error = _GONE
        try:
            await application(self._scope, self._receiving, self._sending)
            if self._noted.get("cut") in ("before", "after"):
                error = _WAS_CUT
                self._keep(error)
                await self._send({"type": _CUT})
        except Exception:
            error = _FAILED
            raise
        finally:
            self._keep(error)

    async def _receiving(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._asked.add(message.get("body", b""))
        return message

    async def _sending(self, message: Message) -> None:
        cut = self._noted.get("cut") == "within"
        if message["type"] == "http.response.start":
            self._start = message
            if cut:
                self._held = message
                return
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self._answered.add(body)
            if cut:
                self._keep(_WAS_CUT)
                if body and self._held is not None:
                    await self._send(self._held)
                    await self._send({**message, "body": body[: max(len(body) // 2, 1)], "more_body": True})
                await self._send({"type": _CUT})
                return
            if not message.get("more_body", False):
                self._keep(None)  # before it is sent: who has the answer finds it in the log
        await self._send(message)

    def _keep(self, error: str | None) -> None:
        if self._kept:
            return
        self._kept = True
        if self._generation != self._recorder.generation():
            return  # it was under way when everything was forgotten
        try:
            self._keep_now(error)
        except Exception:  # of the log; the request is answered all the same
            log.exception("a request could not be kept in the log")

    def _keep_now(self, error: str | None) -> None:
        sign_in = self._recorder._find_tenant is not None
        asked = dict(self._scope["headers"])
        answered = {name.lower(): value for name, value in self._start["headers"]}
        form = bytes(self._asked._kept) if sign_in and self._scope["method"] == "POST" else b""
        self._recorder.keep(
            self._scope,
            self._at,
            form=form,
            status=None if error == _WAS_CUT else self._start["status"],
            duration=round(time.monotonic() - self._began, 6),
            faults=list(dict.fromkeys(one for many in self._noted.get("faults", ()) for one in many.split(", "))),
            problem=error,
            request_id=answered.get(b"request-id", b"").decode("latin-1") or None,
            request_headers=secrets.masked_headers(self._scope["headers"], sign_in=sign_in),
            request_body=self._asked.text(
                asked.get(b"content-encoding", b"").decode("latin-1"),
                secrets.masked_form if sign_in else secrets.masked_json,
            ),
            request_size=self._asked.size,
            response_headers=secrets.masked_headers(self._start["headers"], sign_in=sign_in),
            response_body=self._answer(answered, sign_in=sign_in),
            response_size=self._answered.size,
        )

    def _answer(self, headers: dict[bytes, bytes], *, sign_in: bool) -> str:
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if self._answered.size and kind not in _SHOWN_TYPES:
            return f"({self._answered.size} bytes of {kind or 'no type'})"  # pages hold what their forms send back
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        presences = self._start["status"] == 200 and self._noted.get("operation") in READS
        if presences or kind == "application/xml":  # or what Graph says of itself: no credential is in either
            return self._answered.text(encoding, lambda body, size, whole: secrets.cut(body, size))
        private = sign_in and self._scope["method"] == "POST"
        return self._answered.text(encoding, secrets.masked_answer if private else secrets.masked_json)


def _calling(scope: Scope) -> dict[str, Any]:
    """Who asked for what, as Graph's exchange noted it."""
    noted = scope[NOTED]
    caller = noted.get("caller")
    return {
        "tenant": None if caller is None else caller.tenant or None,
        "app": None if caller is None else caller.app or None,
        "user": None if caller is None else caller.user,
        "operation": noted.get("operation"),
    }


def _size(entry: RequestEntry) -> int:
    """About how many bytes it takes."""
    headers = (*entry.request_headers.items(), *entry.response_headers.items())
    texts = len(entry.path) + len(entry.request_body) + len(entry.response_body)
    return 1000 + texts + sum(len(name) + len(value) + 100 for name, value in headers)
