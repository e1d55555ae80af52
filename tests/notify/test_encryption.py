"""encryptedContent, undone by the documentation's steps."""

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from presenced.notify.certificate import KEY_WRAP, EncryptionCertificate, read_certificate
from presenced.notify.encryption import encrypt

from .subscriber import NOW, b64, certify, decrypt, der, rsa_key

PRESENCE = json.dumps({"id": "x", "availability": "Busy", "activity": "InACall"}).encode()


@pytest.fixture(scope="module")
def certificate() -> EncryptionCertificate:
    return read_certificate(b64(der(certify(rsa_key()))), NOW)


def content_key(encrypted: dict[str, str]) -> bytes:
    return rsa_key().decrypt(base64.b64decode(encrypted["dataKey"]), KEY_WRAP)


def on_the_wire(content: bytes, certificate: EncryptionCertificate) -> dict[str, str]:
    return msgspec.json.decode(msgspec.json.encode(encrypt(content, certificate, "cert-1")), type=dict[str, str])


def test_members(certificate: EncryptionCertificate) -> None:
    encrypted = on_the_wire(PRESENCE, certificate)
    assert set(encrypted) == {
        "data",
        "dataSignature",
        "dataKey",
        "encryptionCertificateId",
        "encryptionCertificateThumbprint",
    }
    assert encrypted["encryptionCertificateId"] == "cert-1"
    assert encrypted["encryptionCertificateThumbprint"] == certificate.thumbprint
    # padded, of the standard alphabet, on one line
    for name, size in (("data", 64), ("dataSignature", 32), ("dataKey", 256)):
        assert len(base64.b64decode(encrypted[name], validate=True)) == size
        assert b64(base64.b64decode(encrypted[name])) == encrypted[name]


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_round_trip(bits: int) -> None:
    certificate = read_certificate(b64(der(certify(rsa_key(bits)))), NOW)
    assert decrypt(on_the_wire(PRESENCE, certificate), rsa_key(bits)) == PRESENCE


@given(content=st.one_of(st.binary(max_size=200), st.text().map(str.encode), st.just(b""), st.just(b"x" * 100_000)))
def test_any_content(certificate: EncryptionCertificate, content: bytes) -> None:
    encrypted = on_the_wire(content, certificate)
    assert decrypt(encrypted, rsa_key()) == content
    size = len(base64.b64decode(encrypted["data"]))
    assert size == (len(content) // 16 + 1) * 16, "PKCS7 pads a whole block too"


def test_a_new_key_for_every_item(certificate: EncryptionCertificate) -> None:
    items = [on_the_wire(PRESENCE, certificate) for _ in range(50)]
    assert len({content_key(item) for item in items}) == 50
    for name in ("data", "dataSignature", "dataKey"):
        assert len({item[name] for item in items}) == 50


def test_the_iv_is_the_beginning_of_the_key(certificate: EncryptionCertificate) -> None:
    content = b"sixteen bytes :)" + b"and more"
    encrypted = on_the_wire(content, certificate)
    key = content_key(encrypted)
    # the first block of CBC is the block cipher's output xor the IV
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305  one block, to see the IV
    block = decryptor.update(base64.b64decode(encrypted["data"])[:16])
    assert bytes(a ^ b for a, b in zip(block, content[:16], strict=True)) == key[:16]
