"""Presenced: a server for tests, in a process of its own, from the start of a block to its end."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import httpx

from presenced.environment import NAMES, environment
from presenced.testing.asynchronous import AsyncPresenced
from presenced.testing.awaited import awaited
from presenced.testing.clients import client
from presenced.testing.clock import Clock
from presenced.testing.control import Control, ControlError
from presenced.testing.process import ServerDied, ServerProcess
from presenced.testing.seed import Seed, SeedBody, body_of, sample
from presenced.testing.traffic import Faults, Log
from presenced.testing.trust import Trust

if TYPE_CHECKING:
    from msgraph import GraphServiceClient


class Presenced:
    """A server that holds the sample tenant, or ``seed``; for ``with`` and for ``async with``.

    ``options`` are more options for `presenced serve`. What asks the server blocks the thread it is called in; ``aio``
    has the same to be awaited. All of it raises ServerDied when the server is not there any more, and ControlError for
    what it refuses.
    """

    data: Path
    """Its data folder."""
    url: str
    """Where it is, without a path: ``http://127.0.0.1:PORT``."""
    https: str | None
    """The same over HTTPS, which is also the authority that people and apps sign in at; None without TLS."""
    tenant: str
    """The id of its tenant."""
    app: str | None
    """The id of the app that ``environment`` names, None if there is none that may do anything by itself."""
    secret: str | None
    """That app's secret, as far as it is known."""
    ca: Path | None
    """The certificate authority that clients have to trust for HTTPS (PEM); None without TLS."""
    clock: Clock
    """Its clock."""
    faults: Faults
    """What shall go wrong."""
    requests: Log
    """The last requests to it, and waiting for more."""
    deliveries: Log
    """The last POSTs to webhooks, and waiting for more."""
    aio: AsyncPresenced
    """All that asks the server, as coroutines."""

    def __init__(self, *, seed: Seed | None = None, options: Sequence[str] = (), tls: bool = True) -> None:
        self._first = sample() if seed is None else body_of(seed)
        held = ["--sample"] if seed is None else []
        self._is_sample = seed is None
        self._process = ServerProcess(["--control", "--tls" if tls else "--no-tls", *held, *options])
        self._control: Control | None = None
        self._replaced = False

    # From start to end

    def start(self) -> Self:
        """Start it; returns when it answers. Raises ServerDied."""
        server = self._process.start()
        self.url, self.https = server.http, server.https
        self.data = self._process.data.path
        # as tls.py has it, whose import takes longer than a test's reset
        self.ca = self._process.data.certificates / "ca.pem" if server.https else None
        self._trust = Trust(self.ca, self._process.folder) if self.ca else None
        self._control = Control(server.socket, self._process.died)
        self.clock = Clock(self._control)
        self.faults = Faults(self._control)
        self.requests, self.deliveries = Log(self._control, "requests"), Log(self._control, "deliveries")
        self.aio = AsyncPresenced(self)
        try:
            if self._is_sample:
                self._look()
            else:
                self._put(self._first)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it; what it held is gone. Raises ServerDied if it had ended by itself."""
        if self._control is not None:
            self._control.close()
            self._control = None
        self._process.stop()

    def died(self) -> ServerDied | None:
        """What tells that it has ended without being asked to, with what it printed last; None while it runs."""
        return self._process.died()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await awaited(self.start)()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await awaited(self.stop)()

    # Where it is, and who may call it

    @property
    def base_url(self) -> str:
        """Graph's base URL here, over plain HTTP: ``http://127.0.0.1:PORT/v1.0``."""
        return f"{self.url}/v1.0"

    @property
    def base_url_tls(self) -> str | None:
        """Graph's base URL here, over HTTPS; None without TLS."""
        return f"{self.https}/v1.0" if self.https else None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that `presenced env` prints."""
        found = environment(self.url, self.https, self.tenant, self.app, self.secret, self.ca)
        return {name: value for name, value in found.items() if value is not None}

    @property
    def trust(self) -> dict[str, str]:
        """The variables by which programs trust the server's certificate, besides those that they trust anyway.

        A program reads them when it starts, Python's httpx and requests whenever a client is made.
        """
        return self._trust.variables() if self._trust else {}

    @property
    def java_trust(self) -> dict[str, str]:
        """The variable that names a trust store for Java (password ``changeit``), with those same certificates."""
        return self._trust.java_variables() if self._trust else {}

    def token(
        self,
        *,
        user: str | None = None,
        app: str | None = None,
        permissions: Sequence[str] = (),
        lifetime: int = 3600,
        tenant: str | None = None,
    ) -> str:
        """A bearer token, for an app alone or for a person (by id or userPrincipalName) who is signed in to it.

        Left out are the app's own permissions, and the first app that has any of their kind. ``lifetime`` is in
        seconds.
        """
        request = {"app": app, "user": user, "permissions": list(permissions), "lifetime": lifetime, "tenant": tenant}
        return str(self._ask("POST", "/token", request)["token"])

    @overload
    def client(self, kind: Literal["python-sdk"], **whose: Any) -> "GraphServiceClient": ...
    @overload
    def client(self, kind: Literal["httpx"] = "httpx", **whose: Any) -> httpx.Client: ...
    @overload
    def client(self, kind: Literal["httpx-async"], **whose: Any) -> httpx.AsyncClient: ...
    @overload
    def client(self, kind: Literal["python-beta-sdk"], **whose: Any) -> Any: ...
    def client(self, kind: str = "httpx", **whose: Any) -> Any:
        """A client that calls this server with tokens for ``whose``, which are the arguments of ``token``.

        ``python-sdk`` is msgraph-sdk's GraphServiceClient, ``python-beta-sdk`` that of msgraph-beta-sdk; the base URL
        of ``httpx`` and ``httpx-async`` is ``base_url``. Raises ClientMissing when the package is not installed.
        """
        return client(kind, self.url, lambda: self.token(**whose))

    @property
    def variables(self) -> dict[str, str | None]:
        """All variables for a program that shall use this server and none else; None for those to be taken away."""
        return {**dict.fromkeys(NAMES), **self.environment, **self.trust}

    # What it holds

    def seed(self, seed: Seed) -> None:
        """Have it hold what a seed says, and nothing else; ``reset`` goes back to that from now on.

        Raises ControlError with the line of what is wrong in it; and OSError and ValueError for a file that cannot be
        read.
        """
        self._put(body_of(seed))
        self._replaced = True

    def reset(self) -> None:
        """Go back to the seed: people, apps, clock, subscriptions, limits and all."""
        self._ask("POST", "/presenced/reset")

    def start_over(self) -> None:
        """Go back to what it held at its start, whatever was seeded since."""
        if self._replaced:
            self._put(self._first)
            self._replaced = False
        else:
            self.reset()

    def export(self) -> dict[str, Any]:
        """What it holds now, as a seed: instants as durations from now, secrets and passwords as hashes."""
        found: dict[str, Any] = self._ask("GET", "/presenced/seed")
        return found

    def _put(self, body: SeedBody) -> None:
        try:
            self._ask("PUT", "/presenced/seed", content=body.content, headers={"Content-Type": body.media_type})
        except ControlError as error:
            raise ControlError(f"{body.name}: {error}" if body.name else str(error), error.code) from None
        self._look()

    def _look(self) -> None:
        """Learn who there is."""
        known = self._ask("POST", "/environment", {})
        self.tenant, self.app, self.secret = known["tenant"], known["app"], known["secret"]

    def _ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        if self._control is None:
            raise RuntimeError("This Presenced does not run: use it in a `with` block, or call start() first.")
        return self._control.ask(method, path, body, **more)
