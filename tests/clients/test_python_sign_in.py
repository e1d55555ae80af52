"""MSAL for Python and azure-identity, as published, over TLS to a real server process: every grant they offer."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.identity
import httpx
import msal
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.clients.certificate import certify
from tests.conftest import NADIA
from tests.running import Server, running

from presenced.emulator import sample

from .signing_in import NAME, Form, system_browser

GRAPH = "https://graph.microsoft.com/"
DEFAULT = f"{GRAPH}.default"


class Site:
    """Where the clients sign in."""

    def __init__(self, server: Server) -> None:
        environment = server.environment()
        self.server = server
        self.host = environment["AZURE_AUTHORITY_HOST"]
        self.ca = environment["PRESENCED_CA_FILE"]
        self.tenant = sample.TENANT

    def msal(self, kind: Callable[..., Any], client_id: str, tenant: str = sample.TENANT, **more: Any) -> Any:
        authority = f"{self.host}/{tenant}"
        return kind(client_id, authority=authority, instance_discovery=False, verify=self.ca, **more)

    def azure(self, kind: Callable[..., Any], **more: Any) -> Any:
        return kind(authority=self.host, disable_instance_discovery=True, tenant_id=self.tenant, **more)

    def add_app(self, *options: str) -> Any:
        shown = self.server.command("apps", "add", "an app", "--permission", "Presence.Read.All", "--json", *options)
        return httpx.Response(200, text=shown).json()

    def read(self, token: str) -> httpx.Response:
        """What Graph says with this token."""
        return httpx.post(
            f"{self.server.http}/v1.0/communications/getPresencesByUserId",
            json={"ids": [NADIA]},
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    def check(self, answer: Any) -> None:
        """Check MSAL's answer, by using it."""
        assert "access_token" in answer, answer.get("error_description")
        assert self.read(answer["access_token"]).status_code == 200


@pytest.fixture
def site(server: Server, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(server)
    # requests, which both libraries use, prefers this variable to what it is told
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    return site


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A PEM file with a key and its certificate, and the certificate's thumbprint in base64url."""
    certified = certify()
    file = certified.write(tmp_path_factory.mktemp("certificate"))
    x5t = base64.urlsafe_b64encode(certified.thumbprint).rstrip(b"=")
    return file, x5t.decode()


@pytest.fixture
def form(site: Site) -> Iterator[Form]:
    form = Form(site.ca)
    yield form
    form.client.close()


@pytest.mark.parametrize("tenant", [sample.TENANT, "organizations", "common"])
def test_msal_with_a_device_code(site: Site, form: Form, tenant: str) -> None:
    app = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP, tenant)
    flow = app.initiate_device_flow(["Presence.Read.All"])
    assert flow["verification_uri"] == f"{site.host}/devicelogin"
    form.enter_code(flow["verification_uri"], flow["user_code"])
    answer = app.acquire_token_by_device_flow(flow)
    site.check(answer)
    claims = answer["id_token_claims"]
    assert (claims["oid"], claims["preferred_username"], claims["tid"]) == (NADIA, NAME, sample.TENANT)
    (account,) = app.get_accounts()
    assert account["home_account_id"] == f"{NADIA}.{sample.TENANT}"
    cached = app.acquire_token_silent(["Presence.Read.All"], account)
    assert cached["token_source"] == "cache"
    for scope in ("Presence.Read.All", "User.Read"):
        renewed = app.acquire_token_silent_with_error([scope], account, force_refresh=True)
        assert renewed["token_source"] == "identity_provider"
    site.check(app.acquire_token_silent(["Presence.Read.All"], account))


def test_msal_while_nobody_has_signed_in(site: Site) -> None:
    app = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
    flow = app.initiate_device_flow(["Presence.Read.All"])
    answer = app.acquire_token_by_device_flow(flow, exit_condition=lambda _flow: True)
    assert answer["error"] == "authorization_pending"


@pytest.mark.parametrize("mode", ["query", "form_post"])
@pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended:UserWarning")
def test_msal_with_an_authorization_code(site: Site, form: Form, mode: str) -> None:
    added = site.add_app("--redirect-uri", "https://site.example/back")
    app = site.msal(msal.ConfidentialClientApplication, added["id"], client_credential=added["secret"])
    flow = app.initiate_auth_code_flow(
        ["Presence.Read.All"], redirect_uri="https://site.example/back", response_mode=mode, prompt="select_account"
    )
    if mode == "query":
        answer = dict(parse_qsl(urlsplit(form.sign_in(flow["auth_uri"])).query))
    else:
        answer = form.posted(flow["auth_uri"], "https://site.example/back")
    found = app.acquire_token_by_auth_code_flow(flow, answer)
    site.check(found)
    assert found["id_token_claims"]["oid"] == NADIA
    again = app.acquire_token_by_auth_code_flow(flow, answer)
    assert again["error"] == "invalid_grant"
    # the code came twice, so what it gave the first time is no good any more
    refused = app.acquire_token_silent_with_error(["User.Read"], app.get_accounts()[0], force_refresh=True)
    assert refused["error"] == "invalid_grant"


def test_msal_on_behalf_of(site: Site, form: Form) -> None:
    middle = site.add_app("--delegated")
    front = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
    flow = front.initiate_device_flow([f"api://{middle['id']}/access_as_user"])
    form.enter_code(flow["verification_uri"], flow["user_code"])
    assertion = front.acquire_token_by_device_flow(flow)["access_token"]
    assert site.read(assertion).status_code == 401
    app = site.msal(msal.ConfidentialClientApplication, middle["id"], client_credential=middle["secret"])
    site.check(app.acquire_token_on_behalf_of(assertion, [DEFAULT]))
    credential = site.azure(
        azure.identity.OnBehalfOfCredential,
        client_id=middle["id"],
        client_secret=middle["secret"],
        user_assertion=assertion,
    )
    with credential:
        assert site.read(credential.get_token(DEFAULT).token).status_code == 200


def test_msal_with_a_refresh_token_from_elsewhere(site: Site, form: Form) -> None:
    app = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
    flow = app.initiate_device_flow(["Presence.Read.All"])
    form.enter_code(flow["verification_uri"], flow["user_code"])
    token = app.acquire_token_by_device_flow(flow)["refresh_token"]
    other = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
    site.check(other.acquire_token_by_refresh_token(token, ["Presence.Read.All"]))


def test_msal_with_a_browser(site: Site) -> None:
    app = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
    with system_browser() as browser:
        answer = app.acquire_token_interactive(["Presence.Read.All"], timeout=120)
        assert "Authentication complete" in browser.wait()
    site.check(answer)
    assert answer["id_token_claims"]["oid"] == NADIA


def test_azure_identity_with_a_browser(site: Site) -> None:
    credential = site.azure(azure.identity.InteractiveBrowserCredential, client_id=sample.SIGN_IN_APP, timeout=120)
    with system_browser() as browser, credential:
        assert site.read(credential.get_token(f"{GRAPH}Presence.Read.All").token).status_code == 200
        assert "Authentication complete" in browser.wait()
        # silently, for another permission
        assert credential.get_token(f"{GRAPH}User.Read").token


def test_azure_identity_with_a_device_code(site: Site, form: Form) -> None:
    credential = site.azure(
        azure.identity.DeviceCodeCredential,
        client_id=sample.SIGN_IN_APP,
        prompt_callback=lambda url, code, expires: form.enter_code(url, code),
    )
    with credential:
        record = credential.authenticate(scopes=[f"{GRAPH}Presence.Read.All"])
        assert (record.username, record.tenant_id) == (NAME, sample.TENANT)
        assert site.read(credential.get_token(f"{GRAPH}Presence.Read.All").token).status_code == 200
        assert credential.get_token(f"{GRAPH}User.Read").token


def test_azure_identity_with_an_authorization_code(site: Site, form: Form) -> None:
    uri = "https://site.example/back"
    added = site.add_app("--redirect-uri", uri)
    # this credential knows no PKCE
    query = httpx.QueryParams(
        client_id=added["id"], response_type="code", redirect_uri=uri, scope=f"{DEFAULT} offline_access"
    )
    back = form.sign_in(f"{site.host}/{site.tenant}/oauth2/v2.0/authorize?{query}")
    credential = site.azure(
        azure.identity.AuthorizationCodeCredential,
        client_id=added["id"],
        client_secret=added["secret"],
        authorization_code=httpx.URL(back).params["code"],
        redirect_uri=uri,
    )
    with credential:
        first = credential.get_token(DEFAULT).token
        assert site.read(first).status_code == 200
        # It finds its refresh token under the scopes of the first time only. Claims make it pass over the cached token.
        renewed = credential.get_token(DEFAULT, claims='{"access_token": {}}').token
        assert renewed != first
        assert site.read(renewed).status_code == 200


def test_azure_identity_for_an_app_alone(site: Site, certificate: tuple[Path, str]) -> None:
    file, x5t = certificate
    added = site.server.command(
        "apps", "add", "certified", "--permission", "Presence.Read.All", "--certificate", str(file), "--json"
    )
    client_id = httpx.Response(200, text=added).json()["id"]
    kinds = azure.identity
    by_secret = site.azure(kinds.ClientSecretCredential, client_id=sample.SERVICE_APP, client_secret=sample.SECRET)
    by_certificate = site.azure(kinds.CertificateCredential, client_id=client_id, certificate_path=str(file))
    by_assertion = site.azure(
        kinds.ClientAssertionCredential,
        client_id=client_id,
        func=lambda: assertion(file, x5t, client_id, f"{site.host}/{site.tenant}/v2.0"),
    )
    for credential in (by_secret, by_certificate, by_assertion):
        with credential:
            assert site.read(credential.get_token(DEFAULT).token).status_code == 200


def assertion(file: Path, x5t: str, client_id: str, audience: str) -> str:
    """A client assertion, as a workload that has a key makes it."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "nbf": now, "exp": now + 600, "jti": "1"}
    key = RSAKey.import_key(file.read_text().partition("-----BEGIN CERTIFICATE")[0])
    return jwt.encode({"alg": "RS256", "x5t": x5t}, claims, key)


@pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:UsernamePasswordCredential is deprecated:DeprecationWarning")
def test_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL asks for the user realm at the authority's host without the port, so the server has TLS's own."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 443))
        except OSError as error:
            pytest.skip(f"port 443 is not to be had: {error}")
    with running(tmp_path / "data", "--sample", "--tls", "--tls-port", "443") as server:
        site = Site(server)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
        # the address without the port, as people write it
        site.host = site.host.removesuffix(":443")
        app = site.msal(msal.PublicClientApplication, sample.SIGN_IN_APP)
        answer = app.acquire_token_by_username_password(NAME, sample.PASSWORD, ["Presence.Read.All"])
        site.check(answer)
        assert app.acquire_token_silent_with_error(["User.Read"], app.get_accounts()[0])["access_token"]
        wrong = app.acquire_token_by_username_password(NAME, "wrong", ["Presence.Read.All"])
        assert (wrong["error"], wrong["error_codes"]) == ("invalid_grant", [50126])
        credential = site.azure(
            azure.identity.UsernamePasswordCredential,
            client_id=sample.SIGN_IN_APP,
            username=NAME,
            password=sample.PASSWORD,
        )
        with credential:
            assert site.read(credential.get_token(f"{GRAPH}Presence.Read.All").token).status_code == 200
