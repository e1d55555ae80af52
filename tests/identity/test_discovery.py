"""Discovery, keys and user realm, and the addresses in them."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request

from presenced.identity.base_urls import BaseUrls
from presenced.identity.identity import Identity
from presenced.identity.jwks import _import

from .endpoint import check_refusal
from .forger import BASE, TENANT, Forger

DOCUMENT = "v2.0/.well-known/openid-configuration"


async def test_what_every_msal_needs(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/{TENANT}/{DOCUMENT}")
    assert answer.status_code == 200
    document = answer.json()
    named = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "jwks_uri", "issuer")
    assert {name: document[name] for name in named} == {
        "issuer": f"{BASE}/{TENANT}/v2.0",
        "authorization_endpoint": f"{BASE}/{TENANT}/oauth2/v2.0/authorize",
        "token_endpoint": f"{BASE}/{TENANT}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{BASE}/{TENANT}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{BASE}/{TENANT}/discovery/v2.0/keys",
    }
    assert set(document["grant_types_supported"]) == {
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    }


async def test_what_the_document_names_is_served(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"/{TENANT}/{DOCUMENT}")).json()
    addresses = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert len(addresses) == 5
    for url in addresses.values():
        posts = "token" in url or "devicecode" in url
        answer = await (client.post(url, data={}) if posts else client.get(url))
        assert answer.status_code in (200, 400), url
    for grant in document["grant_types_supported"]:
        answer = await client.post(document["token_endpoint"], data={"grant_type": grant})
        assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("spelling", ["common", "organizations", TENANT])
async def test_instance_discovery_vouches_for_this_server(client: httpx.AsyncClient, spelling: str) -> None:
    asked = {"api-version": "1.1", "authorization_endpoint": f"{BASE}/{spelling}/oauth2/v2.0/authorize"}
    answer = await client.get("/common/discovery/instance", params=asked)
    assert answer.status_code == 200
    network = BASE.removeprefix("https://")
    assert answer.json() == {
        "tenant_discovery_endpoint": f"{BASE}/{TENANT}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": network, "preferred_cache": network, "aliases": [network]}],
    }


@pytest.mark.parametrize(
    "url",
    ["", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "https://evil.example", "https://[", "x"],
)
async def test_instance_discovery_vouches_for_no_other(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get("/common/discovery/instance", params={"authorization_endpoint": url})
    check_refusal(answer, 50049, "invalid_instance")


async def test_pages_may_read_discovery_and_keys(client: httpx.AsyncClient) -> None:
    for path in (DOCUMENT, "discovery/v2.0/keys", "discovery/instance"):
        answer = await client.get(f"/{TENANT}/{path}", headers={"Origin": "https://page.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("spelling", [TENANT.upper(), "organizations", "common"])
async def test_the_tenant_by_another_name(client: httpx.AsyncClient, spelling: str) -> None:
    assert (await client.get(f"/{spelling}/{DOCUMENT}")).json()["issuer"] == f"{BASE}/{TENANT}/v2.0"


async def test_the_keys_verify_the_tokens(client: httpx.AsyncClient, identity: Identity, forger: Forger) -> None:
    document = (await client.get(f"/{TENANT}/{DOCUMENT}")).json()
    answer = (await client.get(document["jwks_uri"])).json()
    assert all(set(key) == {"kty", "n", "e", "kid", "use", "alg", "issuer"} for key in answer["keys"])
    # another issuer than the document's would make Microsoft.IdentityModel refuse the key
    assert {key["issuer"] for key in answer["keys"]} == {document["issuer"]}
    assert list(_import(answer)) == [identity.keys.current.kid]


@pytest.mark.parametrize("spelling", [TENANT, "common"])
async def test_the_addresses_without_a_version(client: httpx.AsyncClient, identity: Identity, spelling: str) -> None:
    versioned = (await client.get(f"/{spelling}/{DOCUMENT}")).json()
    answer = await client.get(f"/{spelling}/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.json() == versioned | {"jwks_uri": f"{BASE}/{TENANT}/discovery/keys"}
    for uri in (answer.json()["jwks_uri"], f"{BASE}/{spelling}/discovery/keys"):
        assert (await client.get(uri)).json() == identity.keys.public_jwks()


@pytest.mark.parametrize("spelling", [TENANT, "common", "organizations"])
async def test_the_issuer_of_the_keys_is_the_documents(client: httpx.AsyncClient, spelling: str) -> None:
    document = (await client.get(f"/{spelling}/{DOCUMENT}")).json()
    for uri in (document["jwks_uri"], f"{BASE}/{spelling}/discovery/v2.0/keys"):
        assert {key["issuer"] for key in (await client.get(uri)).json()["keys"]} == {document["issuer"]}


@pytest.mark.parametrize(
    "path", [DOCUMENT, "discovery/v2.0/keys", ".well-known/openid-configuration", "discovery/keys"]
)
async def test_unknown_tenants(client: httpx.AsyncClient, path: str) -> None:
    check_refusal(await client.get(f"/fabrikam.example/{path}"), 90002, "invalid_request")
    check_refusal(await client.get(f"/consumers/{path}"), 9002332, "invalid_request")


@pytest.mark.parametrize(
    "path", ["/common/userrealm/adele%40contoso.example", "/common/UserRealm/nobody@contoso.example"]
)
async def test_user_realm(client: httpx.AsyncClient, path: str) -> None:
    answer = (await client.get(path, params={"api-version": "1.0"})).json()
    assert (answer["ver"], answer["account_type"], answer["domain_name"]) == ("1.0", "Managed", "contoso.example")


def request(host: str | None, scheme: str = "https", server: Any = ("10.0.0.7", 8443)) -> Request:
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    return Request({"type": "http", "scheme": scheme, "path": "/", "headers": headers, "server": server})


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:8443", "https://localhost:8443"),
        ("LocalHost", "https://localhost"),
        ("presence.example:443", "https://presence.example"),
        ("[::1]:8443", "https://[::1]:8443"),
        ("my_container:80", "https://my_container:80"),
        (None, "https://10.0.0.7:8443"),
        ("", "https://10.0.0.7:8443"),
        ("evil.example/x", "https://10.0.0.7:8443"),
        ("evil.example#", "https://10.0.0.7:8443"),
        ("a@evil.example", "https://10.0.0.7:8443"),
        ("evil.example:80:80", "https://10.0.0.7:8443"),
        ("evil.example:99999", "https://10.0.0.7:8443"),
        ('evil"example', "https://10.0.0.7:8443"),
        ("evil.example\n", "https://10.0.0.7:8443"),
        ("evil\xe9.example", "https://10.0.0.7:8443"),
        ("[::1", "https://10.0.0.7:8443"),
        ("[:::::]", "https://10.0.0.7:8443"),
        ("x" * 300, "https://10.0.0.7:8443"),
    ],
)
def test_the_address_clients_are_told(host: str | None, base: str) -> None:
    assert BaseUrls().of(request(host)) == base
    assert BaseUrls("https://presence.example").of(request(host)) == "https://presence.example"


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost:9000", {"https://10.0.0.7:8443", "https://localhost:9000"}),
        ("127.0.0.2", {"https://10.0.0.7:8443", "https://127.0.0.2"}),
        ("[::1]", {"https://10.0.0.7:8443", "https://[::1]"}),
        ("presence.example", {"https://10.0.0.7:8443"}),
        ("localhost.evil.example", {"https://10.0.0.7:8443"}),
        ("127.0.0.1.evil.example", {"https://10.0.0.7:8443"}),
    ],
)
def test_the_addresses_that_are_certain(host: str, own: set[str]) -> None:
    assert BaseUrls().own(request(host)) == own


@pytest.mark.parametrize(
    ("server", "base"),
    [
        (("::1", 8080), "https://[::1]:8080"),
        (("10.0.0.7", 443), "https://10.0.0.7"),
        (("/run/presenced.sock", None), "https://localhost"),
        (None, "https://localhost"),
    ],
)
def test_the_address_of_the_connection(server: Any, base: str) -> None:
    assert BaseUrls().of(request(None, server=server)) == base


@pytest.mark.parametrize(
    "url", ["presence.example", "https://presence.example/x", "ftp://x", "https://", "https://a b"]
)
def test_a_public_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="public URL"):
        BaseUrls(url)
