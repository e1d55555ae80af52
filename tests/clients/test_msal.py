"""MSAL for Python, as published, over TLS: an app that proves itself with a certificate.

Its password flow cannot be tried here: it asks for the user realm at the authority's host without the port, so it works
with a server on port 443 only. The grant itself is tested in tests/identity.
"""

from pathlib import Path

import httpx
import msal
import pytest
from tests.clients.certificate import certify
from tests.conftest import NADIA
from tests.running import Server

SCOPES = ["https://graph.microsoft.com/.default"]


def test_a_certificate_proves_an_app(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certified = certify()
    file = tmp_path / "app.pem"
    file.write_bytes(certified.certificate)
    added = server.command(
        "apps", "add", "certified", "--permission", "Presence.Read.All", "--certificate", str(file), "--json"
    )
    client_id = httpx.Response(200, text=added).json()["id"]
    environment = server.environment()
    # requests, which MSAL uses, prefers this variable to what it is told
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", environment["PRESENCED_CA_FILE"])
    app = msal.ConfidentialClientApplication(
        client_id,
        authority=f"{environment['AZURE_AUTHORITY_HOST']}/{environment['AZURE_TENANT_ID']}",
        client_credential={
            "private_key": certified.key.decode(),
            "thumbprint": certified.thumbprint.hex(),
            "public_certificate": certified.certificate.decode(),
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
