"""Scopes: which permissions a ``scope`` parameter asks for."""

from collections.abc import Callable, Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from presenced.identity.entra_errors import resource_not_found, scope_invalid, several_resources
from presenced.identity.issuer import GRAPH_AUDIENCE
from presenced.identity.loopback import is_loopback
from presenced.presence.record import guid

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
API_PERMISSION = "access_as_user"
"""What an app that people sign in to may do with another app of the tenant: call it for them (Entra's usual name)."""
OPENID = frozenset({"openid", "profile", "email", "offline_access"})
DEFAULT = ".default"
MAX_LENGTH = 4096


class Scopes(NamedTuple):
    """What was asked for: ``default`` for all that the app was granted, else ``permissions`` by name.

    ``asked`` is every item that asks for permissions, as spelled; ``openid`` are OpenID Connect's own words; ``api``
    is the id of the app whose permission is asked for, None for Graph's.
    """

    default: bool
    permissions: tuple[str, ...]
    openid: frozenset[str]
    asked: tuple[str, ...]
    api: str | None = None

    @classmethod
    def parse(
        cls,
        scope: str,
        tenant: str,
        own_hosts: Collection[str],
        is_api: Callable[[str], bool] = lambda _app: False,
    ) -> "Scopes":
        """Read a ``scope`` parameter; ``is_api`` says of a GUID whether an app that can be called has it.

        Raises EntraError.

        Besides Graph's resource this server's own hosts, and loopback, stand for Graph: Kiota's SDKs ask for
        ``{scheme}://{host}/.default``, with or without the port, when they are given no scope (spec B.6).
        """
        items = dict.fromkeys(scope.split())  # in order, each once
        if not items or len(scope) > MAX_LENGTH:
            raise scope_invalid(scope)
        openid = frozenset(item for item in items if item in OPENID)
        asked = tuple(item for item in items if item not in OPENID)
        apis = {app for item in asked if (app := _api(item)) is not None and is_api(app)}
        if apis:
            return _of_api(scope, apis, openid, asked)
        names = [_permission(item, tenant, own_hosts) for item in asked]
        default = DEFAULT in names
        if default and any(name != DEFAULT for name in names):
            raise scope_invalid(scope)  # Entra: .default can't be combined with scopes of the resource
        return cls(default, () if default else tuple(dict.fromkeys(names)), openid, asked)


def _api(item: str) -> str | None:
    """The app whose permission this asks for: ``api://{app id}/...`` or ``{app id}/...``, if it has that form."""
    resource, _, _ = item.rpartition("/")
    return guid(resource.removeprefix("api://").rstrip("/"))


def _of_api(scope: str, apis: set[str], openid: frozenset[str], asked: tuple[str, ...]) -> Scopes:
    names = [item.rpartition("/")[2] for item in asked]
    if len(apis) > 1 or any(_api(item) not in apis for item in asked):
        raise several_resources(scope)
    if any(name not in (DEFAULT, API_PERMISSION) for name in names) or len(set(names)) > 1:
        raise scope_invalid(scope)
    return Scopes(DEFAULT in names, () if DEFAULT in names else (API_PERMISSION,), openid, asked, apis.pop())


def _permission(item: str, tenant: str, own_hosts: Collection[str]) -> str:
    """The permission's name, or ``.default``."""
    resource, slash, name = item.rpartition("/")
    if not slash:
        if item == DEFAULT or ":" in item:
            raise scope_invalid(item)
        return item
    if not name:
        raise scope_invalid(item)
    # Entra takes a doubled slash as part of the resource's name: https://graph.microsoft.com//.default.
    if not _is_graph(resource.rstrip("/"), own_hosts):
        raise resource_not_found(resource, tenant)
    return name


def _is_graph(resource: str, own_hosts: Collection[str]) -> bool:
    if resource.lower() in (GRAPH_AUDIENCE, GRAPH_APP_ID):
        return True
    try:
        parts = urlsplit(resource)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query or parts.username:
        return False
    return host in own_hosts or is_loopback(host)
