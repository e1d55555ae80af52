"""Encrypting resource data into a change notification's ``encryptedContent``.

The rule (changeNotificationEncryptedContent and change-notifications-with-resource-data, spec A.5): a new 256-bit key
for every item; AES-CBC with PKCS7 padding, its IV the first 16 bytes of the key; HMAC-SHA256 with the same key over the
raw ciphertext; the key wrapped with RSA-OAEP over SHA-1 for the subscriber's certificate. Text is padded base64 without
line breaks: Microsoft's helpers compare signatures as text.

One key for encryption and signature, an IV taken from it and SHA-1 are Graph's choices, not what one would choose anew;
every receiver depends on each. They are sound so far as a key is used once.
"""

import base64
import hmac
import secrets

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from presenced.notify.certificate import KEY_WRAP, EncryptionCertificate

_KEY_BYTES = 32
_IV_BYTES = 16


class EncryptedContent(msgspec.Struct, frozen=True, rename="camel"):
    """Graph's ``changeNotificationEncryptedContent``."""

    data: str
    data_signature: str
    data_key: str
    encryption_certificate_id: str
    encryption_certificate_thumbprint: str


def encrypt(content: bytes, certificate: EncryptionCertificate, certificate_id: str) -> EncryptedContent:
    """Encrypt one item's resource data, JSON in UTF-8. ``certificate_id`` is the subscriber's own name for it."""
    key = secrets.token_bytes(_KEY_BYTES)
    padder = PKCS7(AES.block_size).padder()
    encryptor = Cipher(AES(key), CBC(key[:_IV_BYTES])).encryptor()
    data = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    return EncryptedContent(
        data=_text(data),
        data_signature=_text(hmac.digest(key, data, "sha256")),
        data_key=_text(certificate.public_key.encrypt(key, KEY_WRAP)),
        encryption_certificate_id=certificate_id,
        encryption_certificate_thumbprint=certificate.thumbprint,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
