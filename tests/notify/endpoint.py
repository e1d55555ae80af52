"""Endpoints on loopback that do to their callers what they are told to: plain sockets, with TLS when it is given."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from presenced.tls import DevelopmentTls, _builder, _private_pem

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

Writer = asyncio.StreamWriter


class Endpoint:
    """A listening socket. ``requests`` are the heads it got, ``connections`` how many were opened."""

    def __init__(self, behave: Callable[[Writer], Awaitable[None]]) -> None:
        self.behave = behave
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode())
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                self.bodies.append(await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0))
                await _until_left(self.behave(writer), reader)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def _until_left(behaviour: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Behave until the caller hangs up."""
    task = asyncio.ensure_future(behaviour)
    try:
        while not (await asyncio.wait([task], timeout=0.02))[0]:
            if reader.at_eof():
                raise ConnectionError
        await task
    finally:
        task.cancel()


async def never(writer: Writer) -> None:
    """Say nothing."""
    await asyncio.sleep(600)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def endpoint(
    behave: Callable[[Writer], Awaitable[None]] | bytes, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Endpoint]:
    """An endpoint that behaves so after each request; bytes are answered as they are."""

    async def answer(writer: Writer) -> None:
        assert isinstance(behave, bytes)
        writer.write(behave)
        await writer.drain()

    found = Endpoint(answer if isinstance(behave, bytes) else behave)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await found.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    found.url = f"{'http' if tls is None else 'https'}://{host}:{port}/hook"
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def greeter(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Endpoint]:
    """Speaks first, and not TLS, like a mail server; then hangs up."""
    found = Endpoint(never)

    async def greet(_: asyncio.StreamReader, writer: Writer) -> None:
        found.connections += 1
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(greet, host, port)
    found.url = f"https://{host}:{server.sockets[0].getsockname()[1]}/"
    try:
        yield found
    finally:
        server.close()


class Names(AbstractResolver):
    """A resolver with its own answers: of each name a list of address lists, the last of which stays."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = names
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        answers = self.names.get(host.partition(".")[0])
        if not answers:
            raise OSError("no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


class Certificates:
    """A development authority, and server certificates of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = DevelopmentTls(folder)
        self._made.prepare()
        self.ca = self._made.authority

    def server(self, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """For localhost and loopback."""
        return _context(self._made.certificate, self._made.key, newest)

    def renewed(self) -> ssl.SSLContext:
        """Another one for localhost, with another key."""
        return self.made(x509.DNSName("localhost"))

    def made(self, name: x509.GeneralName, ended: bool = False) -> ssl.SSLContext:
        """Signed for another name, or long ago."""
        authority = x509.load_pem_x509_certificate(self.ca.read_bytes())
        signer = serialization.load_pem_private_key((self._folder / "ca.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        then = datetime.now(UTC) - timedelta(days=30 if ended else 0)
        certificate = (
            _builder("endpoint", authority.subject, key.public_key(), then, timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, x509.load_pem_x509_certificate(self.ca.read_bytes()).signature_hash_algorithm)
        )
        files = self._folder / "made.pem", self._folder / "made.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(_private_pem(key))
        return _context(*files, None)


LOOPBACK_NAME = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


def _context(certificate: Path, key: Path, newest: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if newest is not None:
        context.maximum_version = newest
    return context
