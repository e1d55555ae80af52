"""A clock to set, people and apps, and a forger of tokens: what the tests of this room share."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from presenced.identity.apps import App
from presenced.identity.identity import Identity
from presenced.identity.issuer import User
from presenced.presence.record import Profile

START = 1_800_000_000.0
TENANT = "11111111-2222-4333-8444-555555555555"
APP = "aaaaaaaa-2222-4333-8444-555555555555"
ADELE = "bbbbbbbb-2222-4333-8444-555555555555"
ADELE_NAME = "adele@contoso.example"
BASE = "https://localhost:8443"


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> float:
        return self.instant


class Forger:
    """Makes tokens as good as the issuer's, or not quite as good."""

    def __init__(self, identity: Identity, app: App) -> None:
        self.identity = identity
        self.app = app
        self.signing = identity.keys.current

    def header(self, **changes: Any) -> dict[str, Any]:
        return {"typ": "JWT", "alg": "RS256", "kid": self.signing.kid} | changes

    def claims(self, *without: str, **changes: Any) -> dict[str, Any]:
        now = int(START)
        claims: dict[str, Any] = {
            "aud": "https://graph.microsoft.com",
            "iss": f"urn:presenced:{TENANT}",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "appid": self.app.id,
            "oid": self.app.principal,
            "sub": self.app.principal,
            "tid": TENANT,
            "roles": ["Presence.Read.All"],
            "ver": "1.0",
        }
        return {name: value for name, value in (claims | changes).items() if name not in without}

    def token(self, claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None) -> str:
        """Signed with the issuer's own key."""
        return self.raw(json.dumps(header or self.header()), json.dumps(claims or self.claims()))

    def raw(self, header: str, claims: str, key: rsa.RSAPrivateKey | None = None) -> str:
        key = key or self.signing.key.private_key
        assert key is not None
        return sign(header, claims, key)


def sign(header: str, claims: str, key: rsa.RSAPrivateKey) -> str:
    """A JWS with RS256, whatever the header says."""
    signed = f"{b64(header.encode())}.{b64(claims.encode())}"
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Certificate:
    """A self-signed certificate and its key."""

    def __init__(self, valid_from: float = START - 86400, valid_until: float = START + 86400) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a client")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.fromtimestamp(valid_from, UTC))
            .not_valid_after(datetime.fromtimestamp(valid_until, UTC))
            .sign(self.key, hashes.SHA256())
        )
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.x5t = b64(hashlib.sha1(self.der).digest())


async def find_person(tenant: str, key: str) -> User | None:
    if tenant == TENANT and key.lower() in (ADELE_NAME, ADELE):
        return ADELE, Profile(ADELE_NAME, "Adele Vance", "adele.vance@contoso.example")
    return None
