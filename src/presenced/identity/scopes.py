"""Scopes: which permissions a ``scope`` parameter asks for."""

from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from presenced.identity.entra_errors import resource_not_found, scope_invalid
from presenced.identity.issuer import GRAPH_AUDIENCE
from presenced.identity.loopback import is_loopback

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
OPENID = frozenset({"openid", "profile", "email", "offline_access"})
DEFAULT = ".default"
MAX_LENGTH = 4096


class Scopes(NamedTuple):
    """What was asked for: ``default`` for all that the app was granted, else ``permissions`` by name.

    ``asked`` is every item that asks for permissions, as spelled; ``openid`` are OpenID Connect's own words.
    """

    default: bool
    permissions: tuple[str, ...]
    openid: frozenset[str]
    asked: tuple[str, ...]

    @classmethod
    def parse(cls, scope: str, tenant: str, own_hosts: Collection[str]) -> "Scopes":
        """Read a ``scope`` parameter. Raises EntraError.

        Besides Graph's resource this server's own hosts, and loopback, stand for Graph: Kiota's SDKs ask for
        ``{scheme}://{host}/.default``, with or without the port, when they are given no scope (spec B.6).
        """
        items = dict.fromkeys(scope.split())  # in order, each once
        if not items or len(scope) > MAX_LENGTH:
            raise scope_invalid(scope)
        openid = frozenset(item for item in items if item in OPENID)
        asked = tuple(item for item in items if item not in OPENID)
        names = [_permission(item, tenant, own_hosts) for item in asked]
        default = DEFAULT in names
        if default and any(name != DEFAULT for name in names):
            raise scope_invalid(scope)  # Entra: .default can't be combined with scopes of the resource
        return cls(default, () if default else tuple(dict.fromkeys(names)), openid, asked)


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
