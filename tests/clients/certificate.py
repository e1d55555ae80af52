"""A self-signed certificate with its key, as an app registers one to prove itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


class Certified(NamedTuple):
    """A key and its certificate in PEM, and the certificate's SHA-1 fingerprint, which Entra calls its thumbprint."""

    key: bytes
    certificate: bytes
    thumbprint: bytes

    def write(self, folder: Path) -> Path:
        """A file with both."""
        file = folder / "app.pem"
        file.write_bytes(self.key + self.certificate)
        return file


def certify() -> Certified:
    """A new key and its certificate, good since yesterday and until tomorrow."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an app")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certified(private, certificate.public_bytes(pem), certificate.fingerprint(hashes.SHA1()))  # noqa: S303
