"""The subscriber's ``encryptionCertificate``: which one is good enough to encrypt resource data for.

The rule (change-notifications-with-resource-data, spec A.2 and A.5): base64 of an X.509 certificate with an RSA key of
2048 to 4096 bits; who signed it does not matter, its key is only used to encrypt. The thumbprint is the SHA-1 of the
certificate, 40 upper-case hex digits as in the documented sample.

Graph does not say what it does about a certificate's dates. Here one that has ended is refused, since what is taken
here should be taken by Graph too, and the refusal says what to do. One that has not begun yet is taken: it is newly
made on a machine whose clock is ahead, its key works, and it will be good.

Besides the documented form, what people send instead is read: PEM, with or without its line breaks, and base64 of PEM.
"""

import base64
import hashlib
import re
import warnings
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1

LONGEST = 32 * 1024
"""Characters. A certificate of 4096 bits has some 3,000, and in the clumsiest form with its chain some 15,000."""
LEAST_BITS, MOST_BITS = 2048, 4096
KEY_WRAP = OAEP(mgf=MGF1(algorithm=SHA1()), algorithm=SHA1(), label=None)  # noqa: S303  Graph's choice
"""How content keys are encrypted for the certificate."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([^-]*)-----END ")
# Observed for text that is no certificate (microsoft-graph-docs-contrib issue 4898); the other sentences are ours.
_BEGINNING = "Certificate validation error: "
_UNREADABLE = "Cannot find the requested object."


class CertificateRefused(Exception):
    """This certificate is not one to encrypt for. ``message`` is for whoever sent it."""

    def __init__(self, reason: str) -> None:
        self.message = _BEGINNING + reason
        super().__init__(self.message)


class EncryptionCertificate(NamedTuple):
    """A certificate to encrypt for, and the ``encryptionCertificateThumbprint`` that says which one it was."""

    public_key: RSAPublicKey
    thumbprint: str


def read_certificate(text: str, now: float | None = None) -> EncryptionCertificate:
    """Read ``encryptionCertificate``. Raises CertificateRefused.

    Without ``now`` its end is not looked at: for one that was accepted before, such as one read back from the store.
    """
    if len(text) > LONGEST:
        raise CertificateRefused(f"The certificate has more than {LONGEST} characters.")
    try:
        der = _der(text)
        certificate, key = _parse(der)
    except Exception as error:  # whatever two libraries make of a stranger's bytes
        raise CertificateRefused(_UNREADABLE) from error
    if not isinstance(key, RSAPublicKey):
        raise CertificateRefused("The certificate's key is not an RSA key.")
    if not LEAST_BITS <= key.key_size <= MOST_BITS:
        raise CertificateRefused(
            f"The certificate's RSA key has {key.key_size} bits; it must have {LEAST_BITS} to {MOST_BITS}."
        )
    if now is not None and certificate.not_valid_after_utc.timestamp() < now:
        ended, at = certificate.not_valid_after_utc, datetime.fromtimestamp(now, UTC)
        raise CertificateRefused(
            f"The certificate ended at {ended:%Y-%m-%dT%H:%M:%SZ}, and it is {at:%Y-%m-%dT%H:%M:%SZ}. Send a new one."
        )
    try:
        # Numbers that make no RSA key are noticed only in use, and a delivery must not be the first.
        if not 3 <= key.public_numbers().e < 1 << 64:
            raise ValueError("the exponent")
        key.encrypt(bytes(32), KEY_WRAP)
    except Exception as error:
        raise CertificateRefused("Nothing can be encrypted with the certificate's RSA key.") from error
    # Graph's word, not a safeguard: receivers look their certificate up by it.
    return EncryptionCertificate(key, hashlib.sha1(der, usedforsecurity=False).hexdigest().upper())


def _der(text: str) -> bytes:
    decoded = _base64(text)
    # DER begins with 0x30, a sequence; anything else can only be text once more.
    return decoded if decoded.startswith(b"\x30") else _base64(decoded.decode("ascii"))


def _base64(text: str) -> bytes:
    pem = _PEM.search(text)
    return base64.b64decode("".join((pem[1] if pem else text).split()), validate=True)


def _parse(der: bytes) -> tuple[x509.Certificate, object]:
    # It warns of oddities, such as a serial number of 0, that do not matter to encryption.
    with warnings.catch_warnings(action="ignore"):
        certificate = x509.load_der_x509_certificate(der)
        return certificate, certificate.public_key()
