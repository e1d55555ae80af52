"""Resource data: opening what notifications carry encrypted, with a key that lives as long as this process.

The steps are those of the page "Set up change notifications that include resource data": unwrap the key (RSA-OAEP with
SHA-1), compare the signature (HMAC-SHA256 over the ciphertext) before anything is decrypted, then AES-CBC with PKCS7
padding, its IV the first 16 bytes of the key.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from presenced.listen.receiver import Encrypted
from presenced.notify.certificate import KEY_WRAP

_LIFE = timedelta(days=365)


class CannotOpen(Exception):
    """This was not encrypted for the key here, or it was changed on the way."""


class State(msgspec.Struct, frozen=True):
    """The resource data of a presence, as far as it is shown."""

    id: str
    availability: str
    activity: str


class ResourceKey:
    """A private key with its certificate, made anew."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self.id = str(uuid4())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "presenced listen")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + _LIFE)
            .sign(self._key, SHA256())
        )
        self.certificate = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")

    def open(self, encrypted: Encrypted) -> State:
        """Decrypt. Raises CannotOpen."""
        if encrypted.encryption_certificate_id != self.id:
            raise CannotOpen("it is encrypted for another certificate")
        try:
            key = self._key.decrypt(base64.b64decode(encrypted.data_key, validate=True), KEY_WRAP)
            data = base64.b64decode(encrypted.data, validate=True)
            signature = base64.b64decode(encrypted.data_signature, validate=True)
        except ValueError as error:
            raise CannotOpen("its key cannot be read") from error
        if not hmac.compare_digest(hmac.digest(key, data, "sha256"), signature):
            raise CannotOpen("its signature does not fit")
        try:
            decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
            unpadder = PKCS7(AES.block_size).unpadder()
            text = unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
            return msgspec.json.decode(text, type=State)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise CannotOpen("what it holds cannot be read") from error
