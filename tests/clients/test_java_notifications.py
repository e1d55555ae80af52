"""Microsoft's Java SDK core, as published, receives change notifications: it decrypts them and validates their tokens.

Only the reading of the JSON is ours (java-notifications/); the keys come over HTTP from a running server. Maven fetches
the SDK once; after that neither Maven nor a network is needed until the project's files change.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.conftest import NADIA, SetClock
from tests.notify.subscriber import b64, certify, der, rsa_key
from tests.running import Server

from presenced.clock import Clock, SystemClock
from presenced.emulator import sample
from presenced.folder import DataFolder
from presenced.identity.issuer import LocalIssuer
from presenced.identity.keys import SigningKeys
from presenced.notify.certificate import read_certificate
from presenced.notify.encryption import encrypt
from presenced.notify.validation_tokens import CHANGE_TRACKING, LIFETIME, ValidationTokens

PROJECT = Path(__file__).parent / "java-notifications"
BUILT = Path(__file__).parents[2] / ".clients" / "java-notifications"
DAY = 86400.0
APP = sample.SERVICE_APP
STRANGER = "11111111-2222-4333-8444-555555555555"

CONTENT = json.dumps(
    {
        "@odata.id": f"users/{NADIA}/presence",
        "@odata.type": "#microsoft.graph.presence",
        "id": NADIA,
        "availability": "Busy",
        "activity": "InACall",
        "statusMessage": {"message": {"content": "Überstunden \N{HOT BEVERAGE}", "contentType": "text"}},
    },
    ensure_ascii=False,
)

Made = dict[str, Any]


@pytest.fixture(scope="module")
def classpath() -> str:
    """The receiver, compiled, and the SDK."""
    for program in ("javac", "mvn"):
        assert shutil.which(program), f"{program} is missing: run scripts/packages default-jdk-headless maven"
    sources = [PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*.java"))]
    want = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = BUILT / "built"
    if not stamp.exists() or stamp.read_text() != want:
        shutil.rmtree(BUILT, ignore_errors=True)  # the libraries of another version would stay beside the new ones
        maven = subprocess.run(["mvn", "-q", "-B", "compile"], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert maven.returncode == 0, maven.stdout + maven.stderr
        stamp.write_text(want)
    return f"{BUILT / 'classes'}:{BUILT / 'libraries'}/*"


class Receiver:
    """A subscriber whose code is Microsoft's."""

    def __init__(self, classpath: str, folder: Path, server: Server) -> None:
        self.certificate = certify(rsa_key(), time.time() - DAY, time.time() + DAY)
        self.thumbprint = hashlib.sha1(der(self.certificate)).hexdigest().upper()
        self.keys = f"{server.http}/common/discovery/keys"
        self._classpath = classpath
        self._folder = folder

    def receive(
        self, collection: Made, keys: str | None = None, tenant: str = sample.TENANT, app: str = APP
    ) -> "subprocess.CompletedProcess[str]":
        """Run it; its exit code and what it printed."""
        file, key = self._folder / "collection.json", self._folder / "key.der"
        file.write_text(json.dumps(collection), "utf-8")
        key.write_bytes(rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        arguments = [str(file), str(key), keys or self.keys, tenant, app, "cert-1", self.thumbprint]
        return subprocess.run(
            ["java", "-cp", self._classpath, "Receiver", *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def accepts(self, collection: Made, *contents: str, keys: str | None = None) -> None:
        done = self.receive(collection, keys)
        assert (done.returncode, done.stdout) == (0, "".join(f"{content}\n" for content in (*contents, "tokens valid")))

    def refuses(self, collection: Made, reason: str, **asked: Any) -> None:
        done = self.receive(collection, **asked)
        assert done.returncode == 1
        assert reason in done.stderr + done.stdout
        assert "tokens valid" not in done.stdout


@pytest.fixture
def receiver(classpath: str, tmp_path: Path, server: Server) -> Receiver:
    return Receiver(classpath, tmp_path, server)


def issuer_of(server: Server, clock: Clock | None = None) -> LocalIssuer:
    """The running server's issuer: its own keys, from its folder."""
    keys = SigningKeys.open(SystemClock(), DataFolder(server.data).keys)
    return LocalIssuer(keys, clock or SystemClock())


def item(certificate: x509.Certificate, content: str = CONTENT) -> Made:
    certificate_read = read_certificate(b64(der(certificate)), time.time())
    encrypted: Made = msgspec.to_builtins(encrypt(content.encode(), certificate_read, "cert-1"))
    return {
        "subscriptionId": "76222963-cc7b-42d2-882d-8aaa69cb2ba3",
        "changeType": "updated",
        "clientState": "secret",
        "tenantId": sample.TENANT,
        "resource": f"communications/presences('{NADIA}')",
        "resourceData": {"@odata.type": "#microsoft.graph.presence", "id": NADIA},
        "encryptedContent": encrypted,
    }


@pytest.fixture
def collection(receiver: Receiver, server: Server) -> Made:
    """A notification as it ought to be."""
    tokens = ValidationTokens(issuer_of(server), SystemClock())
    return {"value": [item(receiver.certificate)], "validationTokens": tokens.all([(sample.TENANT, APP)])}


@pytest.mark.parametrize(
    "keys", ["/common/discovery/keys", "/common/discovery/v2.0/keys", f"/{sample.TENANT}/discovery/v2.0/keys"]
)
def test_accepted(receiver: Receiver, collection: Made, server: Server, keys: str) -> None:
    receiver.accepts(collection, CONTENT, keys=server.http + keys)


@pytest.mark.parametrize("issuer_format", ["{base}/{tid}/v2.0", "https://login.microsoftonline.com/{tid}/v2.0"])
def test_other_forms_of_the_issuer(receiver: Receiver, server: Server, collection: Made, issuer_format: str) -> None:
    tokens = ValidationTokens(issuer_of(server), SystemClock(), issuer_format, server.http)
    collection["validationTokens"] = [tokens.token(sample.TENANT, APP)]
    receiver.accepts(collection, CONTENT)


def test_many_items_of_any_length(receiver: Receiver, collection: Made) -> None:
    contents = ["", *("é" * size for size in (1, 7, 8, 9, 16, 1000)), "{}"]
    collection["value"] = [item(receiver.certificate, content) for content in contents]
    receiver.accepts(collection, *contents)


def damaged(text: str) -> str:
    """Base64 of the same bytes but for the lowest bit of the first."""
    content = base64.b64decode(text)
    return b64(bytes([content[0] ^ 1]) + content[1:])


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("dataSignature", "Signature does not match"),
        ("data", "Signature does not match"),
        ("dataKey", "BadPaddingException"),
    ],
)
def test_damaged_content(receiver: Receiver, collection: Made, member: str, reason: str) -> None:
    encrypted = collection["value"][0]["encryptedContent"]
    encrypted[member] = damaged(encrypted[member])
    receiver.refuses(collection, reason)


def test_content_for_another_key(receiver: Receiver, collection: Made) -> None:
    other = certify(rsa_key(3072), time.time() - DAY, time.time() + DAY)
    encrypted = item(other)["encryptedContent"]
    collection["value"][0]["encryptedContent"] = encrypted
    receiver.refuses(collection, f"No key for certificate cert-1 {encrypted['encryptionCertificateThumbprint']}")
    encrypted["encryptionCertificateThumbprint"] = receiver.thumbprint
    receiver.refuses(collection, "Exception in thread")


def test_another_app_or_tenant(receiver: Receiver, collection: Made) -> None:
    receiver.refuses(collection, "tokens not valid", app=STRANGER)
    receiver.refuses(collection, "tokens not valid", tenant=STRANGER)


Forge = Callable[[Server], str]


def expired(server: Server) -> str:
    clock = SetClock(time.time() - LIFETIME)
    return ValidationTokens(issuer_of(server, clock), clock).token(sample.TENANT, APP)


def not_begun(server: Server) -> str:
    clock = SetClock(time.time() + DAY)
    return ValidationTokens(issuer_of(server, clock), clock).token(sample.TENANT, APP)


def signed_by_another(_: Server) -> str:
    clock = SystemClock()
    return ValidationTokens(LocalIssuer(SigningKeys.open(clock), clock), clock).token(sample.TENANT, APP)


def with_other_claims(server: Server) -> str:
    clock, issuer = SystemClock(), issuer_of(server)
    signed = ValidationTokens(issuer, clock).token(sample.TENANT, APP).split(".")
    other = ValidationTokens(issuer, clock).token(sample.TENANT, STRANGER).split(".")
    return ".".join([signed[0], other[1], signed[2]])


def of_another_caller(server: Server) -> str:
    issuer = f"https://sts.windows.net/{sample.TENANT}/"
    return issuer_of(server).sign({"aud": APP, "iss": issuer, "appid": CHANGE_TRACKING, "azp": STRANGER}, 3600)


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (expired, "ExpiredJwtException"),
        (not_begun, "PrematureJwtException"),
        (signed_by_another, "Could not locate key"),
        (with_other_claims, "SignatureException"),
        (of_another_caller, "Invalid token publisher"),
    ],
)
def test_tokens_refused(receiver: Receiver, server: Server, collection: Made, forge: Forge, reason: str) -> None:
    collection["validationTokens"].append(forge(server))
    receiver.refuses(collection, reason)


def test_a_server_that_rotated_its_keys(receiver: Receiver, server: Server, collection: Made) -> None:
    server.command("keys", "rotate")
    receiver.accepts(collection, CONTENT)  # signed before
    tokens = ValidationTokens(issuer_of(server), SystemClock())
    collection["validationTokens"] = [tokens.token(sample.TENANT, APP)]
    receiver.accepts(collection, CONTENT)
