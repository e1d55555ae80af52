"""Which addresses may be called for a subscriber, so that presenced is nobody's way into its own network.

Whoever may subscribe names a URL that this server then calls (``notificationUrl`` and ``lifecycleNotificationUrl``, of
the subscription resource: HTTPS only, learn.microsoft.com/graph/api/resources/subscription). Graph runs where nothing
private is near; presenced runs next to everything private. The rules here:

- https only, http only to this machine itself; no user info, no fragment, no odd spelling of a host.
- Addresses that are not public are called only when an administrator listed them (the setting ``notify.allow``), those
  of this machine also when it serves nobody else (``allow_loopback``). An IPv4 address inside an IPv6 one counts as
  itself. What clouds answer credentials at must be listed on its own: no wider network lists it along.
- A listed host name may have private and loopback addresses; anything stranger must be listed as a network.
- The address that is checked is the address that is connected to: ``PermittedResolver`` gives the client nothing else,
  so a name that changes its answer after the check gains nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import quote

import idna
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_URL = 2048
_MOST_HOST = 253


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Where clouds answer a machine that asks who it is, often with credentials. 168.63.129.16 looks public and is Azure's.
_METADATA = _networks(
    "169.254.169.254/32",
    "169.254.170.0/24",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
)
# The IANA special-purpose registries, written out: what ipaddress calls global differs between versions of Python.
_NOT_PUBLIC = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    *map(str, _LOOPBACK + _PRIVATE),
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # everything else in IPv6 is special or not given out
_NAT64 = IPv6Network("64:ff9b::/96")

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_AFTER_SCHEME = re.compile(r"//([^/?#]*)([^#]*)(#.*)?")
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@\\%]+))(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a host whose last label is one is an IPv4 address to some resolvers
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_RESERVED = "!$%&'()*+,/:;=?@[]~"


class AddressRefused(Exception):
    """A URL that is not called, and why, in words for whoever named it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Rules:
    """What may be called. ``allow`` lists networks and host names; a wrong entry raises ValueError."""

    def __init__(self, allow: Iterable[str] = (), allow_loopback: bool = False) -> None:
        listed = [parse_allowed(text) for text in allow]
        self._networks = [entry for entry in listed if not isinstance(entry, str)]
        self._names = frozenset(entry for entry in listed if isinstance(entry, str))
        self._allow_loopback = allow_loopback

    def permits(self, address: Address, host: str = "") -> bool:
        """Whether this address may be called, reached by this host name."""
        return self._permits(address, host in self._names)

    def permits_for_any(self, address: Address) -> bool:
        """Whether there is a host by which this address may be called."""
        return self._permits(address, bool(self._names))

    def _permits(self, address: Address, named: bool) -> bool:
        if inner := _inside(address):
            return all(self._permits(each, named) for each in inner)
        listed = [network for network in self._networks if address in network]
        for metadata in _METADATA:
            if address in metadata:
                return any(network.prefixlen >= metadata.prefixlen for network in listed)
        if listed:
            return True
        if _within(address, _LOOPBACK):
            return self._allow_loopback or named
        return _public(address) or (named and _within(address, _PRIVATE))


def parse_allowed(text: str) -> Network | str:
    """An entry of ``notify.allow``: a network in CIDR form, an address or a host name. Raises ValueError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        host = None if "/" in text else _canonical(text)
        if not isinstance(host, str):
            raise ValueError(f"{text!r} is neither a network (10.1.0.0/16), nor an address, nor a host name.") from None
        return host


def check_url(text: str, rules: Rules, *, name: str = "NotificationUrl", most: int = MOST_URL) -> URL:
    """The URL to call, its path and query as they were written. ``name`` is the property it was given in.

    Raises AddressRefused. A host name that passes may still have no address that does: the client finds out.
    """
    scheme, authority, rest = _split(text, name, most)
    host, port = _host_and_port(authority, name)
    if scheme == "http" and not (host == "localhost" or _is_loopback(host)):
        raise AddressRefused(f"{name} scheme='http' is not supported. It must be https (http only to this machine).")
    if isinstance(host, str):
        if host == "localhost" and not any(map(rules.permits, _LOCALHOST, (host, host))):
            raise AddressRefused(f"Invalid {name}: this server does not call its own machine.")
    elif not rules.permits(host):
        raise AddressRefused(f"Invalid {name}: the address is not a public one, and this server may not call it.")
    shown = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    return URL(f"{scheme}://{shown}{f':{port}' if port else ''}{quote(rest, safe=_RESERVED)}", encoded=True)


class PermittedResolver(AbstractResolver):
    """Looks names up with another resolver and keeps the addresses that may be called.

    It says the same of a name that does not exist and of one with forbidden addresses only, lest subscribers learn
    which names this network knows.
    """

    def __init__(self, resolver: AbstractResolver, rules: Rules) -> None:
        self._resolver = resolver
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        kept = [result for result in found if self._keeps(result["host"], host)]
        if not kept:
            raise OSError("The host name has no address that may be called.")
        return kept

    def _keeps(self, text: str, host: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        if host == "localhost" and not _within(address, _LOOPBACK):
            return False  # plain http is spoken to it
        return self._rules.permits(address, host)

    async def close(self) -> None:
        await self._resolver.close()


def _split(text: str, name: str, most: int) -> tuple[str, str, str]:
    """Scheme, authority, and path with query."""
    if len(text) > most:
        raise AddressRefused(f"Invalid {name}: it is longer than {most} characters.")
    if _UNPRINTABLE.search(text):
        raise AddressRefused(f"Invalid {name}: it has spaces or control characters.")
    scheme, colon, after = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise AddressRefused(f"Invalid {name}: it is not an absolute URL.")
    if scheme.lower() not in ("https", "http"):
        raise AddressRefused(f"{name} scheme='{scheme}' is not supported. Only webhooks are: an https URL.")
    parts = _AFTER_SCHEME.fullmatch(after)
    if parts is None or not parts[1]:
        raise AddressRefused(f"Invalid {name}: it has no host.")
    authority, rest, fragment = parts.groups()
    if fragment is not None:
        raise AddressRefused(f"Invalid {name}: it has a fragment (#).")
    return scheme.lower(), authority, rest


def _host_and_port(authority: str, name: str) -> tuple[Address | str, int | None]:
    if "@" in authority:
        raise AddressRefused(f"Invalid {name}: it has a user name.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise AddressRefused(f"Invalid {name}: its host or port is malformed.")
    bracketed, host, port = parts.groups()
    if port is not None and not 1 <= int(port) <= 65535:
        raise AddressRefused(f"Invalid {name}: its port is out of range.")
    found = _canonical(host) if bracketed is None else _ipv6(bracketed)
    if found is None:
        raise AddressRefused(f"Invalid {name}: its host is malformed.")
    return found, None if port is None else int(port)


def _canonical(host: str) -> IPv4Address | str | None:
    """A host as it goes into a look-up: an address, an ASCII name in lower case, or None if it is neither."""
    if len(host) > _MOST_HOST:
        return None
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True, std3_rules=False).decode("ascii")
    except UnicodeError:
        return None
    if len(name) > _MOST_HOST or not _NAME.fullmatch(name):
        return None
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return name
    try:
        return IPv4Address(host)
    except ValueError:
        return None  # 127.1, 0x7f.1, 0177.0.0.1, full-width digits: nobody writes these in good faith


def _ipv6(text: str) -> IPv6Address | None:
    try:
        return IPv6Address(text)
    except ValueError:
        return None


def _inside(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 one leads to: mapped, NAT64, 6to4, Teredo."""
    if isinstance(address, IPv4Address):
        return ()
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return address.teredo or tuple(filter(None, (address.ipv4_mapped or address.sixtofour,)))


def _public(address: Address) -> bool:
    return not _within(address, _NOT_PUBLIC) and (isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _is_loopback(host: Address | str) -> bool:
    return not isinstance(host, str) and _within(host, _LOOPBACK)


_LOCALHOST: tuple[Address, Address] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
