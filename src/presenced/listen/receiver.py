"""Receiver: an HTTP server that answers handshakes and takes notifications, whoever posts.

The rules of Graph's page "Receive change notifications through webhooks": the handshake is answered 200, text/plain,
with the decoded token; notifications are answered 202 at once and looked at afterwards. Anybody may post here, so what
comes is bounded and read strictly, and where more comes than is printed the sender is to try again later (503).
"""

import asyncio
import logging
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

_MOST_BODY = 4 << 20
_MOST_WAITING = 100
"""Posts that are not printed yet."""

_MOST_TOKEN = 4096

# aiohttp's own logger would write what strangers send, with a traceback, to the terminal
_silent = logging.getLogger("presenced.listen.receiver")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class Encrypted(msgspec.Struct, frozen=True, rename="camel"):
    """``encryptedContent`` of a notification with resource data."""

    data: str
    data_key: str
    data_signature: str
    encryption_certificate_id: str | None = None


class CannotReceive(Exception):
    """This address cannot be listened on. The message says why."""


class Received(msgspec.Struct, frozen=True, rename="camel"):
    """A notification, as far as it is looked at here: of a change, or of a subscription's life."""

    subscription_id: str
    client_state: str | None = None
    tenant_id: str | None = None
    resource: str | None = None
    lifecycle_event: str | None = None
    encrypted_content: Encrypted | None = None


class Post(msgspec.Struct, frozen=True, rename="camel"):
    """The body of one POST."""

    value: list[Received]
    validation_tokens: list[str] | None = None


class Handshake(NamedTuple):
    """Somebody asked whether notifications are wanted here."""


class Odd(NamedTuple):
    """Something came that is no notification."""

    reason: str


Arrival = Post | Handshake | Odd

_decode = msgspec.json.Decoder(Post).decode


class Receiver:
    """Listens from the beginning of an ``async with`` to its end; ``arrivals`` has what came, in its order."""

    def __init__(self, host: str, port: int) -> None:
        self.arrivals: asyncio.Queue[Arrival] = asyncio.Queue(_MOST_WAITING)
        self.port = port
        self._host = host
        application = web.Application(client_max_size=_MOST_BODY)
        application.router.add_post("/{path:.*}", self._post)
        self._runner = web.AppRunner(application, access_log=None, logger=_silent, shutdown_timeout=1.0)

    async def __aenter__(self) -> "Receiver":
        """Raises CannotReceive."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self.port).start()
        except OSError as error:
            await self._runner.cleanup()
            reason = error.strerror or str(error)
            raise CannotReceive(f"Cannot listen on {self._host} port {self.port}: {reason}") from error
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("validationToken")
        if token is not None:
            if len(token) > _MOST_TOKEN:
                return web.Response(status=400)
            self._take(Handshake())
            # as plain text that no browser takes for a page, whatever the token is
            body = token.encode("utf-8", "replace")
            headers = {"X-Content-Type-Options": "nosniff"}
            return web.Response(body=body, content_type="text/plain", charset="utf-8", headers=headers)
        try:
            post = _decode(await request.read())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._take(Odd(str(error)))
            return web.Response(status=400)
        return web.Response(status=202 if self._take(post) else 503)

    def _take(self, arrival: Arrival) -> bool:
        try:
            self.arrivals.put_nowait(arrival)
        except asyncio.QueueFull:
            return False
        return True
