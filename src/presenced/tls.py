"""TLS for development: a certificate authority that lives in the data folder, and a certificate for this machine.

Every Microsoft sign-in library refuses an http authority, so a local server needs HTTPS. The authority is made once
and kept; it may sign for localhost and loopback addresses only (name constraints), so trusting it risks little even if
its key leaks. The server's certificate is made again well before it ends.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]
_ALLOWED: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
]
_AUTHORITY_LIFE = timedelta(days=3650)
_CERTIFICATE_LIFE = timedelta(days=397)  # browsers refuse longer ones
_RENEW_BEFORE = timedelta(days=30)


class DevelopmentTls:
    """The authority and the certificate in ``folder``; made on first use."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "ca.pem"
        self.certificate = folder / "localhost.pem"
        self.key = folder / "localhost.key"
        self._authority_key = folder / "ca.key"
        self._folder = folder

    def prepare(self) -> None:
        """Make what is missing or about to end."""
        now = datetime.now(UTC)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _lasts(self.authority, self._authority_key, now):
            key = ec.generate_private_key(ec.SECP256R1())
            _write(self._authority_key, _private_pem(key))
            _write(self.authority, _sign_authority(key, now).public_bytes(serialization.Encoding.PEM))
            self.certificate.unlink(missing_ok=True)
        if not _lasts(self.certificate, self.key, now):
            authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
            authority_key = serialization.load_pem_private_key(self._authority_key.read_bytes(), None)
            assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
            key = ec.generate_private_key(ec.SECP256R1())
            _write(self.key, _private_pem(key))
            certificate = _sign_certificate(key, authority, authority_key, now)
            _write(self.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _lasts(certificate: Path, key: Path, now: datetime) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return ends - now > _RENEW_BEFORE


def _write(path: Path, content: bytes) -> None:
    """Write for the owner only, whole or not at all."""
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta):  # type: ignore[no-untyped-def]
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _sign_authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # the hour it was made keeps apart the authorities of several folders in one trust store
    name = f"presenced development CA {now:%Y-%m-%d %H:%M}"
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate: x509.Certificate = (
        _builder(name, issuer, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=False, authority=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=_ALLOWED, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate


def _sign_certificate(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    certificate: x509.Certificate = (
        _builder("localhost", authority.subject, key.public_key(), now, _CERTIFICATE_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=True, authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return certificate
