"""What a scope asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presenced.identity.entra_errors import EntraError
from presenced.identity.scopes import Scopes

from .forger import TENANT

HOSTS = {"presence.example"}


def parse(scope: str) -> Scopes:
    return Scopes.parse(scope, TENANT, HOSTS)


@pytest.mark.parametrize(
    "scope",
    [
        "https://graph.microsoft.com/.default",
        "https://graph.microsoft.com//.default",
        "HTTPS://Graph.Microsoft.com/.default",
        "00000003-0000-0000-c000-000000000000/.default",
        "https://presence.example/.default",
        "https://presence.example:8443/.default",
        "http://localhost/.default",
        "http://localhost:8080/.default",
        "https://127.0.0.1:8443/.default",
        "https://[::1]:8443/.default",
        "https://graph.microsoft.com/.default openid profile offline_access",
    ],
)
def test_all_that_was_granted(scope: str) -> None:
    assert parse(scope).default


@pytest.mark.parametrize(
    ("scope", "permissions"),
    [
        ("Presence.Read", ("Presence.Read",)),
        ("https://graph.microsoft.com/Presence.Read User.Read Presence.Read", ("Presence.Read", "User.Read")),
        ("https://localhost:8443/Presence.Read.All", ("Presence.Read.All",)),
        ("openid email", ()),
    ],
)
def test_permissions_by_name(scope: str, permissions: tuple[str, ...]) -> None:
    assert (parse(scope).default, parse(scope).permissions) == (False, permissions)


def test_words_of_openid() -> None:
    scopes = parse("openid profile User.Read")
    assert scopes.openid == {"openid", "profile"}
    assert scopes.asked == ("User.Read",)


@pytest.mark.parametrize(
    "scope",
    [
        "https://vault.azure.net/.default",
        "https://graph.microsoft.com.evil.example/.default",
        "https://evil.example/graph.microsoft.com/.default",
        "https://presence.example@evil.example/.default",
        "https://user@presence.example/.default",
        "https://localhost/x/.default",
        "https://localhost?x/.default",
        "ftp://localhost/.default",
        "api://presenced/Presence.Read",
        "https://[::1/.default",
        "/.default",
    ],
)
def test_another_resource(scope: str) -> None:
    with pytest.raises(EntraError) as refusal:
        parse(scope)
    assert refusal.value.number == 500011


@pytest.mark.parametrize(
    "scope",
    [
        "",
        " ",
        "https://graph.microsoft.com/.default User.Read",
        "https://graph.microsoft.com/",
        ".default",
        "x" * 4097,
        "a:b",
    ],
)
def test_an_invalid_scope(scope: str) -> None:
    with pytest.raises(EntraError) as refusal:
        parse(scope)
    assert refusal.value.number == 70011


@given(st.text() | st.text("ahtps:/.[]@?# \u2028defult%"))
def test_any_text(scope: str) -> None:
    number = 0
    try:
        parse(scope)
    except EntraError as refusal:
        number = refusal.number
        str(refusal).encode()
    assert number in (0, 70011, 500011)
