"""Java's kind of trust store, which programs name in javax.net.ssl.trustStore."""

import re
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

PASSWORD = "changeit"  # noqa: S105  Java's own default; what holds no secret needs no secret password
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def write_store(bundle: Path, store: Path) -> None:
    """Write the certificates of the PEM file ``bundle`` as a PKCS #12 store."""
    found = filter(None, map(_read, _CERTIFICATE.findall(bundle.read_bytes())))
    entries = [PKCS12Certificate(one, f"{number}".encode()) for number, one in enumerate(found)]
    store.write_bytes(serialize_java_truststore(entries, BestAvailableEncryption(PASSWORD.encode())))


def _read(pem: bytes) -> x509.Certificate | None:
    """A certificate; None for one of the machine's that is not as certificates have to be."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return x509.load_pem_x509_certificate(pem)
        except (ValueError, Warning):
            return None
