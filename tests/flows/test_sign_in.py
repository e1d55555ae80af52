"""Signing in to a real server: what outlives it, what it never writes down, and who is named to strangers."""

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import Desk
from tests.running import Server, command, running

from presenced.emulator import sample

NAME = "nadia@sample.example"
TOKEN = f"/{sample.TENANT}/oauth2/v2.0/token"
SIGN_IN = {
    "grant_type": "password",
    "client_id": sample.SIGN_IN_APP,
    "username": NAME,
    "password": sample.PASSWORD,
    "scope": "offline_access https://graph.microsoft.com/Presence.Read",
}


def refreshed(server: Server, token: str) -> Any:
    fields = {"grant_type": "refresh_token", "client_id": sample.SIGN_IN_APP, "refresh_token": token}
    return httpx.post(f"{server.http}{TOKEN}", data=fields, timeout=60).json()


def test_a_refresh_token_outlives_the_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        token = httpx.post(f"{server.http}{TOKEN}", data=SIGN_IN, timeout=60).json()["refresh_token"]
        server.stop(signal.SIGKILL)
    with running(data, "--sample") as server:
        following = refreshed(server, token)["refresh_token"]
        # what was answered is on disk, so the one before is spent also after this
        server.stop(signal.SIGKILL)
    with running(data, "--sample") as server:
        answer = refreshed(server, following)
        read = httpx.get(
            f"{server.http}/v1.0/me/presence", headers={"Authorization": f"Bearer {answer['access_token']}"}
        )
        assert read.json()["activity"] == "InAMeeting"
        assert server.command("users", "sign-out", NAME) == "Signed out. Refresh tokens ended: 1.\n"
        assert refreshed(server, answer["refresh_token"])["error_codes"] == [70000]
        written = server.output
    for file in data.iterdir():
        if file.is_file():
            written += file.read_bytes().decode("latin-1")
    for secret in (token, following, answer["refresh_token"], answer["access_token"], sample.PASSWORD):
        assert secret.rpartition(".")[2] not in written
    nobody = command("users", "sign-out", "nobody@sample.example", "--data", str(data), check=False)
    assert nobody.returncode == 1
    assert "There is nobody" in nobody.stderr


def page(http: str, **more: str) -> str:
    asked = {
        "client_id": sample.SIGN_IN_APP,
        "response_type": "code",
        "redirect_uri": "http://localhost:1",
        "scope": "User.Read",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    answer = httpx.get(f"{http}/common/oauth2/v2.0/authorize", params=asked | more, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_sample_people_are_listed_while_their_password_is_known_to_all(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--sample") as server:
        shown = page(server.http)
        assert "Nadia Petrova" in shown
        assert sample.PASSWORD in shown
    with running(data, "--sample", "--host", "0.0.0.0") as server:
        shown = page(server.http.replace("0.0.0.0", "127.0.0.1"))
        assert "Nadia" not in shown
        assert "sample.example" not in shown
        assert sample.PASSWORD not in shown


@pytest.mark.parametrize(
    "path",
    [
        "/common/oauth2/v2.0/authorize",
        "/common/oauth2/v2.0/logout",
        "/devicelogin",
        "/common/login",
        "/%ff/oauth2/v2.0/authorize",
        "/common/oauth2/v2.0/authorize/",
        "//devicelogin",
        "/common/discovery/instance",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "NONSENSE"])
async def test_no_request_makes_it_fail(desk: Desk, path: str, method: str) -> None:
    base = "http://localhost:8080"
    client = desk.bare()
    for content, kind in ((b"", ""), (b"\xff\x00=%", "application/x-www-form-urlencoded"), (b"{}", "application/json")):
        for cookie in ("", "presenced-session=\xe9; presenced-form=\xff", "presenced-form=" + "x" * 5000):
            headers = [(b"Content-Type", kind.encode()), (b"Cookie", cookie.encode("latin-1")), (b"Origin", b"null")]
            answer = await client.request(method, f"{base}{path}?state=%ff&x=%00", content=content, headers=headers)
            assert answer.status_code < 500, (method, path, answer.text)
