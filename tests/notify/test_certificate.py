"""Which encryptionCertificate is taken, in which forms, and what the others are told."""

import functools
import hashlib
import textwrap

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from presenced.notify.certificate import LONGEST, CertificateRefused, read_certificate

from .subscriber import NOW, b64, certify, der, pem, rsa_key


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    return certify(rsa_key())


def refusal(text: str, now: float | None = NOW) -> str:
    with pytest.raises(CertificateRefused) as refused:
        read_certificate(text, now)
    assert str(refused.value) == refused.value.message
    beginning, _, reason = refused.value.message.partition(": ")
    assert beginning == "Certificate validation error"
    return reason


def test_key_and_thumbprint(certificate: x509.Certificate) -> None:
    read = read_certificate(b64(der(certificate)), NOW)
    assert read.public_key.public_numbers() == rsa_key().public_key().public_numbers()
    assert read.thumbprint == hashlib.sha1(der(certificate)).hexdigest().upper()
    assert len(read.thumbprint) == 40


def test_the_forms_people_send(certificate: x509.Certificate) -> None:
    text = b64(der(certificate))
    chain = pem(certificate) + pem(certify(rsa_key(3072)))
    forms = [
        "\n".join(textwrap.wrap(text, 64)),
        "\r\n".join(textwrap.wrap(text, 76)) + "\r\n",
        f"  {text}\n",
        pem(certificate),
        pem(certificate).replace("\n", "\r\n"),
        pem(certificate).replace("\n", ""),
        pem(certificate).replace("\n", " "),
        "Bag Attributes\n    friendlyName: subscriber\n" + pem(certificate),
        chain,
        b64(pem(certificate).encode()),
        b64(chain.encode()),
        "\n".join(textwrap.wrap(b64(pem(certificate).encode()), 76)),
    ]
    expected = read_certificate(text, NOW)
    for form in forms:
        read = read_certificate(form, NOW)
        assert read.thumbprint == expected.thumbprint, form
        assert read.public_key == expected.public_key


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_sizes_taken(bits: int) -> None:
    assert read_certificate(b64(der(certify(rsa_key(bits)))), NOW).public_key.key_size == bits


@pytest.mark.parametrize("bits", [1024, 2047, 4097, 8192])
def test_sizes_refused(bits: int) -> None:
    # signed by another, and with a modulus of nobody's: making real keys of 8192 bits takes minutes
    public = rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()
    text = b64(der(certify(rsa_key(), public_key=public)))
    assert refusal(text) == f"The certificate's RSA key has {bits} bits; it must have 2048 to 4096."


def test_another_kind_of_key() -> None:
    assert refusal(b64(der(certify(ec.generate_private_key(ec.SECP256R1()))))) == (
        "The certificate's key is not an RSA key."
    )


@pytest.mark.parametrize("modulus", [1 << 2047, (1 << 2048) - 2])
def test_a_modulus_that_is_none(modulus: int) -> None:
    public = rsa.RSAPublicNumbers(65537, modulus | 1).public_key()
    text = der(certify(rsa_key(), public_key=public))
    at = text.index((modulus | 1).to_bytes(256, "big"))
    even = text[: at + 255] + bytes([text[at + 255] & 0xFE]) + text[at + 256 :]
    assert refusal(b64(even)) in (
        "Nothing can be encrypted with the certificate's RSA key.",
        "Cannot find the requested object.",
    )


def test_an_exponent_that_costs_too_much() -> None:
    public = rsa.RSAPublicNumbers((1 << 2000) + 1, rsa_key().public_key().public_numbers().n).public_key()
    text = b64(der(certify(rsa_key(), public_key=public)))
    assert refusal(text) == "Nothing can be encrypted with the certificate's RSA key."


def test_an_exponent_that_hides_nothing(certificate: x509.Certificate) -> None:
    # 65537 is 02 03 01 00 01 in DER; 02 03 00 00 01 is 1 in a form that some parsers take
    text = der(certificate).replace(b"\x02\x03\x01\x00\x01", b"\x02\x03\x00\x00\x01")
    assert text != der(certificate)
    refusal(b64(text))


def test_one_that_has_ended() -> None:
    text = b64(der(certify(rsa_key(), ends=NOW - 1)))
    assert refusal(text) == (
        "The certificate ended at 2027-01-15T07:59:59Z, and it is 2027-01-15T08:00:00Z. Send a new one."
    )
    assert read_certificate(text, NOW - 1)
    assert read_certificate(text), "one that was taken before"


def test_one_that_has_not_begun() -> None:
    text = b64(der(certify(rsa_key(), begins=NOW + 300)))
    assert read_certificate(text, NOW)


# as observed: a key of SSH's was sent (microsoft-graph-docs-contrib issue 4898)
SSH = "AAAAB3NzaC1yc2EAAAABIwAAAQEA18MJo8YuC7CH2gCiu6G70wWsGqEm2Llu3csF7fVF5aFC"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "=",
        "MIIC",
        "MIIC...",
        "certificate",
        "x" * 1000,
        "\x00",
        "\ud800",
        "é",
        SSH,
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        b64(b"-----BEGIN CERTIFICATE-----"),
        b64(b64(b"-----BEGIN CERTIFICATE-----").encode()),
        b64(b"\x30\x00"),
        b64(b"\x30\x80" * 5000),
    ],
)
def test_what_is_no_certificate(text: str) -> None:
    assert refusal(text) == "Cannot find the requested object."


def test_keys_are_no_certificates(certificate: x509.Certificate) -> None:
    public = rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in (b64(public), private, b64(private.encode()), b64(der(certificate) + b"\x00")):
        reason = refusal(text)
        assert reason == "Cannot find the requested object."


def test_the_longest(certificate: x509.Certificate) -> None:
    text = b64(der(certificate))
    assert read_certificate(text.ljust(LONGEST), NOW)
    assert refusal(text.ljust(LONGEST + 1)) == "The certificate has more than 32768 characters."
    assert refusal("A" * 50_000_000).startswith("The certificate has more than")


@given(st.text())
def test_any_text(text: str) -> None:
    refusal(text)


@functools.cache
def one_certificate() -> bytes:
    return der(certify(rsa_key()))


@given(at=st.integers(0, 4095), byte=st.integers(0, 255))
def test_any_damage(at: int, byte: int) -> None:
    """One byte changed: it is read or refused, and nothing else happens."""
    # what is drawn must not hang on the certificate, whose length differs from one to the next
    whole = bytearray(one_certificate())
    whole[at % len(whole)] = byte
    try:
        read = read_certificate(b64(bytes(whole)), NOW)
    except CertificateRefused as refused:
        assert refused.message.startswith("Certificate validation error: ")  # noqa: PT017  either is right
    else:
        assert 2048 <= read.public_key.key_size <= 4096
