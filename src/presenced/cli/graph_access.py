"""Graph access: where the commands that read and set presence find an API, and by which token.

Without ``--graph`` it is the data folder's own: of its running server, else of the folder, opened here; the token is
minted as ``presenced token`` does. With it, any base URL of Graph's API and a token of the user's. Either way what
follows is Graph over HTTP.
"""

import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit, urlunsplit

import click
import httpx

from presenced.cli.connection import Connection, connect
from presenced.cli.graph_client import GraphClient, trusting
from presenced.cli.options import settings_from, settings_options
from presenced.control import Impossible, TokenRequest
from presenced.identity.loopback import is_loopback
from presenced.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

_PERMISSIONS = ["Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All"]
_LIFETIME = 600
_TIMEOUT = httpx.Timeout(60, connect=15)
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_MOST_TOKEN = 64 * 1024


class Where(NamedTuple):
    """Which API is meant: a data folder's, or that at ``graph`` with ``token``."""

    settings: Settings
    tenant: str | None
    graph: str | None
    token: str | None
    ca: str | None


def graph_options(function: F) -> F:
    """The options that say which API is meant, as keyword arguments for ``where_from``."""
    for option in (
        click.option(
            "--ca",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Certificates (PEM) trusted besides the usual ones (or those of SSL_CERT_FILE): for --graph.",
        ),
        click.option(
            "--token",
            envvar="PRESENCED_TOKEN",
            show_envvar=True,
            help="The token for --graph; - reads it from standard input. Better given as a variable than as a flag, "
            "which everybody on the machine can read.",
        ),
        click.option(
            "--graph",
            envvar="PRESENCED_GRAPH",
            show_envvar=True,
            metavar="URL",
            help="Ask the API at this URL, such as https://graph.microsoft.com/v1.0, and not a data folder's.",
        ),
        click.option("--tenant", help="The id of the tenant, of a data folder.  [default: the folder's own]"),
        settings_options("data"),
    ):
        function = option(function)
    return function


def where_from(values: dict[str, Any]) -> Where:
    """What the options say; takes them out of ``values``. Raises click.UsageError, Impossible."""
    graph, token, ca, tenant = (values.pop(name) for name in ("graph", "token", "ca", "tenant"))
    settings = settings_from(values)
    if graph is None:
        given = click.get_current_context().get_parameter_source
        if given("token") is click.core.ParameterSource.COMMANDLINE or ca is not None:
            raise click.UsageError("--token and --ca are for --graph URL; a data folder needs neither.")
        return Where(settings, tenant, None, None, None)
    if tenant is not None:
        raise click.UsageError("--tenant is for a data folder; with --graph the token says it.")
    return Where(settings, None, _base(graph), _token(token), None if ca is None else str(ca))


@contextlib.asynccontextmanager
async def graph(where: Where) -> AsyncIterator[GraphClient]:
    """A client of the API that is meant. Raises Impossible, FolderUnusable."""
    if where.graph is not None:
        assert where.token is not None
        # to this machine never by a proxy, which would see the token if it is http
        proxied = not is_loopback(urlsplit(where.graph).hostname or "")
        async with httpx.AsyncClient(verify=trusting(where.ca), trust_env=proxied, timeout=_TIMEOUT) as http:
            yield GraphClient(http, where.graph, where.token)
        return
    async with connect(where.settings) as connection, graph_of(connection, where.tenant) as client:
        yield client


@contextlib.asynccontextmanager
async def graph_of(connection: Connection, tenant: str | None) -> AsyncIterator[GraphClient]:
    """A client of a data folder's API, with a token for a short while. Raises Impossible."""
    request = TokenRequest(None, None, _PERMISSIONS, _LIFETIME, tenant)
    token = str((await connection.ask("/token", request, dict[str, Any]))["token"])
    if connection.server is not None:
        base, transport = f"{connection.server.http}/v1.0", None
    else:
        assert connection.app is not None
        base, transport = "http://localhost/v1.0", httpx.ASGITransport(connection.app)
    # never by a proxy: the server is on this machine
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=_TIMEOUT) as http:
        yield GraphClient(http, base, token, is_folder=True)


def _base(url: str) -> str:
    """The base URL as it is used. Raises Impossible for one that tokens should not go to."""
    example = "Say one such as https://graph.microsoft.com/v1.0"
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise Impossible(f"--graph is no address: {error}. {example}") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise Impossible(f"--graph is not the address of an API. {example}")
    if parts.scheme == "http" and not is_loopback(host):
        raise Impossible(f"--graph is http, by which a token goes to this machine only. {example}")
    # a host has one spelling and a default port none, as servers write them in the links that they give
    return str(httpx.URL(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") or "/v1.0", "", ""))))


def _token(given: str | None) -> str:
    """The token. Raises Impossible, and never shows it."""
    if given is None:
        raise Impossible("A token is needed for --graph: in the variable PRESENCED_TOKEN, or by --token - on stdin.")
    if given == "-":
        given = sys.stdin.buffer.read(_MOST_TOKEN + 1).decode("ascii", "replace")
    text = given.strip()
    if text[:7].lower() == "bearer ":
        text = text[7:].strip()
    if len(text) > _MOST_TOKEN or not _BEARER.fullmatch(text):
        raise Impossible("What is given as the token is none: a token is one word of letters, digits and . _ ~ + / -")
    return text
