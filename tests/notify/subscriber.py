"""A subscriber's certificate and private key, and what a receiver does with them, as the documentation tells it."""

import base64
import functools
import hmac
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

NOW = 1_800_000_000.0


@functools.cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def certify(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    begins: float = NOW - 86400,
    ends: float = NOW + 86400,
    signer: rsa.RSAPrivateKey | None = None,
    public_key: rsa.RSAPublicKey | None = None,
) -> x509.Certificate:
    """A certificate of this key, self-signed unless there is another signer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a subscriber")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key or key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(begins, UTC))
        .not_valid_after(datetime.fromtimestamp(ends, UTC))
        .sign(signer or key, hashes.SHA256())
    )


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decrypt(encrypted: dict[str, Any], key: rsa.RSAPrivateKey) -> bytes:
    """The steps of change-notifications-with-resource-data, "Decrypting resource data", one by one."""
    sha1 = hashes.SHA1()  # noqa: S303
    content_key = key.decrypt(
        base64.b64decode(encrypted["dataKey"], validate=True), padding.OAEP(padding.MGF1(sha1), sha1, None)
    )
    assert len(content_key) == 32
    data = base64.b64decode(encrypted["data"], validate=True)
    assert b64(hmac.new(content_key, data, "sha256").digest()) == encrypted["dataSignature"]
    decryptor = Cipher(algorithms.AES(content_key), modes.CBC(content_key[:16])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    assert 1 <= padded[-1] <= 16
    assert padded.endswith(bytes([padded[-1]]) * padded[-1])
    return padded[: -padded[-1]]
