"""When the keys of an external issuer are fetched: counted at a real provider."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from joserfc.jwk import RSAKey

from presenced.identity import jwks as module
from presenced.identity.external import ExternalIssuer, IssuerUnavailable
from presenced.identity.jwks import FRESH_FOR, MAX_BODY, PAUSE, PAUSE_WITHOUT_KEYS, Jwks

from .forger import SetClock
from .provider import AUDIENCE, Provider


@pytest.fixture
async def jwks(provider: Provider, clock: SetClock) -> AsyncIterator[Jwks]:
    jwks = Jwks(ExternalIssuer(provider.issuer, AUDIENCE), timer=clock.now)
    yield jwks
    await jwks.close()


async def test_fetched_once_and_kept(jwks: Jwks, provider: Provider, clock: SetClock) -> None:
    assert not provider.asked
    for _ in range(3):
        assert await jwks.find("first")
    clock.instant += FRESH_FOR - 1
    assert await jwks.find("first")
    assert provider.asked == {"discovery": 1, "keys": 1}


async def test_an_unknown_key_is_asked_for_once_a_minute(jwks: Jwks, provider: Provider, clock: SetClock) -> None:
    assert await jwks.find("first")
    provider.add("second")
    assert await jwks.find("second") is None  # the first fetch was just now
    assert provider.asked["keys"] == 1
    clock.instant += PAUSE
    assert await jwks.find("second")
    assert provider.asked["keys"] == 2
    for number in range(20):
        assert await jwks.find(f"invented {number}") is None
    assert provider.asked["keys"] == 2
    clock.instant += PAUSE
    for number in range(20):
        assert await jwks.find(f"invented {number}") is None
    assert provider.asked["keys"] == 3


async def test_asked_together_fetched_once(jwks: Jwks, provider: Provider) -> None:
    provider.delay = 0.05
    keys = await asyncio.gather(*(jwks.find("first") for _ in range(50)))
    assert all(keys)
    assert provider.asked == {"discovery": 1, "keys": 1}


async def test_who_gives_up_does_not_end_it_for_the_others(jwks: Jwks, provider: Provider) -> None:
    provider.delay = 0.05
    first, second = asyncio.create_task(jwks.find("first")), asyncio.create_task(jwks.find("first"))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second
    assert provider.asked["keys"] == 1


async def test_asked_again_after_a_day_without_making_anyone_wait(
    jwks: Jwks, provider: Provider, clock: SetClock
) -> None:
    assert await jwks.find("first")
    provider.keys = {}
    provider.add("second")
    clock.instant += FRESH_FOR
    assert await jwks.find("first")
    assert jwks._fetching is not None
    await jwks._fetching
    assert provider.asked["keys"] == 2
    assert await jwks.find("first") is None  # the provider took it back
    assert await jwks.find("second")


async def test_a_failed_refresh_keeps_the_old_keys(jwks: Jwks, provider: Provider, clock: SetClock) -> None:
    assert await jwks.find("first")
    provider.failing = True
    clock.instant += FRESH_FOR
    assert await jwks.find("first")
    assert await jwks.find("second") is None
    assert await jwks.find("first")
    assert provider.asked["discovery"] == 2


async def test_no_keys_at_all(jwks: Jwks, provider: Provider, clock: SetClock) -> None:
    provider.failing = True
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            await jwks.find("first")
    assert provider.asked["discovery"] == 1
    provider.failing = False
    clock.instant += PAUSE_WITHOUT_KEYS
    assert await jwks.find("first")


async def test_nobody_there(clock: SetClock) -> None:
    jwks = Jwks(ExternalIssuer("http://127.0.0.1:9", AUDIENCE))
    with pytest.raises(IssuerUnavailable):
        await jwks.find("first")
    await jwks.close()


async def test_a_provider_that_hangs(jwks: Jwks, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    provider.delay = 1
    with pytest.raises(IssuerUnavailable):
        await jwks.find("first")


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://issuer.example"},
        {"issuer": None},
        {"jwks_uri": "http://issuer.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
async def test_a_discovery_document_that_is_not_taken(jwks: Jwks, provider: Provider, document: dict[str, Any]) -> None:
    provider.document |= document
    with pytest.raises(IssuerUnavailable):
        await jwks.find("first")
    assert provider.asked == {"discovery": 1}


async def _redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(str(request.url.with_query("again")))


async def _too_much(request: web.Request) -> web.Response:
    key = RSAKey.generate_key(2048, {"kid": "first"}).as_dict(private=False)
    return web.json_response({"keys": [key], "filling": "x" * MAX_BODY})


async def _too_much_when_unpacked(request: web.Request) -> web.StreamResponse:
    answer = await _too_much(request)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


async def _not_json(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>")


async def _nested(request: web.Request) -> web.StreamResponse:
    return web.Response(text="[" * 100_000)


async def _no_list(request: web.Request) -> web.StreamResponse:
    return web.json_response({"keys": {"first": {}}})


async def _empty(request: web.Request) -> web.StreamResponse:
    return web.json_response({"keys": []})


@pytest.mark.parametrize(
    "answer", [_redirect, _too_much, _too_much_when_unpacked, _not_json, _nested, _no_list, _empty]
)
async def test_an_answer_that_is_not_taken(jwks: Jwks, provider: Provider, answer: Any) -> None:
    provider.answer_keys = answer
    with pytest.raises(IssuerUnavailable):
        await jwks.find("first")
    assert provider.asked == {"discovery": 1, "keys": 1}
