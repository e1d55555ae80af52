"""What counts as this machine itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without port, is this machine's own and no other's."""
    host = host.lower().strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
