"""Calls to endpoints that are slow, endless, rude or lying. All of them are real sockets on loopback."""

import asyncio
import gzip
import socket
import tracemalloc

import pytest
from tests.notify.calls import failure, post
from tests.notify.endpoint import OK, Certificates, Writer, endpoint, never, until

from presenced.notify import client as module
from presenced.notify.client import WebhookClient
from presenced.notify.turns import Turns

HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_what_is_sent_and_what_comes_back(client: WebhookClient) -> None:
    answered = b"HTTP/1.1 202 Accepted\r\nContent-Type: Text/Plain ; charset=utf-8\r\nContent-Length: 3\r\n\r\nyes"
    async with endpoint(answered) as hook:
        answer = await post(client, f"{hook.url}?code=a%2Fb==&x=%zz", b'{"value":[]}')
        assert (answer.status, answer.content_type, answer.body, answer.whole) == (202, "text/plain", b"yes", True)
        assert 0 < answer.seconds < 20
        line, *headers = hook.requests[0].strip().split("\r\n")
        assert line == "POST /hook?code=a%2Fb==&x=%zz HTTP/1.1"
        sent = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
        assert sent.pop("user-agent").startswith("presenced/")
        assert sent == {
            "host": hook.url.split("/")[2],
            "accept": "*/*",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "content-length": "12",
        }
        assert hook.bodies == [b'{"value":[]}']
        await post(client, hook.url, None)
        assert hook.bodies[1:] == [b""]


async def test_nothing_of_the_environment_is_used(client: WebhookClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with endpoint(OK) as hook:
        assert (await post(client, hook.url)).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_answers(client: WebhookClient, status: int) -> None:
    async with endpoint(OK) as other:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with endpoint(moved) as hook:
            assert (await post(client, hook.url)).status == status
        assert other.connections == 0


async def test_cookies_are_not_kept(client: WebhookClient) -> None:
    async with endpoint(HEAD + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n") as hook:
        await post(client, hook.url)
        await post(client, hook.url)
        assert len(hook.requests) == 2
        assert "cookie" not in "".join(hook.requests).lower()


async def test_a_connection_is_kept(client: WebhookClient, certificates: Certificates) -> None:
    async with endpoint(OK, certificates.server()) as hook:
        for _ in range(5):
            assert (await post(client, hook.url)).body == b"ok"
        assert (await post(client, hook.url, read=2)).whole
        assert hook.connections == 1
        cut = await post(client, hook.url, read=1)
        assert (cut.body, cut.whole) == (b"o", False)
        none = await post(client, hook.url, read=0)
        assert (none.status, none.body) == (200, b"")


async def test_a_connection_with_more_to_come_is_closed(client: WebhookClient) -> None:
    async with endpoint(HEAD + b"Content-Length: 200000\r\n\r\n" + b"x" * 200000) as hook:
        for count in (1, 2):
            assert not (await post(client, hook.url, read=10)).whole
            assert hook.connections == count
        assert len((await post(client, hook.url, read=200000)).body) == 200000
        assert (await post(client, hook.url, read=200000)).whole
        assert hook.connections == 3


async def test_connections_are_kept_to_so_many_hosts(client: WebhookClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT_HOSTS", 2)
    hooks = []
    try:
        for number in range(1, 5):
            manager = endpoint(OK, host=f"127.0.0.{number}")
            hooks.append((manager, await manager.__aenter__()))
        for _ in range(2):
            for _, hook in hooks:
                await post(client, hook.url)
        assert [hook.connections for _, hook in hooks] == [1, 1, 2, 2]
    finally:
        for manager, _ in hooks:
            await manager.__aexit__(None, None, None)


async def test_calls_to_one_host_wait_for_each_other(client: WebhookClient) -> None:
    async def slow(writer: Writer) -> None:
        await asyncio.sleep(0.02)
        writer.write(OK)

    async with endpoint(slow) as hook, endpoint(slow) as other_port:
        urls = [hook.url, other_port.url] * 20
        answers = await asyncio.gather(*(post(client, url) for url in urls))
        assert {answer.status for answer in answers} == {200}
        assert hook.most_open + other_port.most_open <= 2 * module.MOST_CALLS_PER_HOST
        assert hook.connections <= 20
    assert not client._turns._hosts


async def test_waiting_for_ones_turn_is_not_slowness(client: WebhookClient) -> None:
    async with endpoint(never) as hook:
        blocking = [asyncio.create_task(failure(client, hook.url, 3)) for _ in range(module.MOST_CALLS_PER_HOST)]
        await asyncio.sleep(0.2)
        failed = await failure(client, hook.url, 0.2)
        assert (failed.busy, failed.timed_out, failed.seconds) == (True, False, 0.0)
        assert "try again later" in failed.reason
        async with endpoint(OK, host="127.0.0.2") as other:
            assert (await post(client, other.url)).status == 200
        assert all(one.timed_out and not one.busy for one in await asyncio.gather(*blocking))
        assert hook.connections == module.MOST_CALLS_PER_HOST
    assert not client._turns._hosts


async def test_all_calls_together_are_bounded(client: WebhookClient) -> None:
    client._turns = Turns(1, module.MOST_CALLS_PER_HOST, module.MOST_OF_KIND)

    async with endpoint(never) as hook, endpoint(OK, host="127.0.0.2") as other:
        blocking = asyncio.create_task(failure(client, hook.url, 1))
        await asyncio.sleep(0.1)
        assert (await failure(client, other.url, 0.2)).busy
        assert (await blocking).timed_out
        assert (await post(client, other.url)).status == 200


async def trickle(writer: Writer, start: bytes, piece: bytes, pause: float = 0.05) -> None:
    writer.write(start)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b""),
        (HEAD[:-4], b""),
        (HEAD, b"A"),
        (HEAD + b"Content-Length: 50\r\n\r\n", b""),
        (HEAD + b"Content-Length: 5000\r\n\r\n", b"a"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (HEAD + b"\r\n", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
    ],
)
async def test_too_slow(client: WebhookClient, start: bytes, piece: bytes) -> None:
    async with endpoint(lambda writer: trickle(writer, start, piece)) as hook:
        failed = await failure(client, hook.url, 0.5, 4096)
        assert (failed.reason, failed.timed_out, failed.busy) == ("The endpoint did not answer in time.", True, False)
        assert 0.5 <= failed.seconds < 20
        await until(lambda: not hook.open)  # the connection was closed


async def test_a_body_without_end(client: WebhookClient) -> None:
    async def flood(writer: Writer) -> None:
        writer.write(HEAD + b"Content-Length: 99999999999\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with endpoint(flood) as hook:
        tracemalloc.start()
        try:
            for _ in range(20):
                answer = await post(client, hook.url, read=1000)
                assert (answer.body, answer.whole) == (b"x" * 1000, False)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 30 * 1024 * 1024
        answer = await post(client, hook.url, read=0)
        assert (answer.status, answer.body, answer.whole) == (200, b"", False)
        await until(lambda: not hook.open)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 ", HEAD + b"X: ", HEAD + b"X", HEAD + b"X: y\r\n"])
@pytest.mark.parametrize("piece", [b"a" * 65536, b"A: b\r\n" * 10000, b"a: b\r\n c\r\n" * 10000])
async def test_a_head_without_end(client: WebhookClient, start: bytes, piece: bytes) -> None:
    async with endpoint(lambda writer: trickle(writer, start, piece, 0)) as hook:
        failed = await failure(client, hook.url)
        assert failed.reason == "The answer was not valid HTTP, or its head was too large."
        assert not failed.timed_out


async def test_interim_answers_without_end(client: WebhookClient) -> None:
    async with endpoint(lambda writer: trickle(writer, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0)) as hook:
        tracemalloc.start()
        try:
            failed = await failure(client, hook.url, 1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert failed.timed_out
        assert failed.seconds < 20
        assert peak < 100 * 1024 * 1024


@pytest.mark.parametrize(
    "answered",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail ESMTP\r\n\r\n",
        b"-ERR unknown command\r\n\r\n",
        b"\x00\x01\x02" * 100,
        b"HTTP/1.1 999999 no\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ],
)
async def test_what_is_not_http(client: WebhookClient, answered: bytes) -> None:
    async with endpoint(answered) as hook:
        failed = await failure(client, hook.url)
        assert failed.reason == "The answer was not valid HTTP, or its head was too large."


@pytest.mark.parametrize(
    "partial", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\nx", HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nx"]
)
@pytest.mark.parametrize("rudely", [False, True])
async def test_a_connection_that_ends_early(client: WebhookClient, partial: bytes, rudely: bool) -> None:
    async def leave(writer: Writer) -> None:
        writer.write(partial)
        await writer.drain()
        await asyncio.sleep(0.05)
        if rudely:
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        raise ConnectionError

    async with endpoint(leave) as hook:
        failed = await failure(client, hook.url)
        assert failed.reason == "The connection was closed before the answer was complete."
        assert not failed.timed_out


async def test_a_packed_answer_stays_packed(client: WebhookClient) -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with endpoint(head + bomb) as hook:
        answer = await post(client, hook.url, read=len(bomb))
        assert answer.body == bomb


async def test_a_cancelled_call_leaves_nothing(client: WebhookClient) -> None:
    async with endpoint(never) as hook:
        call = asyncio.create_task(post(client, hook.url))
        await until(lambda: bool(hook.requests))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: not hook.open)
    assert not client._turns._hosts
