"""Connection: how a command reaches its data folder, whether a server has it open or nobody does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, TypeVar

import click
import httpx
import msgspec

from presenced.app import App
from presenced.control import Impossible
from presenced.folder import DataFolder, FolderTaken, FolderUnusable, RunningServer
from presenced.http_server import CannotListen
from presenced.identity.keys import KeysUnusable
from presenced.settings import Settings
from presenced.store.base import StoreUnavailable

T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds to wait for another command that has the folder, or for a server that is starting."""


class Connection:
    """Questions to the owner's side of a folder. ``server`` is the running one, None if there is none; then ``app``
    is the application that this process has opened."""

    def __init__(
        self, client: httpx.AsyncClient, folder: DataFolder, server: RunningServer | None, app: App | None = None
    ) -> None:
        self._client = client
        self.folder = folder
        self.server = server
        self.app = app

    async def ask(self, path: str, request: object, form: type[T]) -> T:
        """Ask, and read the answer as ``form``. Raises Impossible with the reason for a no."""
        try:
            answer = await self._client.post(path, content=msgspec.json.encode(request))
        except httpx.TransportError as error:
            raise Impossible(f"The server stopped before it answered: {error}") from error
        return msgspec.json.decode(_allowed(answer.status_code, answer.content), type=form)

    async def read(self, path: str, query: dict[str, str], form: type[T]) -> T:
        """What the owner may read at ``path``, as ``form``. Raises Impossible with the reason for a no."""
        try:
            answer = await self._client.get(path, params=query)
        except httpx.TransportError as error:
            raise Impossible(f"The server stopped before it answered: {error}") from error
        return msgspec.json.decode(_allowed(answer.status_code, answer.content), type=form)

    async def events(
        self, path: str, query: dict[str, str], patience: float
    ) -> AsyncGenerator[tuple[str, bytes], None]:
        """The server-sent events at ``path``: name and data of each, until the server ends them or is away.

        Raises Impossible for a no, and when nothing came for ``patience`` seconds.
        """
        timeout = httpx.Timeout(30, read=patience)
        try:
            async with self._client.stream("GET", path, params=query, timeout=timeout) as answer:
                if answer.status_code != 200:
                    _allowed(answer.status_code, await answer.aread())
                name = ""
                async for line in answer.aiter_lines():
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        yield name, line[6:].encode()
        except httpx.TransportError as error:
            raise Impossible(f"The server does not tell any more: {error}") from error

    async def control(self, method: str, path: str, request: object, form: type[T]) -> T:
        """Ask the control API of a server that was started with --control. Raises Impossible with the reason."""
        content = b"" if request is None else msgspec.json.encode(request)
        try:
            # a long advance of the clock takes as long as it takes
            answer = await self._client.request(method, f"/presenced{path}", content=content, timeout=None)
        except httpx.TransportError as error:
            raise Impossible(f"The server stopped before it answered: {error}") from error
        if answer.status_code == 404 and not answer.content.startswith(b"{"):
            raise Impossible("This server takes no control. Start it with: presenced serve --control")
        if answer.status_code >= 400:
            raise Impossible(answer.json()["error"]["message"])
        return msgspec.json.decode(answer.content or b"null", type=form)


def _allowed(status: int, content: bytes) -> bytes:
    """The content of an answer. Raises Impossible for one that says no."""
    if status == 400:
        raise Impossible(content.decode("utf-8", "replace"))
    if status != 200:
        raise Impossible(f"The server failed at this ({status}); its log says how.")
    return content


@contextlib.asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Connection]:
    """The folder of ``settings``: by its running server's socket, else by opening it here."""
    folder = DataFolder(settings.data)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            folder.open()
            break
        except FolderTaken:
            if server := folder.running():
                transport = httpx.AsyncHTTPTransport(uds=server.socket)
                async with httpx.AsyncClient(transport=transport, base_url="http://control", timeout=120) as client:
                    yield Connection(client, folder, server)
                return
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
    try:
        async with App.opened(folder, settings) as app:
            inside = httpx.ASGITransport(app.control)
            async with httpx.AsyncClient(transport=inside, base_url="http://control") as client:
                yield Connection(client, folder, None, app)
    finally:
        folder.close()


@contextlib.asynccontextmanager
async def connect_running(settings: Settings) -> AsyncIterator[Connection]:
    """The running server of ``settings``'s folder, which is not touched if there is none. Raises Impossible then."""
    folder = DataFolder(settings.data)
    server = folder.running()
    if server is None:
        raise Impossible(f"No server is running on {folder.path}. Start one with: presenced serve --data {folder.path}")
    transport = httpx.AsyncHTTPTransport(uds=server.socket)
    async with httpx.AsyncClient(transport=transport, base_url="http://control", timeout=120) as client:
        try:
            await client.get("/")  # whether anybody is there: a killed server leaves its note behind
        except httpx.TransportError as error:
            raise Impossible(f"The server on {folder.path} does not run any more.") from error
        yield Connection(client, folder, server)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what it cannot do is a message on one line, not a traceback."""
    try:
        return asyncio.run(work)
    except (Impossible, FolderUnusable, StoreUnavailable, KeysUnusable, CannotListen) as error:
        raise click.ClickException(str(error)) from error
