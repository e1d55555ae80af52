"""WebhookClient: one POST to a subscriber's endpoint, with everything a hostile one could do kept within bounds.

Graph's side of a webhook (learn.microsoft.com/graph/change-notifications-delivery-webhooks): only a status counts, so
no redirect is followed, no cookie kept, nothing unpacked and no more of a body read than was asked for.

``CallFailed.reason`` is for the subscriber and says nothing of what a name resolved to, nor whether a port was closed,
filtered or spoke something else: that would make this server a scanner of the networks an administrator listed. What
is wrong with a certificate is said, because only the subscriber can put it right. The cause (``__cause__``) has the
details, for the operator's log only.
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar, cast

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from presenced import __version__
from presenced.notify.addresses import MOST_URL, AddressRefused, PermittedResolver, Rules, check_url
from presenced.notify.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")

MOST_CALLS = 256
MOST_CALLS_PER_HOST = 4
MOST_OF_KIND = {"retry": MOST_CALLS // 2, "handshake": MOST_CALLS // 4}
"""Of all calls at a time. What failed before, or was never reached, likely hangs; the rest is for what works."""

MOST_CHECKED = 1024
"""URLs that are remembered as good, by rules that do not change: checking one takes 10 us."""

MOST_LOOKUPS = 32
# Idle connections are kept to so many hosts: aiohttp bounds calls, but not what it keeps open between them.
MOST_KEPT_HOSTS = 64
# Node and uvicorn close an idle connection after 5 s; to be first keeps a POST from meeting a closing one.
KEPT_FOR = 4.0
NAMES_KEPT_FOR = 30
_FORGOTTEN_AFTER = 20.0  # a retry may take 10 s, and aiohttp up to twice KEPT_FOR to close what is idle
_MOST_ADDED = 512  # what a validation adds to a subscriber's URL

_BUSY = "Too many calls to this endpoint are under way; try again later."
_TIMED_OUT = "The endpoint did not answer in time."
_NO_ADDRESS = "The host name has no address that may be called."
_NO_CONNECTION = "No connection could be made (https needs TLS 1.2 or newer)."
_CLOSED = "The connection was closed before the answer was complete."
_MALFORMED = "The answer was not valid HTTP, or its head was too large."
_CERTIFICATES = {  # X509_V_ERR_... of OpenSSL
    9: "The certificate of the endpoint is not valid yet.",
    10: "The certificate of the endpoint has expired.",
    62: "The certificate of the endpoint is for another host.",
    64: "The certificate of the endpoint is for another address.",
}
_CERTIFICATE = "The certificate of the endpoint is not trusted."


Kind = Literal["first", "retry", "handshake"]


class Answer(msgspec.Struct, frozen=True):
    """What an endpoint answered. ``whole`` is false when there was more body than asked for."""

    status: int
    content_type: str
    body: bytes
    seconds: float
    whole: bool


class CallFailed(Exception):
    """A call without an answer. ``busy`` means that it was never made, for which the endpoint is not to blame."""

    def __init__(self, reason: str, seconds: float = 0.0, timed_out: bool = False, busy: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.timed_out = timed_out
        self.busy = busy


class WebhookClient:
    """Calls endpoints that the rules permit. Make it in a running loop; close it when done.

    ``ca`` is a file of certificates (PEM) trusted along with the system's. Raises OSError (ssl.SSLError is one) if it
    cannot be read.
    """

    def __init__(self, rules: Rules, ca: Path | None = None, resolver: AbstractResolver | None = None) -> None:
        self._rules = rules
        self._resolver = PermittedResolver(resolver or SystemResolver(), rules)
        tls = _tls(ca)
        self._keeping = self._session(tls, keeps=True)
        self._closing = self._session(tls, keeps=False)
        self._turns = Turns(MOST_CALLS, MOST_CALLS_PER_HOST, MOST_OF_KIND)
        self._checked = lru_cache(MOST_CHECKED)(self._check)
        self._kept: OrderedDict[str, float] = OrderedDict()

    async def post(
        self,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109  (it starts anew when the call does)
        read: int,
        kind: Kind = "first",
    ) -> Answer:
        """POST to a URL, a body of at most 1 MiB, and read at most ``read`` bytes of the answer's.

        ``timeout`` covers everything from looking the name up to the last byte read. A call may wait as long again
        for its turn, which neither ``seconds`` nor the endpoint's blame includes. ``kind`` says which share of all
        calls it counts against. Raises CallFailed.
        """
        try:
            target, host = self._checked(url)
        except AddressRefused as refused:
            raise CallFailed(refused.message) from refused
        try:
            turn = await self._turns.take(host, kind, timeout)
        except TimeoutError as error:
            raise CallFailed(_BUSY, busy=True) from error
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            session = self._keeping if self._may_keep(host, began) else self._closing
            limit = aiohttp.ClientTimeout(total=timeout, ceil_threshold=inf)
            async with session.post(target, data=body, headers=headers, allow_redirects=False, timeout=limit) as answer:
                content, whole = await _read(answer, read)
                if not whole:
                    answer.close()
            return Answer(answer.status, _content_type(answer), content, clock() - began, whole)
        except TimeoutError as error:
            raise CallFailed(_TIMED_OUT, clock() - began, timed_out=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CallFailed(_reason(error), clock() - began) from error
        finally:
            self._turns.leave(turn)

    async def close(self) -> None:
        await self._keeping.close()
        await self._closing.close()
        await self._resolver.close()

    def _session(self, tls: ssl.SSLContext, keeps: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            ssl=tls,
            limit=MOST_CALLS,
            limit_per_host=MOST_CALLS_PER_HOST,
            ttl_dns_cache=NAMES_KEPT_FOR,
            socket_factory=self._permitted_socket,
            **({"keepalive_timeout": KEPT_FOR} if keeps else {"force_close": True}),
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            read_bufsize=16 * 1024,
            headers={"User-Agent": f"presenced/{__version__}", "Accept-Encoding": "identity"},
        )

    def _check(self, url: str) -> tuple[URL, str]:
        """The URL to call, and its host. Raises AddressRefused."""
        target = check_url(url, self._rules, most=MOST_URL + _MOST_ADDED)
        return target, str(target.raw_host)

    def _may_keep(self, host: str, now: float) -> bool:
        """Whether connections to this host may stay open after calls, noting that they do."""
        while self._kept and now - next(iter(self._kept.values())) > _FORGOTTEN_AFTER:
            self._kept.popitem(last=False)
        if host not in self._kept and len(self._kept) >= MOST_KEPT_HOSTS:
            return False
        self._kept[host] = now
        self._kept.move_to_end(host)
        return True

    def _permitted_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last check, of the very address that is connected to, should a way around the others ever be found."""
        family, kind, protocol, _, address = info
        if not self._rules.permits_for_any(ipaddress.ip_address(address[0])):
            raise OSError("This address may not be called.")
        return socket.socket(family, kind, protocol)


class SystemResolver(AbstractResolver):
    """The operating system's look-up, in threads of its own that the end of the program does not wait for.

    The loop's own threads are not used: whoever owns a name can make looking it up take long, and others work there.
    """

    def __init__(self) -> None:
        self._threads = asyncio.Semaphore(MOST_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        async with self._threads:
            found = await _in_a_thread(_look_up, host, port, family)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)
            for kind, address in found
        ]

    async def close(self) -> None:
        pass


def _look_up(host: str, port: int, family: int) -> list[tuple[socket.AddressFamily, str]]:
    """Addresses without a scope: those that have one are link-local."""
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError as error:
        raise OSError(f"not a host name: {error}") from error
    return [(kind, str(at[0])) for kind, _, _, _, at in found if len(at) == 2 or (len(at) == 4 and not at[3])]


async def _in_a_thread(work: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def give(result: T | None, error: OSError | None) -> None:
        if not future.done():
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(cast("T", result))

    def run() -> None:
        result, failure = None, None
        try:
            result = work(*arguments, **more)
        except OSError as error:
            failure = error
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(give, result, failure)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return await future


def _tls(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is not None:
        context.load_verify_locations(ca)
    return context


async def _read(answer: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    """The first bytes of a body, and whether that is all of it. Of a body nobody asked for nothing is waited for."""
    content = bytearray()
    while most and len(content) <= most and (chunk := await answer.content.read(most + 1 - len(content))):
        content += chunk
    return bytes(content[:most]), answer.content.at_eof() and len(content) <= most


def _content_type(answer: aiohttp.ClientResponse) -> str:
    """In lower case, without parameters; empty if there is none."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return _NO_ADDRESS
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError(verify_code=code)):
            return _CERTIFICATES.get(code, _CERTIFICATE)
        case aiohttp.ClientConnectorError() | aiohttp.ClientSSLError():
            return _NO_CONNECTION
        case aiohttp.ClientResponseError() | ValueError():
            return _MALFORMED
    return _CLOSED
