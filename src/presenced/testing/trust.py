"""Trust: files that add the server's development authority to those that programs trust anyway, and the variables by
which programs find them.

Each is read by a program when it starts. Every server has an authority of its own, good for localhost only, so that
nothing has to be put into the system's store.
"""

import os
import ssl
from pathlib import Path

import certifi


class Trust:
    """The files in ``folder`` and their variables, for the authority in the PEM file ``authority``."""

    def __init__(self, authority: Path, folder: Path) -> None:
        self._authority = authority
        self._bundle = folder / "authorities.pem"
        self._store = folder / "authorities.p12"

    def variables(self) -> dict[str, str]:
        """For Python (httpx, requests, aiohttp), OpenSSL, Go and Node.js. Writes the file."""
        if not self._bundle.exists():
            self._bundle.write_bytes(_trusted_anyway() + b"\n" + self._authority.read_bytes())
        bundle = str(self._bundle)
        return {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle, "NODE_EXTRA_CA_CERTS": self._node()}

    def java_variables(self) -> dict[str, str]:
        """For Java, which reads no PEM: PRESENCED_TRUST_STORE, a PKCS #12 store for javax.net.ssl.trustStore."""
        from presenced.testing.java_store import write_store  # which few need, and which takes a while to import

        self.variables()
        write_store(self._bundle, self._store)
        return {"PRESENCED_TRUST_STORE": str(self._store)}

    def _node(self) -> str:
        """What Node.js trusts besides its own; whoever named a file before has that in the bundle."""
        return str(self._bundle if os.environ.get("NODE_EXTRA_CA_CERTS") else self._authority)


def _trusted_anyway() -> bytes:
    """The authorities of this machine, and those that were named for it."""
    named = [os.environ.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")]
    system = ssl.get_default_verify_paths().cafile
    files = list(dict.fromkeys(file for file in (*named, system) if file and Path(file).is_file()))
    return b"\n".join(Path(file).read_bytes() for file in files or [certifi.where()])
