"""HTTP server: sockets, HTTP and HTTPS in one process, and stopping without cutting anyone off.

uvicorn does the work. Changed here: what cannot be parsed is answered in Graph's envelope, a request's head is bounded
in size and time (uvicorn with httptools bounds neither), and signals are left to whoever runs several servers at once.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from presenced.graph.errors import envelope
from presenced.graph.headers import ERROR_JSON, answer_headers, new_request_id

_LARGEST_HEAD = 64 * 1024
_SLOWEST_HEAD = 20.0
_FINISH_WITHIN = 20.0
_KEEP_ALIVE = 75
"""Seconds an idle connection is kept, as nginx keeps it: clients poll presence about once a minute."""

CUT = "presenced.cut"
"""The type of an ASGI message that closes the connection, whatever was sent by then (a fault of the emulator's)."""


class CannotListen(Exception):
    """The address or the certificate cannot be used. The message says what to do."""


class _Cycle(RequestResponseCycle):
    """One request and its answer. Where uvicorn writes the head and then the body, the head waits and both go as one.

    A write to a socket costs some 20 us, nearly all of it in the kernel and in waking the client.
    """

    _start: Any = None

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start" and not self.response_started:
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if self._send_whole(start, message):
                return
            await super().send(start)
        elif message["type"] == CUT:
            self.disconnected = True  # whoever waits for this request need not answer it
            self.transport.close()
            return
        await super().send(message)

    def _send_whole(self, start: Any, message: Any) -> bool:
        """Send an answer that is all here, of known length, on a connection that goes on; any other is uvicorn's."""
        headers = start["headers"]
        names = dict(headers)
        body = message.get("body", b"")
        if (
            self.disconnected
            or not self.keep_alive
            or self.flow.write_paused
            or message.get("more_body", False)
            or self.scope["method"] == "HEAD"
            or names.get(b"content-length") != b"%d" % len(body)
            or b"connection" in names
            or b"transfer-encoding" in names
        ):
            return False
        lines = [b"%b: %b\r\n" % header for header in (*self.default_headers, *headers)]
        head = b"".join((STATUS_LINE[start["status"]], *lines, b"\r\n"))
        if head.count(b"\n") != len(lines) + 2 or head.count(b"\r") != len(lines) + 2:
            return False  # a line break inside a header: uvicorn refuses it
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.writelines((head, body))
        self.message_event.set()
        self.on_response()
        return True


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with bounds on the head of a request, and answers that leave in one write."""

    _in_head = False
    _head_size = 0
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_deadline = self.loop.call_later(_SLOWEST_HEAD, self._head_too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began_before = self._in_head
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        # a head that began in the middle of this chunk, behind another request's body, counts from the next one on
        self._head_size = self._head_size + len(data) if began_before else 0
        if self._head_size > _LARGEST_HEAD:
            self._refuse(431, "RequestHeaderFieldsTooLarge", f"The request's head exceeds {_LARGEST_HEAD} bytes.")
        elif self._head_deadline is None:
            self._head_deadline = self.loop.call_later(_SLOWEST_HEAD, self._head_too_slow)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._forget_deadline()
        super().on_headers_complete()
        self.cycle.__class__ = _Cycle  # its task was made just now and has not begun

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "BadRequest", msg)

    def _head_too_slow(self) -> None:
        self._head_deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _refuse(self, status: int, code: str, message: str) -> None:
        request_id = new_request_id()
        body = envelope(code, message, request_id, request_id, time.time())
        reason = {400: "Bad Request", 431: "Request Header Fields Too Large"}[status]
        headers = [
            *self.server_state.default_headers,
            *answer_headers(request_id, request_id, ERROR_JSON, len(body)),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, reason.encode("ascii"), head, body))
        self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn's server, leaving the process's signals alone and saying when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class Listeners:
    """Several sockets of one process, each with its ASGI application, started and stopped together."""

    def __init__(self) -> None:
        self._servers: list[tuple[_Server, socket.socket]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, app: Callable[..., Any], at: socket.socket, tls: tuple[Path, Path] | None = None) -> None:
        """Serve ``app`` on a bound socket; with a certificate and its key, over HTTPS. Raises CannotListen."""
        config = uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=int(_FINISH_WITHIN),
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise CannotListen(f"The certificate {tls and tls[0]} and its key cannot be used: {error}") from error
        self._servers.append((_Server(config), at))

    async def start(self) -> None:
        """Listen. Returns when every socket does."""
        for server, at in self._servers:
            self._tasks.append(asyncio.create_task(server.serve(sockets=[at])))
            await server.listening.wait()

    async def stop(self) -> None:
        """Take no more connections, finish the requests under way, then return."""
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks)


def bind(host: str, port: int, flag: str) -> socket.socket:
    """A TCP socket bound to ``host`` and ``port`` (0: a free one). Raises CannotListen naming ``flag``."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        at = socket.socket(family, kind, protocol)
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind(address)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with {flag}, or {flag} 0 for a "
            "free one."
        ) from error
    return at


def bind_unix(path: Path) -> socket.socket:
    """A Unix socket that only its owner may use."""
    at = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    at.bind(str(path))
    path.chmod(0o600)
    return at
