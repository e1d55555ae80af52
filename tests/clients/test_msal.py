"""MSAL for Python, as published, over TLS: an app that proves itself with a certificate.

Its password flow cannot be tried here: it asks for the user realm at the authority's host without the port, so it works
with a server on port 443 only. The grant itself is tested in tests/identity.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.conftest import NADIA
from tests.running import Server

SCOPES = ["https://graph.microsoft.com/.default"]


def test_a_certificate_proves_an_app(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
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
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = tmp_path / "app.pem"
    file.write_bytes(pem)
    added = server.command(
        "apps", "add", "certified", "--permission", "Presence.Read.All", "--certificate", str(file), "--json"
    )
    client_id = httpx.Response(200, text=added).json()["id"]
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    environment = server.environment()
    # requests, which MSAL uses, prefers this variable to what it is told
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", environment["PRESENCED_CA_FILE"])
    app = msal.ConfidentialClientApplication(
        client_id,
        authority=f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}",
        client_credential={
            "private_key": private.decode(),
            "thumbprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303  what Entra calls a thumbprint
            "public_certificate": pem.decode(),
        },
        instance_discovery=False,
        verify=environment["PRESENCED_CA_FILE"],
    )
    answer = app.acquire_token_for_client(SCOPES)
    assert "access_token" in answer, answer.get("error_description")
    read = httpx.post(
        f"{server.http}/v1.0/communications/getPresencesByUserId",
        json={"ids": [NADIA]},
        headers={"Authorization": f"Bearer {answer['access_token']}"},
    )
    assert read.status_code == 200
