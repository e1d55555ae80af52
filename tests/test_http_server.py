"""HTTP answers: head and body leave in one write, and whatever is not that plain is still answered as it should be."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from presenced.http_server import Protocol

App = Callable[[Scope, Receive, Send], Awaitable[None]]

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = (b"content-length", b"5")


class Transport(asyncio.Transport):
    """Keeps every write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        if data:
            self.writes.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.writes.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Connection:
    """uvicorn's protocol, as presenced uses it, between an application and a transport."""

    def __init__(self, app: App) -> None:
        config = Config(app, http=Protocol, ws="none", lifespan="off", log_config=None, server_header=False)
        self.protocol = Protocol(config, ServerState(), {}, asyncio.get_running_loop())
        self.transport = Transport()
        self.protocol.connection_made(self.transport)

    async def ask(self, *chunks: bytes) -> list[bytes]:
        """What is written in answer, write by write."""
        for chunk in chunks:
            self.protocol.data_received(chunk)
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        self.protocol.connection_lost(ConnectionResetError())
        return self.transport.writes


def answering(*headers: tuple[bytes, bytes], body: bytes = b"hello", status: int = 200) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


async def test_one_write() -> None:
    connection = Connection(answering(LENGTH, (b"x", b"1")))
    assert await connection.ask(GET) == [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: 1\r\n\r\nhello"]
    assert not connection.transport.closed


async def test_no_body() -> None:
    assert await Connection(answering((b"content-length", b"0"), body=b"")).ask(GET) == [
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    ]
    assert await Connection(answering(body=b"", status=204)).ask(GET) == [b"HTTP/1.1 204 No Content\r\n\r\n"]


async def test_head() -> None:
    connection = Connection(answering(LENGTH))
    # the next answer on the connection is not mistaken for the missing body
    assert b"".join(await connection.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", GET)) == (
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    )


async def test_pipelined_answers_keep_their_order() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = scope["path"].encode()
        await asyncio.sleep(0)
        await answering((b"content-length", b"%d" % len(body)), body=body)(scope, receive, send)

    writes = await Connection(app).ask(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(5)))
    assert [write[-2:] for write in writes] == [b"/%d" % number for number in range(5)]


@pytest.mark.parametrize(
    ("request_head", "header"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (b"x", b"1")),
        (b"GET / HTTP/1.0\r\n\r\n", (b"x", b"1")),
        (GET, (b"connection", b"close")),
    ],
)
async def test_the_last_answer_on_a_connection(request_head: bytes, header: tuple[bytes, bytes]) -> None:
    connection = Connection(answering(LENGTH, header))
    answer = b"".join(await connection.ask(request_head))
    assert answer.endswith(b"connection: close\r\n\r\nhello")
    assert answer.count(b"connection") == 1
    assert connection.transport.closed


async def test_answers_in_parts() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    answer = b"".join(await Connection(app).ask(GET))
    assert answer == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_expect_continue() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        await answering(LENGTH)(scope, receive, send)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert await Connection(app).ask(head, b"{}") == [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ]


@pytest.mark.parametrize("value", [b"1\r\nset-cookie: a=b", b"1\ninjected: 1", b"1\rinjected: 1"])
async def test_a_line_break_in_a_header_is_refused(value: bytes) -> None:
    answer = b"".join(await Connection(answering(LENGTH, (b"x", value))).ask(GET))
    assert b"set-cookie" not in answer
    assert b"injected" not in answer
    assert b"hello" not in answer


async def test_a_wrong_length_is_refused() -> None:
    connection = Connection(answering((b"content-length", b"4")))
    assert b"hello" not in b"".join(await connection.ask(GET))
    assert connection.transport.closed


async def test_an_application_that_fails_between_head_and_body() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
        raise RuntimeError("as a test")

    connection = Connection(app)
    answer = b"".join(await connection.ask(GET))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert connection.transport.closed


async def test_a_client_that_is_gone_is_sent_nothing() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        await answering(LENGTH)(scope, receive, send)

    connection = Connection(app)
    connection.protocol.data_received(GET)
    await asyncio.sleep(0)
    connection.protocol.connection_lost(ConnectionResetError())
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.transport.writes == []


async def test_a_client_that_reads_slowly_holds_the_answer_back() -> None:
    connection = Connection(answering(LENGTH))
    connection.protocol.pause_writing()
    connection.protocol.data_received(GET)
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.transport.writes == []
    connection.protocol.resume_writing()
    assert b"".join(await connection.ask()) == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
