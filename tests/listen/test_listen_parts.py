"""The receiving end in parts, against a real application: who sent it, opening it, and renewing a subscription."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.conftest import JONAS, NADIA, Desk
from tests.receiver import Receiver

from presenced.emulator import sample
from presenced.listen.client_state import ClientState
from presenced.listen.own_subscription import Access, NotDone, OwnSubscription
from presenced.listen.receiver import Encrypted
from presenced.listen.resource_data import CannotOpen, ResourceKey, State
from presenced.listen.validation import NotProven, Validation
from presenced.notify.certificate import read_certificate
from presenced.notify.encryption import encrypt
from presenced.notify.validation_tokens import CHANGE_TRACKING, ValidationTokens

APP = sample.SIGN_IN_APP
TENANT = sample.TENANT
ISSUER = f"https://sts.windows.net/{TENANT}/"


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    desk.clock.at = time.time()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app), base_url="http://localhost:8080") as client:
        yield client


def validation(client: httpx.AsyncClient, tenant: str = TENANT, app: str = APP, issuer: str = ISSUER) -> Validation:
    return Validation(client, f"/{TENANT}/discovery/keys", tenant, app, issuer)


async def test_this_servers_tokens_prove_it(desk: Desk, client: httpx.AsyncClient) -> None:
    token = desk.app.notify.tokens.token(TENANT, APP)
    await validation(client).check([token])
    for wrong in ({"tenant": NADIA}, {"app": NADIA}, {"issuer": "https://sts.windows.net/"}):
        with pytest.raises(NotProven, match="another"):
            await validation(client, **wrong).check([token])
    with pytest.raises(NotProven, match="not signed by this server"):
        await validation(client).check([token, token[:-8] + "AAAAAAAA"])
    with pytest.raises(NotProven, match="keys cannot be had"):
        await Validation(client, "/nothing", TENANT, APP, ISSUER).check([token])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"appid": NADIA}, "not of Change Tracking"),
        ({"azp": NADIA}, "not of Change Tracking"),
        ({"appid": None, "azp": None}, "not of Change Tracking"),
        ({"aud": [APP]}, "another aud"),
        ({"iss": None}, "another iss"),
    ],
)
async def test_claims_that_do_not_fit(
    desk: Desk, client: httpx.AsyncClient, change: dict[str, Any], words: str
) -> None:
    claims = {"iss": ISSUER, "aud": APP, "tid": TENANT, "appid": CHANGE_TRACKING, "azp": CHANGE_TRACKING} | change
    claims = {name: value for name, value in claims.items() if value is not None}
    token = desk.app.identity.issuer.sign(claims, 3600, 300)
    with pytest.raises(NotProven, match=words):
        await validation(client).check([token])


@pytest.mark.parametrize("tokens", [None, [], ["x"], ["a.b.c"], ["x" * 100_000], ["x"] * 100])
async def test_what_is_no_token(client: httpx.AsyncClient, tokens: list[str] | None) -> None:
    with pytest.raises(NotProven):
        await validation(client).check(tokens)


@pytest.mark.parametrize("away", [-2 * 86400, 2 * 86400])
async def test_a_token_of_another_time(desk: Desk, client: httpx.AsyncClient, away: float) -> None:
    desk.clock.advance(away)
    token = ValidationTokens(desk.app.identity.issuer, desk.clock).token(TENANT, APP)
    with pytest.raises(NotProven, match="not in its time"):
        await validation(client).check([token])


def test_resource_data_is_opened_whole_or_not_at_all() -> None:
    key = ResourceKey()
    state = State(JONAS, "Busy", "InACall")
    sealed = encrypt(msgspec.json.encode(state), read_certificate(key.certificate, time.time()), key.id)
    content = msgspec.convert(msgspec.to_builtins(sealed), Encrypted)
    assert key.open(content) == state
    other = ResourceKey()
    for name, value in (
        ("data", "AAAA"),
        ("data_key", "AAAA"),
        ("data_signature", "AAAA"),
        ("data", "ü"),
        ("data", ""),
    ):
        with pytest.raises(CannotOpen):
            key.open(msgspec.structs.replace(content, **{name: value}))
    with pytest.raises(CannotOpen, match="another certificate"):
        other.open(content)
    with pytest.raises(CannotOpen, match="key cannot be read"):
        other.open(msgspec.structs.replace(content, encryption_certificate_id=other.id))
    nothing = encrypt(b"[]", read_certificate(key.certificate), key.id)
    with pytest.raises(CannotOpen, match="what it holds"):
        key.open(msgspec.convert(msgspec.to_builtins(nothing), Encrypted))


async def test_a_subscription_is_renewed_and_made_anew_when_it_is_gone(
    desk: Desk, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    receiver = Receiver()
    await receiver.start()
    tokens: list[str] = []

    async def access() -> Access:
        user = desk.client("Presence.Read.All", user=NADIA, lifetime=3600)
        tokens.append(user.headers["Authorization"].removeprefix("Bearer "))
        return Access("http://localhost:8080/v1.0", tokens[-1])

    state, other = ClientState(tmp_path), ClientState(tmp_path)
    state.open()
    other.open()
    try:
        own = OwnSubscription(client, access, receiver.url, [JONAS], None, state)
        await own.create()
        first = own.id or ""
        assert 1790 < own.renew_at - time.time() <= 1800
        before = desk.app.notify.subscriptions.get(first)
        desk.clock.advance(30)
        own.renew_at = 0.0
        assert await own.renew() is True
        after = desk.app.notify.subscriptions.get(first)
        assert before is not None
        assert after is not None
        assert after.authorised_until >= before.authorised_until + 29
        assert own.renew_at > time.time() + 1790
        await desk.app.notify.subscriptions.remove(first)
        assert await own.renew() is False
        assert own.id not in (None, first)
        twice = OwnSubscription(client, access, receiver.url, [JONAS], None, other)
        with pytest.raises(NotDone) as refused:
            await twice.create()
        assert refused.value.status == 409
        assert (own.may_exist, twice.may_exist) == (True, False)
        assert await twice.delete_abandoned() == 0  # its listener lives
        await twice.delete()  # nothing was made, so nothing is taken away
        await own.delete()
        await own.delete()
        assert desk.app.notify.subscriptions.all() == []
        assert own.may_exist is False
    finally:
        state.close(left=False)
        other.close(left=False)
        await receiver.stop()


def test_a_client_state_is_abandoned_when_its_listener_has_ended(tmp_path: Path) -> None:
    living, left, deleted, old, mine = (ClientState(tmp_path) for _ in range(5))
    for state in (living, left, deleted, old, mine):
        state.open()
    left.close(left=True)
    deleted.close(left=False)
    old.close(left=True)
    (tmp_path / "listeners" / "strange").write_bytes(b"\xff")
    (tmp_path / "listeners" / "empty").touch()
    (tmp_path / "listeners" / "folder").mkdir()
    (tmp_path / "listeners" / "elsewhere").symlink_to(tmp_path / "nowhere")
    for path in (tmp_path / "listeners").iterdir():
        if path.is_file() and path.read_bytes() in (old.secret.encode(), living.secret.encode()):
            os.utime(path, (time.time() - 7300,) * 2)
            assert path.stat().st_mode & 0o777 == 0o600
    assert mine.abandoned() == {left.secret}
    kept = [path.read_bytes() for path in (tmp_path / "listeners").iterdir() if path.is_file()]
    assert old.secret.encode() not in kept
    assert living.secret.encode() in kept  # however long it was not renewed: the machine may have slept
    living.close(left=False)
    mine.close(left=False)
